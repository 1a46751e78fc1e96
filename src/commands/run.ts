// `heliostat run`: mirrors until it is told to stop, or has caught up.

import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { environmentName, type OptionName, type RunOptions, runOptions } from '../config/options.ts'
import { readOptions, refuseUnknownVariables } from '../config/read-options.ts'
import { redactConfig } from '../config/redact.ts'
import { exitCodeOf } from '../errors.ts'
import { Mirror } from '../mirror/mirror.ts'
import type { MirrorConfig, MirrorResult, ReloadState } from '../mirror/types.ts'
import { nativeVersion } from '../native/index.ts'
import { describeBuild } from '../observe/build-info.ts'
import { openHttp } from '../observe/http.ts'
import { logLanes } from '../observe/lane-list.ts'
import { type Logger, openLog } from '../observe/log.ts'
import { buildReport, summarize, writeReport } from '../observe/report.ts'
import { openStatusLine } from '../observe/status-line.ts'
import { watchProgress } from '../observe/watch.ts'
import { TopicSelector } from '../topics/select.ts'
import { planTransforms, type TransformPlan } from '../transform/plan.ts'
import { processFigures } from './process-figures.ts'
import { changedHandlers, noteReload, reload } from './reload.ts'
import { Signals } from './signals.ts'

// Well below the ten seconds in which a new topic is promised to be mirrored.
const discoveryIntervalMs = 3_000
const defaultAdminTimeoutMs = 30_000

export async function run(flags: Readonly<Record<string, unknown>>): Promise<number> {
  // Before anything is read, so that no signal is missed.
  const signals = new Signals()
  outliveReaders(process.stdout, process.stderr)
  try {
    return await start(flags, signals)
  } finally {
    signals.close()
  }
}

async function start(flags: Readonly<Record<string, unknown>>, signals: Signals): Promise<number> {
  refuseUnknownVariables(process.env)
  const options = readOptions(runOptions, flags, process.env)
  const { features } = nativeVersion()
  const load = () => loadConfig(options, process.env, name => isGiven(flags, name), features)
  const config = load()
  process.title = titleOf(config)
  const topics = new TopicSelector(config.topics)
  const line = openStatusLine(process.stderr, process.env)
  const logger = openLog({
    level: options['log-level'],
    format: options['log-format'] ?? (process.stdout.isTTY ? 'pretty' : 'json'),
    descriptor: 1,
    beforeLine: line && (() => line.clear()),
    onGone: code => endWithoutLog(code, signals)
  })
  try {
    return await mirror({ options, config, load, topics, logger, line, signals })
  } catch (error) {
    logger.fatal({ code: exitCodeOf(error), error: String(error) }, 'the run failed')
    throw error
  } finally {
    await topics.close()
  }
}

interface Setup {
  options: RunOptions
  config: LoadedConfig
  /** Reads the configuration again. */
  load: () => LoadedConfig
  topics: TopicSelector
  logger: Logger
  line: ReturnType<typeof openStatusLine>
  signals: Signals
}

async function mirror(setup: Setup): Promise<number> {
  const { options, config, load, topics, logger, line, signals } = setup
  const build = describeBuild(nativeVersion())
  logStart(logger, config, build)
  const transforms = config.transforms && (await planTransforms(config.transforms))
  const mirror = new Mirror(mirrorConfig(options, config, topics, transforms), logger)
  let lastReload: ReloadState | undefined
  const state = () => ({ ...mirror.state(), ...(lastReload && { lastReload }) })
  // Half a hundred milliseconds that a run without a port does not have to spend.
  const metrics = async () => (await import('../observe/metrics.ts')).createMetrics(state, build)
  const http = await openHttp({ address: options.http, state, metrics, logger })
  if (http.url !== undefined) logger.info({ url: http.url }, 'serving /livez, /readyz and /metrics')
  const logEveryMs = options['until-caught-up'] ? 10_000 : 60_000
  const stopWatching = watchProgress({ state, logger, line, logEveryMs })
  signals.serve({
    logger,
    show: () => logLanes(state(), logger),
    reload() {
      const take = (read: LoadedConfig) => {
        const { taken, waiting } = mirror.reload(read)
        return { taken, waiting: [...waiting, ...changedHandlers(config, read)] }
      }
      const ok = reload({ load, take, logger })
      lastReload = noteReload(lastReload, ok, Date.now())
    }
  })
  try {
    const result = await mirror.run({ stop: signals.stop })
    stopWatching()
    return end(signals.cause === 'log' ? unwatched(result) : result, options, logger, line)
  } finally {
    stopWatching()
    await http.close()
  }
}

/** What `ps` shows, and scripts that look for a mirror of MirrorMaker find. */
function titleOf({ links }: LoadedConfig): string {
  return `heliostat mirror-maker ${links.map(({ source }) => source.group['group.id']).join(',')}`
}

/** A terminal or pipe that is closed shall not end the process from within a write. */
function outliveReaders(...streams: NodeJS.WriteStream[]): void {
  for (const stream of streams) stream.on('error', () => {})
}

// A pipe never comes back, and nobody would hear of lanes that stop: so the mirror drains, and the exit code makes a
// supervisor start it with a new one. A terminal that goes is a user who leaves.
function endWithoutLog(code: string, signals: Signals): void {
  if (code === 'EIO') return signals.drain('SIGHUP')
  process.stderr.write(`error: nobody reads the log any more (${code}): draining\n`)
  signals.drain('log')
}

function unwatched(result: MirrorResult): MirrorResult {
  if (result.exitCode !== 0) return result
  return { ...result, exitCode: 1, reason: `nobody reads the log any more; ${result.reason}` }
}

function mirrorConfig(
  options: RunOptions,
  config: LoadedConfig,
  topics: TopicSelector,
  transforms: TransformPlan | undefined
): MirrorConfig {
  return {
    links: config.links,
    target: config.target,
    topics,
    creation: config.creation,
    codecs: config.codecs,
    ...(transforms && { transforms }),
    adminTimeoutMs: config.adminTimeoutMs ?? defaultAdminTimeoutMs,
    untilCaughtUp: options['until-caught-up'],
    abortOnSendFailure: options['abort.on.send.failure'],
    drainTimeoutMs: options['drain-timeout-ms'],
    discoveryIntervalMs
  }
}

function logStart(
  logger: Logger,
  config: LoadedConfig,
  build: ReturnType<typeof describeBuild>
): void {
  logger.info(build, 'heliostat starts')
  const { links, target, topics, creation, codecs } = config
  for (const { source, link, autoOffsetReset, commitIntervalMs } of links) {
    logger.info(
      {
        source: source.alias,
        settings: { ...redactConfig(source.connection), ...redactConfig(source.group) },
        link,
        autoOffsetReset,
        commitIntervalMs
      },
      'source configuration'
    )
  }
  logger.info(
    {
      target: target.alias,
      settings: redactConfig(target.connection),
      topics,
      creation,
      ...codecs
    },
    'target configuration'
  )
  const { differences } = config
  if (differences.length > 0) logger.info({ differences }, 'differs from MirrorMaker')
  for (const { level, text } of config.notes) logger[level]({ note: text }, 'configuration note')
}

function end(
  result: MirrorResult,
  options: RunOptions,
  logger: Logger,
  line: Setup['line']
): number {
  const report = buildReport(result, processFigures())
  if (options.report !== undefined) writeReport(options.report, report)
  if (line) process.stderr.write(`${summarize(report).join('\n')}\n`)
  const { records, bytes, mbPerSecond, cpuSeconds, peakRssBytes, boundBy, durationMs } = report
  const figures = { records, bytes, durationMs, mbPerSecond, cpuSeconds, peakRssBytes, boundBy }
  const loss = report.lostOffsets === 0 ? {} : { lostOffsets: report.lostOffsets }
  logger.info(
    { code: result.exitCode, reason: result.reason, ...figures, ...loss },
    'the run ended'
  )
  return result.exitCode
}

/** Whether the user chose this value, by flag; the environment counts as chosen too. */
function isGiven(flags: Readonly<Record<string, unknown>>, name: OptionName): boolean {
  return flags[name] !== undefined || process.env[environmentName(name)] !== undefined
}

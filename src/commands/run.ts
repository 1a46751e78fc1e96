// `heliostat run`: mirrors until it is told to stop, or has caught up.

import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { environmentName, type OptionName, type RunOptions, runOptions } from '../config/options.ts'
import { readOptions, refuseUnknownVariables } from '../config/read-options.ts'
import { redactConfig } from '../config/redact.ts'
import { exitCodeOf } from '../errors.ts'
import { Mirror } from '../mirror/mirror.ts'
import type { MirrorConfig, MirrorResult } from '../mirror/types.ts'
import { nativeVersion } from '../native/index.ts'
import { describeBuild } from '../observe/build-info.ts'
import { openHttp } from '../observe/http.ts'
import { type Log, type Logger, openLog } from '../observe/log.ts'
import { createMetrics } from '../observe/metrics.ts'
import { buildReport, summarize, writeReport } from '../observe/report.ts'
import { openStatusLine } from '../observe/status-line.ts'
import { watchProgress } from '../observe/watch.ts'
import { TopicSelector } from '../topics/select.ts'
import { processFigures } from './process-figures.ts'
import { stopOnSignals } from './signals.ts'

// Well below the ten seconds in which a new topic is promised to be mirrored.
const discoveryIntervalMs = 3_000

export async function run(flags: Readonly<Record<string, unknown>>): Promise<number> {
  refuseUnknownVariables(process.env)
  const options = readOptions(runOptions, flags, process.env)
  const config = loadConfig(options, process.env, name => isGiven(flags, name))
  const topics = new TopicSelector(config.topics)
  const line = openStatusLine(process.stderr, process.env)
  const log = openLog({
    level: options['log-level'],
    format: options['log-format'] ?? (process.stdout.isTTY ? 'pretty' : 'json'),
    descriptor: 1,
    beforeLine: line && (() => line.clear())
  })
  try {
    return await mirror({ options, config, topics, log, line })
  } catch (error) {
    log.logger.fatal({ code: exitCodeOf(error), error: String(error) }, 'the run failed')
    throw error
  } finally {
    await topics.close()
    log.flush()
  }
}

interface Setup {
  options: RunOptions
  config: LoadedConfig
  topics: TopicSelector
  log: Log
  line: ReturnType<typeof openStatusLine>
}

async function mirror({ options, config, topics, log, line }: Setup): Promise<number> {
  const { logger } = log
  const build = describeBuild(nativeVersion())
  logStart(logger, config, build)
  const mirror = new Mirror(mirrorConfig(options, config, topics), logger)
  const state = () => mirror.state()
  const metrics = createMetrics(state, build)
  const http = await openHttp({ address: options.http, state, metrics, logger })
  if (http.url !== undefined) logger.info({ url: http.url }, 'serving /livez, /readyz and /metrics')
  const signals = stopOnSignals(logger, () => log.flush())
  const logEveryMs = options['until-caught-up'] ? 10_000 : 60_000
  const stopWatching = watchProgress({ state, logger, line, logEveryMs })
  try {
    const result = await mirror.run({ stop: signals.stop })
    stopWatching()
    return end(result, options, logger, line !== undefined)
  } finally {
    stopWatching()
    signals.close()
    await http.close()
  }
}

function mirrorConfig(
  options: RunOptions,
  config: LoadedConfig,
  topics: TopicSelector
): MirrorConfig {
  return {
    source: config.source,
    target: config.target,
    link: config.link,
    topics,
    autoOffsetReset: config.autoOffsetReset,
    commitIntervalMs: config.commitIntervalMs,
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
  const { source, target, link, topics, autoOffsetReset, commitIntervalMs } = config
  logger.info(
    {
      source: { ...redactConfig(source.connection), ...redactConfig(source.group) },
      target: redactConfig(target.connection),
      link,
      topics,
      autoOffsetReset,
      commitIntervalMs
    },
    'configuration'
  )
  for (const { level, text } of config.notes) logger[level]({ note: text }, 'configuration note')
}

function end(
  result: MirrorResult,
  options: RunOptions,
  logger: Logger,
  isOnTerminal: boolean
): number {
  const report = buildReport(result, processFigures())
  if (options.report !== undefined) writeReport(options.report, report)
  if (isOnTerminal) process.stderr.write(`${summarize(report).join('\n')}\n`)
  const { records, bytes, mbPerSecond, cpuSeconds, peakRssBytes, boundBy, durationMs } = report
  const figures = { records, bytes, durationMs, mbPerSecond, cpuSeconds, peakRssBytes, boundBy }
  logger.info({ code: result.exitCode, reason: result.reason, ...figures }, 'the run ended')
  return result.exitCode
}

/** Whether the user chose this value, by flag; the environment counts as chosen too. */
function isGiven(flags: Readonly<Record<string, unknown>>, name: OptionName): boolean {
  return flags[name] !== undefined || process.env[environmentName(name)] !== undefined
}

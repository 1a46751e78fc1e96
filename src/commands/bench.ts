// `heliostat bench`: what a link can do, measured on the user's own clusters with scratch topics.

import { Bench, type Watcher } from '../bench/bench.ts'
import { isAllowed } from '../bench/consent.ts'
import { recommend } from '../bench/recommendation.ts'
import {
  showBegin,
  showIntent,
  showResult,
  showRoundTrip,
  showStopping,
  showWindow,
  units
} from '../bench/show.ts'
import type { BenchResult, Subject } from '../bench/types.ts'
import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { benchOptions, type OptionValues } from '../config/options.ts'
import { originOf, readOptions, refuseUnknownVariables } from '../config/read-options.ts'
import { RunError, UsageError } from '../errors.ts'
import { nativeVersion } from '../native/index.ts'
import { packageVersion } from '../observe/package-version.ts'
import { Signals } from './signals.ts'

type BenchOptions = OptionValues<typeof benchOptions>

const defaultAdminTimeoutMs = 30_000

export async function bench(flags: Readonly<Record<string, unknown>>): Promise<number> {
  refuseUnknownVariables(process.env)
  const options = readOptions(benchOptions, flags, process.env)
  const config = load(options, flags)
  const subject = subjectOf(options, config)
  const hasTerminal = process.stdin.isTTY && process.stderr.isTTY
  if (!options.yes && !hasTerminal) {
    throw new UsageError(
      'bench makes a topic and writes data on both clusters: without a terminal to ask at it needs --yes'
    )
  }
  for (const { level, text } of config.notes) if (level === 'warn') tell(`warning: ${text}`)
  const signals = new Signals()
  // Whoever reads the lines may go; what was made has to be removed all the same.
  process.stdout.on('error', () => signals.drain('log'))
  process.stderr.on('error', () => signals.drain('log'))
  try {
    return await benchLink(subject, options, signals.stop)
  } finally {
    signals.close()
  }
}

/** Topics do not matter here: the scratch topic is the only one. */
function load(options: BenchOptions, flags: Readonly<Record<string, unknown>>): LoadedConfig {
  const everyTopic = {
    whitelist: '.*',
    include: undefined,
    blacklist: undefined,
    exclude: undefined
  }
  return loadConfig(
    { ...options, ...everyTopic },
    process.env,
    name => originOf(name, flags, process.env) !== 'default',
    nativeVersion().features
  )
}

function subjectOf(
  options: BenchOptions,
  { links, target, codecs, creation, adminTimeoutMs }: LoadedConfig
): Subject {
  const [own, ...others] = links
  if (!own || others.length > 0) {
    throw new UsageError('bench measures one link: give --consumer.config once')
  }
  return {
    own,
    target,
    codecs,
    load: {
      size: options.size,
      recordBytes: options['record-size'],
      batchBytes: options['batch-size'],
      partitions: options.partitions
    },
    replicationFactor: creation.replicationFactor,
    adminTimeoutMs: adminTimeoutMs ?? defaultAdminTimeoutMs
  }
}

async function benchLink(
  subject: Subject,
  options: BenchOptions,
  stop: AbortSignal
): Promise<number> {
  const bench = await Bench.open(subject)
  try {
    for (const line of showIntent(bench.facts, bench.topic, subject.load)) tell(line)
    if (!options.yes && !(await isAllowed(process.stdin, process.stderr, stop))) {
      tell('nothing was made')
      return 1
    }
    const startedAt = Date.now()
    const { result, left } = await measure(bench, options, stop)
    const recommendations = recommend(result, subject.own.link, subject.load)
    if (options.format === 'json') {
      const { load, own } = subject
      const settings = { load, link: own.link, startedAt: new Date(startedAt).toISOString() }
      const document = {
        version: packageVersion,
        units,
        ...settings,
        ...result,
        recommendations,
        left
      }
      say(JSON.stringify(document, null, 2))
    } else {
      const width = process.stdout.columns || Number.POSITIVE_INFINITY
      for (const line of showResult(result, recommendations, width)) say(line)
    }
    return left.length === 0 ? 0 : 1
  } finally {
    await bench.close()
  }
}

/** Removes the topics in any case, and names those that are left with the command that removes them. */
async function measure(
  bench: Bench,
  { format }: BenchOptions,
  stop: AbortSignal
): Promise<{ result: BenchResult; left: readonly string[] }> {
  const onStop = () => tell(showStopping(bench.facts, bench.topic))
  stop.addEventListener('abort', onStop, { once: true })
  let failure: unknown
  let result: BenchResult | undefined
  try {
    result = await bench.measure(watcher(format === 'json' ? tell : say), stop)
  } catch (error) {
    failure = stop.aborted ? stopped(stop, error) : error
  } finally {
    stop.removeEventListener('abort', onStop)
  }
  const left = await bench.remove()
  for (const sentence of left) tell(`error: ${sentence}`)
  if (!result) throw failure
  return { result, left }
}

function stopped({ reason }: AbortSignal, cause: unknown): RunError {
  const why = reason === 'log' ? 'nobody reads the lines any more' : `stopped by ${reason}`
  return new RunError(`${why}: not everything was measured`, { cause })
}

function watcher(write: (line: string) => void): Watcher {
  write(units)
  return {
    onRoundTrip: (side, roundTrip) => write(showRoundTrip(side, roundTrip)),
    onBegin: (kind, connections) => write(showBegin(kind, connections)),
    onWindow: (kind, window) => write(showWindow(kind, window)),
    onEnd: step => write(showWindow(step.kind, step))
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}

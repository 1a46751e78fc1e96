// Owns the command line of the latency benchmark.

import { parseArgs } from 'node:util'
import { reasonOf, UsageError } from '../failure.ts'
import { type LatencyMirrorName, latencyMirrorNames } from './mirrors.ts'

export interface LatencyOptions {
  contenders: LatencyMirrorName[]
  /** MB of record values in a second. */
  mbPerSecond: number
  warmUpSeconds: number
  /** Of the load that is counted. */
  seconds: number
  repeats: number
  /** Partitions of the topic beside those with load. */
  idlePartitions: number
  /** Undefined: bench/results. */
  results: string | undefined
}

export const latencyUsage = `npm run bench -- latency [options]
  --contenders A,B       these only: ${latencyMirrorNames.join(', ')}
  --mb-per-second N      records sent, in MB of values (default 10)
  --seconds N            of load that is counted (default 20)
  --warm-up-seconds N    of the same load before (default 10)
  --repeats N            runs of each contender, by turns (default 3)
  --idle-partitions N    partitions of the topic that get no record (default 0)
  --results FOLDER       where the report goes (default bench/results)
`

const flagTable = {
  contenders: { type: 'string' },
  'mb-per-second': { type: 'string' },
  seconds: { type: 'string' },
  'warm-up-seconds': { type: 'string' },
  repeats: { type: 'string' },
  'idle-partitions': { type: 'string' },
  results: { type: 'string' },
  help: { type: 'boolean' }
} as const

export function parseLatencyOptions(argv: readonly string[]): LatencyOptions | 'help' {
  const flags = read(argv)
  if (flags.help) return 'help'
  return {
    contenders: namesIn(flags.contenders),
    mbPerSecond: positive('mb-per-second', flags['mb-per-second'] ?? '10'),
    warmUpSeconds: positive('warm-up-seconds', flags['warm-up-seconds'] ?? '10'),
    seconds: positive('seconds', flags.seconds ?? '20'),
    repeats: whole('repeats', flags.repeats ?? '3', 1, 999),
    idlePartitions: whole('idle-partitions', flags['idle-partitions'] ?? '0', 0, 10_000),
    results: flags.results
  }
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flagTable }).values
  } catch (cause) {
    throw new UsageError(reasonOf(cause), { cause })
  }
}

/** In the order of the table, each once. */
function namesIn(text: string | undefined): LatencyMirrorName[] {
  if (text === undefined) return [...latencyMirrorNames]
  const asked = text.split(',')
  const unknown = asked.find(name => !latencyMirrorNames.some(known => known === name))
  if (unknown !== undefined) {
    const known = latencyMirrorNames.join(', ')
    throw new UsageError(`--contenders: expected some of ${known}, got ${unknown}`)
  }
  return latencyMirrorNames.filter(name => asked.includes(name))
}

function positive(flag: string, text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new UsageError(`--${flag}: expected a number above 0, got ${text}`)
}

function whole(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UsageError(`--${flag}: expected a whole number from ${least} to ${most}, got ${text}`)
}

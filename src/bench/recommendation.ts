// Decides what to set for a link from what was measured on it, with the number behind each setting.

import type { LinkSettings } from '../mirror/types.ts'
import { formatBytes, formatCount } from '../observe/units.ts'
import type { BenchResult, Load, Step, StepKind } from './types.ts'

export interface Recommendation {
  /** As `heliostat config print` calls it. */
  setting: string
  /** In the configuration that was measured; null: not limited. */
  now: number | null
  recommended: number | null
  /** What the measurements ask for at least; null where it is a choice and no sum. */
  needed: number | null
  why: string
}

// One pass each scatters by about this much.
const scatter = 0.1
// Sizes are for twice the rate that was measured, so that they are not what bounds it.
const headroom = 2
const mebibyte = 1_048_576
// What the native core keeps in flight on one connection: packer.cc.
const nearRequests = 5
const farRequests = 64
const farRoundTripMs = 20

export function recommend(
  { roundTrips, steps }: Pick<BenchResult, 'roundTrips' | 'steps'>,
  link: LinkSettings,
  { partitions }: Pick<Load, 'partitions'>
): Recommendation[] {
  const best = fastest(stepsOf(steps, 'mirror'))
  const bytesPerSecond = best.wireMegabytesPerSecond * 1e6
  const streams = chooseConnections(steps, 'fetch', bytesPerSecond)
  const producers = chooseConnections(steps, 'produce', bytesPerSecond)
  const trips = { source: roundTrips.source.medianMs, target: roundTrips.target.medianMs }
  const needOf = (milliseconds: number) => headroom * bytesPerSecond * (milliseconds / 1_000)
  const rate = `${best.wireMegabytesPerSecond.toFixed(1)} MB/s on the wire`
  const say = (side: string, milliseconds: number) =>
    `${rate} x ${milliseconds.toFixed(2)} ms to the ${side} = ` +
    `${formatBytes(Math.round(needOf(milliseconds) / headroom))} on their way, doubled`

  const bothTrips = trips.source + trips.target
  const fetchBytes = needOf(trips.source) / streams.count
  const fetchMaxBytes = Math.max(link.fetchMaxBytes, roundUp(fetchBytes, mebibyte))
  const requests = trips.target > farRoundTripMs ? farRequests : nearRequests
  return [
    choice('num.streams', link.streams, streams),
    choice('num.producers', link.producers, producers),
    atLeast(
      'fetch.max.bytes',
      link.fetchMaxBytes,
      fetchBytes,
      `${say('source', trips.source)}${over(streams.count)}`
    ),
    atLeast(
      'max.partition.fetch.bytes',
      link.maxPartitionFetchBytes,
      fetchBytes / partitions,
      `what fetch.max.bytes needs, over the ${formatCount(partitions)} partitions of the scratch topic`
    ),
    atLeast(
      'buffer.memory',
      link.budgetBytes,
      Math.max(fetchMaxBytes, needOf(bothTrips)),
      `${say('source and the target', bothTrips)}; one answer of fetch.max.bytes has to fit too`
    ),
    atLeast(
      'max.request.size',
      link.maxRequestBytes,
      needOf(trips.target) / producers.count / requests,
      `${say('target', trips.target)}${over(producers.count)}, in ${requests} requests on each`
    ),
    queueSize(
      link.maxHeldRecords,
      headroom * best.recordsPerSecond * (bothTrips / 1_000),
      `${formatCount(best.recordsPerSecond)} records/s x ${bothTrips.toFixed(2)} ms to both sides, doubled`
    )
  ]
}

interface Chosen {
  count: number
  why: string
}

/**
 * The least that the mirror needed to be about as fast as it ever was, or fewer when that side alone reached the same
 * rate with fewer.
 */
function chooseConnections(
  steps: readonly Step[],
  side: 'fetch' | 'produce',
  bytesPerSecond: number
): Chosen {
  const mirror = stepsOf(steps, 'mirror')
  const alone = stepsOf(steps, side)
  const enough = leastReaching(mirror, (1 - scatter) * bytesPerSecond) ?? fastest(mirror)
  const reaches = leastReaching(alone, bytesPerSecond)
  const count = Math.min(enough.connections, reaches?.connections ?? enough.connections)
  const within = `the mirror is within ${scatter * 100} % of its best from ${enough.connections} on`
  const why =
    count < enough.connections ? `${within}, and ${side} alone does as much with ${count}` : within
  return { count, why: `MB/s on the wire: mirror ${list(mirror)}; ${side} ${list(alone)}: ${why}` }
}

function leastReaching(steps: readonly Step[], bytesPerSecond: number): Step | undefined {
  return steps.find(step => step.wireMegabytesPerSecond * 1e6 >= bytesPerSecond)
}

/** In rising number of connections. */
function stepsOf(steps: readonly Step[], kind: StepKind): Step[] {
  return steps
    .filter(step => step.kind === kind)
    .sort((one, other) => one.connections - other.connections)
}

function fastest(steps: readonly Step[]): Step {
  const [first, ...others] = steps
  if (!first) throw new Error('the mirror was not measured')
  return others.reduce(
    (best, step) => (step.wireMegabytesPerSecond > best.wireMegabytesPerSecond ? step : best),
    first
  )
}

function list(steps: readonly Step[]): string {
  return steps
    .map(step => `${step.wireMegabytesPerSecond.toFixed(1)} with ${step.connections}`)
    .join(', ')
}

function over(connections: number): string {
  return connections === 1 ? '' : `, over ${connections} connections`
}

function choice(setting: string, now: number, { count, why }: Chosen): Recommendation {
  return { setting, now, needed: null, recommended: count, why }
}

/** What is set already stays when it is enough. */
function atLeast(setting: string, now: number, needed: number, why: string): Recommendation {
  const isEnough = now >= needed
  const recommended = isEnough ? now : roundUp(needed, mebibyte)
  return { setting, now, needed: Math.ceil(needed), recommended, why }
}

/** 0: not limited, which is best, as buffer.memory is the limit that counts. */
function queueSize(now: number, needed: number, why: string): Recommendation {
  return {
    setting: 'queue.size',
    now: now === 0 ? null : now,
    needed: Math.ceil(needed),
    recommended: now >= needed && now !== 0 ? now : null,
    why: `${why}; where it is not set, buffer.memory alone is the limit`
  }
}

function roundUp(value: number, unit: number): number {
  return Math.max(unit, Math.ceil(value / unit) * unit)
}

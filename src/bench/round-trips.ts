// Times small requests to a cluster, one after the other.

import { performance } from 'node:perf_hooks'
import type { Cluster } from '../native/index.ts'
import type { RoundTrip } from './types.ts'

const mostSamples = 100
const leastSamples = 10
const mostMs = 5_000
// The first ones open connections.
const warmUps = 3
const timeoutMs = 10_000

/** Metadata of no topic: brokers answer it from memory. */
export async function measureRoundTrip(cluster: Cluster, stop: AbortSignal): Promise<RoundTrip> {
  for (let count = 0; count < warmUps; count++) await cluster.metadata([], timeoutMs)
  const until = performance.now() + mostMs
  const times: number[] = []
  while (times.length < mostSamples) {
    stop.throwIfAborted()
    const before = performance.now()
    if (before > until && times.length >= leastSamples) break
    await cluster.metadata([], timeoutMs)
    times.push(performance.now() - before)
  }
  return summarizeRoundTrips(times)
}

/** `times` in milliseconds, at least one. */
export function summarizeRoundTrips(times: readonly number[]): RoundTrip {
  const sorted = [...times].sort((one, other) => one - other)
  return { medianMs: rank(sorted, 0.5), p99Ms: rank(sorted, 0.99), samples: sorted.length }
}

/** The least value that such a share of all does not exceed. */
function rank(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

// Adds lanes up, and decides which of them are above a limit.

import { addBatchPaths } from '../mirror/batch-paths.ts'
import type { LaneStatus, Totals } from './types.ts'

export function sumLanes(lanes: readonly LaneStatus[]): Totals {
  const ages = lanes.flatMap(({ lagMs }) => lagMs ?? [])
  return {
    topics: new Set(lanes.map(({ topic }) => topic)).size,
    lanes: lanes.length,
    lag: lanes.reduce((sum, { lag }) => sum + (lag ?? 0), 0),
    lagMs: ages.length === 0 ? undefined : ages.reduce((most, age) => Math.max(most, age), 0),
    lanesBehind: lanes.filter(({ lag }) => (lag ?? 0) > 0).length,
    lanesUnknown: lanes.filter(({ lag }) => lag === undefined).length,
    batches: addBatchPaths(lanes.flatMap(({ batches }) => batches ?? [])),
    lost: lanes.reduce((sum, { lost }) => sum + (lost ?? 0), 0)
  }
}

/**
 * Lanes above the limit, and those that nobody can say it of: a check that passes on what it does not
 * know is none. A partition that never had a record needs no commit.
 */
export function lanesAbove(lanes: readonly LaneStatus[], maxLag: number): LaneStatus[] {
  return lanes.filter(({ lag, logEnd, highWatermark }) =>
    lag === undefined ? !(logEnd === 0 && (highWatermark ?? 0) === 0) : lag > maxLag
  )
}

export function sortByLag(lanes: readonly LaneStatus[]): LaneStatus[] {
  return [...lanes].sort((a, b) => rank(b) - rank(a))
}

/** Unknown first: it may be anything. */
function rank({ lag }: LaneStatus): number {
  return lag ?? Number.MAX_SAFE_INTEGER
}

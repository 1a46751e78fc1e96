// Sums verdicts up: how many lanes are equal, what differs in all, and the exit code that follows.

import { type DifferenceCounts, differenceClasses, noDifferences } from './differences.ts'
import type { LaneState, LaneVerdict } from './types.ts'

export interface Summary {
  lanes: number
  lanesByState: Record<LaneState, number>
  matched: number
  beyondCommit: number
  counts: DifferenceCounts
}

export function sumUp(verdicts: readonly LaneVerdict[]): Summary {
  const summary: Summary = {
    lanes: verdicts.length,
    lanesByState: { equal: 0, different: 0, 'not-compared': 0 },
    matched: 0,
    beyondCommit: 0,
    counts: noDifferences()
  }
  for (const { state, matched, beyondCommit, counts } of verdicts) {
    summary.lanesByState[state]++
    summary.matched += matched
    summary.beyondCommit += beyondCommit
    for (const name of differenceClasses) summary.counts[name] += counts[name]
  }
  return summary
}

/** A difference that was found counts for more than a lane that could not be compared. */
export function exitCodeFor({ lanesByState }: Summary): 0 | 1 | 3 {
  if (lanesByState.different > 0) return 3
  return lanesByState['not-compared'] > 0 ? 1 : 0
}

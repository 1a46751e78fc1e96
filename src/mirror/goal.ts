// Says when a bounded run is done, and what it came to.

import type { LaneReason } from '../native/index.ts'
import type { PlanReason } from './types.ts'

/** What one lane means for the end of the run. */
export type LaneVerdict = 'under-way' | 'done' | 'failed'

export interface LaneFacts {
  isStopped: boolean
  isBackingOff: boolean
  reason: LaneReason | PlanReason
  hasReachedEnd: boolean
}

/** A lane without rights is tried again for ever; a run that has an end does not wait for that. */
export function judgeLane(facts: LaneFacts): LaneVerdict {
  if (facts.isStopped) return 'failed'
  if (facts.hasReachedEnd) return 'done'
  return facts.isBackingOff && facts.reason === 'not-allowed' ? 'failed' : 'under-way'
}

export interface CoverFacts {
  /** Partitions selected at the start. */
  expected: number
  /** Those of them that are ours. */
  held: number
  hasJoined: boolean
  quietMs: number
  /** How long a rebalance may take to reach us. */
  settleMs: number
}

/**
 * Whether the group has given us all that it is going to give. All partitions: at once. Fewer, because
 * other members have theirs: after a while without a change, since it gives them in rounds.
 */
export function isCovered({ expected, held, hasJoined, quietMs, settleMs }: CoverFacts): boolean {
  return hasJoined && (held >= expected || quietMs >= settleMs)
}

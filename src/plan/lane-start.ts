// Where a lane would begin, why there, and what would keep it from beginning.

import { decodeCheckpoint } from '../mirror/checkpoint.ts'
import { type DeliveryLevel, type DeliveryWish, expectDelivery } from '../mirror/delivery.ts'
import { whyStillStopped } from '../mirror/kept-stops.ts'
import { whyNotOurs, whyUnproved } from '../mirror/lane-origins.ts'
import { chooseStart } from '../mirror/start-offset.ts'
import type { AutoOffsetReset } from '../mirror/types.ts'
import type { CommittedOffset } from '../native/index.ts'

export interface LaneStartFacts {
  /** Undefined when the group's offsets cannot be read. */
  committed: CommittedOffset | undefined
  isCommittedKnown: boolean
  reset: AutoOffsetReset
  idempotent: boolean
  wish: DeliveryWish
  /** --on-gap skip */
  skipGaps: boolean
  wasThereAtFirstStart: boolean
  targetClusterId: string
  /** As in `TopicMetadata`; empty while there is no such topic. */
  targetTopicId: string
  logStart: number | undefined
  readableEnd: number | undefined
  logEnd: number | undefined
}

export type CommittedBy = 'heliostat' | 'heliostat-other-target' | 'heliostat-newer' | 'other'

export interface LaneStart {
  /** Undefined when it cannot be told. */
  offset: number | undefined
  from: 'committed' | 'log-start' | 'log-end' | 'none' | 'unknown'
  /** Who committed the offset. */
  by?: CommittedBy
  level: DeliveryLevel
  /** Source offsets before `offset` that were deleted before they were mirrored, and would be skipped. */
  skipped?: number
  /** Why the lane would not begin. */
  refusal?: { reason: string; detail: string }
}

export function planStart(facts: LaneStartFacts): LaneStart {
  const decoded = decodeCheckpoint(facts.committed?.metadata ?? '')
  const { idempotent, wish, targetClusterId, targetTopicId } = facts
  const level = expectDelivery({
    decoded,
    committed: facts.committed?.offset ?? -1,
    idempotent,
    wish
  })
  const place = placeStart(facts)
  const mismatch =
    wish === 'at-least-once' ? undefined : whyNotOurs(decoded, targetClusterId, targetTopicId)
  const refusal = place.refusal ?? whyStillStopped(decoded) ?? mismatch ?? whyUnproved(level, wish)
  return { ...place, level, ...(refusal ? { refusal } : {}) }
}

type Place = Omit<LaneStart, 'level'>

function placeStart(facts: LaneStartFacts): Place {
  const { committed, reset, wasThereAtFirstStart, logStart, readableEnd } = facts
  if (!facts.isCommittedKnown || committed?.failure) return { offset: undefined, from: 'unknown' }
  const offset = committed?.offset ?? -1
  switch (chooseStart({ committed: offset, reset, wasThereAtFirstStart })) {
    case 'committed':
      return planCommitted(facts, offset, committed?.metadata ?? '')
    case 'log-start':
      return {
        offset: logStart,
        from: logStart === undefined ? 'unknown' : 'log-start'
      }
    case 'log-end':
      return {
        offset: readableEnd,
        from: readableEnd === undefined ? 'unknown' : 'log-end'
      }
    default: {
      const detail =
        'nothing is committed and auto.offset.reset is none: commit an offset for the group, or set earliest or latest'
      return {
        offset: undefined,
        from: 'none',
        refusal: { reason: 'no-start-offset', detail }
      }
    }
  }
}

function planCommitted(facts: LaneStartFacts, offset: number, metadata: string): Place {
  const by = committedBy(facts, metadata)
  const start: Place = { offset, from: 'committed', by }
  const { logStart, logEnd } = facts
  if (logStart !== undefined && offset < logStart) {
    if (facts.skipGaps) return { ...start, offset: logStart, skipped: logStart - offset }
    const detail = `offset ${offset} is committed and the source's log starts at ${logStart}: ${logStart - offset} offsets were deleted before they were mirrored; --on-gap skip would go on at ${logStart}`
    return { ...start, refusal: { reason: 'source-gap', detail } }
  }
  if (logEnd !== undefined && offset > logEnd) {
    const detail = `offset ${offset} is committed and the source's log ends at ${logEnd}: it was truncated, or the topic was made anew`
    return { ...start, refusal: { reason: 'source-diverged', detail } }
  }
  return start
}

function committedBy({ targetClusterId }: LaneStartFacts, metadata: string): CommittedBy {
  const decoded = decodeCheckpoint(metadata)
  if (decoded.kind === 'newer') return 'heliostat-newer'
  if (decoded.kind !== 'own') return 'other'
  const isThisTarget = decoded.checkpoint.targetClusterId === targetClusterId
  return isThisTarget ? 'heliostat' : 'heliostat-other-target'
}

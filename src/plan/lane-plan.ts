// What would become of one lane: where it begins, how much it would copy, by which path, and what would stop it.

import type { DeliveryLevel } from '../mirror/delivery.ts'
import type { PartitionHeaders } from '../native/index.ts'
import { countAged, oldestOf } from './age.ts'
import { expectPath, type SampledPath, type SampleTarget, summarizeSample } from './batch-sample.ts'
import type { CommittedBy, LaneStart } from './lane-start.ts'
import type { TargetTopicPlan } from './target-topic.ts'

/** `idle`: nothing to copy now. `waits`: tried again and again until somebody mends what holds it back. */
export type LaneOutcome = 'copies' | 'idle' | 'stops' | 'waits' | 'unknown'

export interface LanePlan {
  partition: number
  start: { offset: number | null; from: LaneStart['from']; by?: CommittedBy }
  /** Up to where records can be read now. */
  end: number | null
  /** Offsets between the two; markers and compacted records count, so there may be fewer records. */
  records: number | null
  /** Source offsets that were deleted before they were mirrored, and would be skipped (--on-gap skip). */
  lost: number
  /** Behind the readable end, held back by an open transaction. */
  heldBack: number
  /** Estimated from the batches that were looked at. */
  bytes: number | null
  /** Of the records, those that go one batch at a time since the target forgets their producers. */
  agedRecords: number | null
  /** Of the batches that were looked at; milliseconds since the epoch. */
  oldestTimestamp: number | null
  outcome: LaneOutcome
  path: 'shallow' | 'reseal' | 'transform' | 'skipped' | 'none' | 'unknown'
  reason: string
  detail: string
  /** Where it would stop, when records before that are copied. */
  stopsAt?: number
  batchesLookedAt: number
  codecs: string[]
  delivery: DeliveryLevel['delivery']
  deliveryReason: string
}

export interface LaneFacts {
  topic: string
  partition: number
  start: LaneStart
  readableEnd: number | undefined
  logEnd: number | undefined
  /** As in `AgeFacts`. */
  freshFrom: number | undefined
  /** -1 while there is none. */
  leader: number
  headers: PartitionHeaders | undefined
  /** The source is from before Kafka 0.11. */
  hasOldBrokers: boolean
  target: TargetTopicPlan
  sampleTarget: SampleTarget
  now: number
}

export function planLane(facts: LaneFacts): LanePlan {
  const { partition, start, readableEnd, logEnd, headers } = facts
  const records = countRecords(facts)
  const sample = headers && summarizeSample(headers)
  return {
    partition,
    start: {
      offset: start.offset ?? null,
      from: start.from,
      ...(start.by === undefined ? {} : { by: start.by })
    },
    end: readableEnd ?? null,
    records,
    lost: start.skipped ?? 0,
    heldBack: Math.max(0, (logEnd ?? 0) - (readableEnd ?? logEnd ?? 0)),
    bytes: null,
    agedRecords: countAged({
      start: start.offset,
      end: readableEnd,
      freshFrom: facts.freshFrom,
      isAppendTime: facts.sampleTarget.isAppendTime
    }),
    oldestTimestamp: headers ? oldestOf(headers, start.offset ?? 0) : null,
    batchesLookedAt: sample?.batches ?? 0,
    codecs: sample?.codecs ?? [],
    ...expect(facts, records),
    ...facts.start.level
  }
}

function countRecords({ start, readableEnd }: LaneFacts): number | null {
  if (start.offset === undefined || readableEnd === undefined) return null
  return Math.max(0, readableEnd - start.offset)
}

type Expectation = Pick<LanePlan, 'outcome' | 'path' | 'reason' | 'detail' | 'stopsAt'>

function expect(facts: LaneFacts, records: number | null): Expectation {
  const { start, headers } = facts
  const refusal = whyItCannotStart(facts)
  if (refusal) return { outcome: 'stops', path: 'none', ...refusal }
  const hindrance = whyItWaits(facts)
  if (hindrance) return { outcome: 'waits', path: 'none', ...hindrance }
  if (start.offset === undefined || records === null) {
    const detail = 'where it would begin, or the end of the log, cannot be told'
    return { outcome: 'unknown', path: 'unknown', reason: 'not-known', detail }
  }
  if (records === 0) {
    return { outcome: 'idle', path: 'none', reason: 'none', detail: 'nothing to copy now' }
  }
  const sampled = headers && expectPath(headers, start.offset, facts.sampleTarget, facts.now)
  if (!sampled) return notLookedAt()
  const isOld = facts.hasOldBrokers && sampled.reason === 'old-format'
  return fromSample(isOld ? { ...sampled, reason: 'old-broker' } : sampled, start.offset)
}

function whyItCannotStart(facts: LaneFacts): { reason: string; detail: string } | undefined {
  const { topic, partition, target, start } = facts
  if (target.refusal) return target.refusal
  if (partition >= target.partitionsAfter) {
    const detail = `target topic "${topic}" has only ${target.partitionsAfter} of its partitions: add partitions on the target, or give --grow-partitions`
    return { reason: 'too-few-partitions', detail }
  }
  return start.refusal
}

const topicAuthorizationFailed = 29

function whyItWaits({
  topic,
  leader,
  headers
}: LaneFacts): { reason: string; detail: string } | undefined {
  if (leader < 0) {
    return {
      reason: 'no-leader',
      detail: 'the source partition has no leader: bring its brokers back'
    }
  }
  if (headers?.failure?.code === topicAuthorizationFailed) {
    return { reason: 'not-allowed', detail: `grant READ on topic "${topic}" on the source` }
  }
  return undefined
}

function fromSample({ path, reason, detail, offset }: SampledPath, start: number): Expectation {
  if (path !== 'stops') return { outcome: 'copies', path, reason, detail }
  const isLater = offset !== undefined && offset > start
  return {
    outcome: 'stops',
    path: isLater ? 'shallow' : 'none',
    reason,
    detail: isLater ? `${detail} (at offset ${offset})` : detail,
    ...(isLater ? { stopsAt: offset } : {})
  }
}

function notLookedAt(): Expectation {
  return { outcome: 'copies', path: 'unknown', reason: 'not-looked-at', detail: 'not looked into' }
}

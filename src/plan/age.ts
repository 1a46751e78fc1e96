// Records that are older than what the target remembers of producers: the mirror sends them one batch at a time.

import { defaultExpiryMs, expiryMarginMs } from '../mirror/producer-expiry.ts'
import type { PartitionHeaders } from '../native/index.ts'
import { formatDuration } from '../observe/units.ts'
import type { TargetFacts } from './facts.ts'
import type { Finding } from './findings.ts'

/** How long a target remembers a producer. */
export interface ProducerMemory {
  expiryMs: number
  /** It does not tell. */
  isAssumed: boolean
}

/** The setting is a 32-bit number of milliseconds, almost 25 days. */
const mostExpiryMs = 2 ** 31 - 1
const dayMs = 86_400_000

export function memoryOf(expiryMs: number | undefined): ProducerMemory {
  return { expiryMs: expiryMs ?? defaultExpiryMs, isAssumed: expiryMs === undefined }
}

/** Batches from before then go alone. */
export function freshSince({ expiryMs }: ProducerMemory, now: number): number {
  return now - Math.max(0, expiryMs - expiryMarginMs)
}

export interface AgeFacts {
  start: number | undefined
  end: number | undefined
  /** Offset of the first record that is young enough; -1 when there is none, undefined when that is not known. */
  freshFrom: number | undefined
  /** The target counts from the arrival. */
  isAppendTime: boolean
}

/** Records between start and end that go one batch at a time; they may be fewer where times go up and down. */
export function countAged({ start, end, freshFrom, isAppendTime }: AgeFacts): number | null {
  if (start === undefined || end === undefined) return null
  if (isAppendTime || start >= end) return 0
  if (freshFrom === undefined) return null
  const until = freshFrom < 0 ? end : Math.min(freshFrom, end)
  return Math.max(0, until - start)
}

/** Of the batches that were looked at, from `start` on. */
export function oldestOf(
  { batches }: Pick<PartitionHeaders, 'batches'>,
  start: number
): number | null {
  const times = batches
    .filter(
      ({ lastOffset, isControl, records }) => lastOffset >= start && !isControl && records !== 0
    )
    .map(({ firstTimestamp, maxTimestamp }) => (firstTimestamp < 0 ? maxTimestamp : firstTimestamp))
    .filter(time => time >= 0)
  return times.length === 0 ? null : Math.min(...times)
}

export interface AgedTopic {
  topic: string
  agedRecords: number | null
  oldestTimestamp: number | null
}

/** One text for all topics of a link, so that they become one warning. */
export function inspectAge(
  topics: readonly AgedTopic[],
  { memory, bootstrapServers }: Pick<TargetFacts, 'memory' | 'bootstrapServers'>,
  now: number
): Finding[] {
  const aged = topics.filter(({ agedRecords }) => (agedRecords ?? 0) > 0)
  const { expiryMs, isAssumed } = memory
  const since = formatDuration(Math.max(0, expiryMs - expiryMarginMs))
  const text =
    `records older than ${since} go one batch at a time, each behind the answer to the one before: the target ` +
    `forgets their producers (its producer.id.expiration.ms is ${isAssumed ? 'not told, and taken as ' : ''}${expiryMs})`
  const wanted = wantedExpiry(aged, now)
  const fix = expiryMs >= wanted ? undefined : fixOf(wanted, bootstrapServers)
  return aged.map(({ topic }) => ({
    kind: 'aged-records',
    topic,
    text,
    ...(fix === undefined ? {} : { fix })
  }))
}

/** Whole days that hold the oldest record, and one for the time that the copy takes. */
function wantedExpiry(aged: readonly AgedTopic[], now: number): number {
  const times = aged.flatMap(({ oldestTimestamp }) => oldestTimestamp ?? [])
  if (times.length === 0) return mostExpiryMs
  const age = now - Math.min(...times) + expiryMarginMs
  return Math.min((Math.ceil(age / dayMs) + 1) * dayMs, mostExpiryMs)
}

function fixOf(wanted: number, bootstrapServers: string): string {
  const limit =
    wanted === mostExpiryMs ? ' That is the most it takes: older records go so in any case.' : ''
  return (
    `for the time of the copy, before the mirror starts: kafka-configs --bootstrap-server ${bootstrapServers} ` +
    `--alter --entity-type brokers --entity-default --add-config producer.id.expiration.ms=${wanted}.${limit}`
  )
}

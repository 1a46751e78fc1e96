// Tells where a lane goes on behind what has arrived on a compacted source. Sequences count what has arrived, and
// compaction may have taken some of it from the source since; it may take more while the lane begins, so what counts is
// an offset.

import { setTimeout as delay } from 'node:timers/promises'
import { BatchFault } from '../batches/batch-fault.ts'
import { type BatchHeader, readHeader } from '../batches/batch-header.ts'
import { digestChunk } from '../batches/digest.ts'
import { KafkaError } from '../errors.ts'
import {
  type Cluster,
  failureOf,
  type Isolation,
  isUnsupported,
  type PartitionBatches,
  type TopicConfigs,
  type TopicPartition
} from '../native/index.ts'
import type { Checkpoint } from './checkpoint.ts'
import { addRecords, isAhead } from './sequences.ts'

export interface Arrived extends TopicPartition {
  /** Source offset from which the records have arrived. */
  from: number
  /** By their sequences. */
  arrived: number
  /** Target offset behind the last of them. */
  arrivedEnd: number
  checkpoint: Checkpoint
}

export interface SourcePoint {
  offset: number
  /** Of the record before it; -1 not known. */
  leaderEpoch: number
}

export type BehindArrived =
  | { kind: 'behind'; point: SourcePoint }
  /** A new leader does not show all that it has yet. */
  | { kind: 'later' }
  /** The two sides do not tell. */
  | { kind: 'unproved' }

/** Records of one side from a position on, in order. */
export interface Side {
  offsets: readonly number[]
  digests: readonly bigint[]
}

type Reader = Pick<Cluster, 'readBatches' | 'listOffsets'>

const chunkBytes = 1_048_576
const timeoutMs = 10_000
const tries = 5
const betweenTriesMs = 200
/** What is compared is held in memory. */
const mostRecords = 1_000_000

/** Behind the last record that has arrived and that the source still has. A KafkaError where a side cannot be read. */
export async function findBehindArrived(
  source: Reader,
  target: Reader,
  isolation: Isolation,
  asked: Arrived
): Promise<BehindArrived> {
  const { checkpoint, from, arrived, arrivedEnd } = asked
  if (arrived > mostRecords) return { kind: 'unproved' }
  try {
    const there = await readTarget(target, asked)
    if (there.nextOffset < arrivedEnd) return { kind: 'later' }
    const end = await readOffset(source, asked, -1, isolation)
    const here = await readRecords(source, asked, {
      from,
      most: arrived,
      end,
      isolation,
      hasTimes: there.hasTimes
    })
    if (here.nextOffset < end && here.digests.length < arrived) return { kind: 'later' }
    const passed = countPassed(here, there, { ...asked, hasTimes: there.hasTimes })
    if (passed === undefined) return { kind: 'unproved' }
    const last = here.offsets[passed - 1]
    if (last === undefined) {
      return { kind: 'behind', point: { offset: from, leaderEpoch: checkpoint.leaderEpoch } }
    }
    const batch = here.batches.find(({ lastOffset }) => lastOffset >= last)
    const point = { offset: last + 1, leaderEpoch: batch?.leaderEpoch ?? -1 }
    return { kind: 'behind', point }
  } catch (error) {
    // The lane itself says what is wrong with the batch, where it matters.
    if (error instanceof BatchFault) return { kind: 'unproved' }
    throw error
  }
}

export interface Arrival {
  from: number
  arrived: number
  arrivedEnd: number
  /** Off where the target gave its own times: records that are equal without them may be different ones. */
  hasTimes: boolean
}

/**
 * How many of the first records of the source have arrived; undefined where that cannot be told. Both sides are in one
 * order, and compaction may have taken records from either; never the last one that arrived from the target, unless
 * others write there.
 */
export function countPassed(here: Side, there: Side, arrival: Arrival): number | undefined {
  const { from, arrived, arrivedEnd, hasTimes } = arrival
  if (there.digests.length > arrived || there.offsets.at(-1) !== arrivedEnd - 1) return undefined
  const isWhole = there.digests.length === arrived
  const matched = isWhole ? matchFirst(here, there, arrival) : matchLast(here, there, arrived)
  // Each record that has arrived has an offset of its own, so what lies below this one is among them.
  const sure = here.offsets.findIndex(offset => offset >= from + arrived)
  const least = Math.min(arrived, sure < 0 ? here.offsets.length : sure)
  if (isWhole && matched < least) return undefined
  if (!hasTimes && matched > least) return undefined
  return Math.max(least, matched)
}

/** Of the source, as far as all of it is on the target in its order. The place of a record is at most its offset's. */
function matchFirst(here: Side, there: Side, { from, arrived }: Arrival): number {
  let place = 0
  let matched = 0
  for (; matched < Math.min(arrived, here.digests.length); matched++, place++) {
    const most = (here.offsets[matched] as number) - from
    while (place <= most && place < arrived && there.digests[place] !== here.digests[matched]) {
      place++
    }
    if (place > most || place >= arrived) break
  }
  return matched
}

/** Of the source, up to the last record that the target has too. */
function matchLast(here: Side, there: Side, arrived: number): number {
  const places = new Map<bigint, { at: number[]; next: number }>()
  for (const [place, digest] of there.digests.entries()) {
    const known = places.get(digest)
    if (known) known.at.push(place)
    else places.set(digest, { at: [place], next: 0 })
  }
  let matched = 0
  let place = 0
  for (const [index, digest] of here.digests.slice(0, arrived).entries()) {
    const known = places.get(digest)
    if (!known) continue
    while ((known.at[known.next] ?? Number.POSITIVE_INFINITY) < place) known.next++
    const found = known.at[known.next]
    if (found === undefined) continue
    place = found + 1
    matched = index + 1
  }
  return matched
}

/** By topic. What may not be read counts as compacted: looking costs only time. */
export async function readCompaction(
  source: Pick<Cluster, 'describeTopicConfigs'>,
  topics: readonly string[],
  timeoutMs: number
): Promise<(topic: string) => boolean> {
  const found = await configsOf(source, [...new Set(topics)], timeoutMs)
  const policies = new Map(
    found.map(({ topic, entries }) => [
      topic,
      entries.find(({ name }) => name === 'cleanup.policy')?.value
    ])
  )
  return topic => (policies.get(topic) ?? 'compact').includes('compact')
}

/** Brokers before 0.11 tell none: their topics are taken for compacted. */
async function configsOf(
  source: Pick<Cluster, 'describeTopicConfigs'>,
  topics: readonly string[],
  timeoutMs: number
): Promise<TopicConfigs[]> {
  try {
    return await source.describeTopicConfigs(topics, timeoutMs)
  } catch (error) {
    if (!isUnsupported(failureOf(error))) throw error
    return []
  }
}

interface Range {
  from: number
  most: number
  /** Records from this offset on are left out. */
  end: number
  isolation: Isolation
  hasTimes: boolean
  isWanted?: (batch: LogBatch) => boolean
}

interface LogBatch {
  bytes: Buffer
  lastOffset: number
  /** None before format 2. */
  header?: BatchHeader
}

interface ReadRecords extends Side {
  batches: { lastOffset: number; leaderEpoch: number }[]
  hasAppendTime: boolean
  nextOffset: number
}

/** What the lane has written behind its commit, with times unless the target gave its own. */
async function readTarget(
  target: Reader,
  asked: Arrived
): Promise<ReadRecords & { hasTimes: boolean }> {
  const { checkpoint, arrivedEnd } = asked
  const read = (hasTimes: boolean) =>
    readRecords(target, asked, {
      from: checkpoint.targetEnd,
      most: Number.POSITIVE_INFINITY,
      end: arrivedEnd,
      isolation: 'read_uncommitted',
      hasTimes,
      isWanted: ({ header }) => header !== undefined && isOwn(header, checkpoint)
    })
  const timed = await read(true)
  if (!timed.hasAppendTime) return { ...timed, hasTimes: true }
  return { ...(await read(false)), hasTimes: false }
}

async function readRecords(
  cluster: Reader,
  { topic, partition }: TopicPartition,
  { from, most, end, isolation, hasTimes, isWanted = () => true }: Range
): Promise<ReadRecords> {
  const digests: bigint[] = []
  const offsets: number[] = []
  const batches: ReadRecords['batches'] = []
  let hasAppendTime = false
  // Retention works on compacted topics too.
  const start = await readOffset(cluster, { topic, partition }, -2, 'read_uncommitted')
  let nextOffset = Math.max(from, start)
  while (digests.length < most && nextOffset < end) {
    const found = await readOnce(cluster, { topic, partition, offset: nextOffset }, isolation)
    const all = splitBatches(found.bytes)
    const last = all.at(-1)
    if (!last) break
    const wanted = all.filter(isWanted)
    const records = digestChunk(Buffer.concat(wanted.map(({ bytes }) => bytes)), {
      fromOffset: nextOffset,
      endOffset: end,
      withTimestamps: hasTimes,
      aborted: isolation === 'read_committed' ? found.aborted : []
    })
    for (const [index, offset] of records.offsets.entries()) {
      const [high, low] = [records.words[2 * index], records.words[2 * index + 1]]
      digests.push((BigInt(high as number) << 32n) | BigInt(low as number))
      offsets.push(offset)
    }
    if (wanted.some(({ header }) => header?.isAppendTime)) hasAppendTime = true
    for (const { lastOffset, header } of all) {
      batches.push({ lastOffset, leaderEpoch: header?.leaderEpoch ?? -1 })
    }
    nextOffset = Math.max(nextOffset, last.lastOffset) + 1
  }
  return { digests, offsets, batches, hasAppendTime, nextOffset }
}

async function readOffset(
  cluster: Reader,
  { topic, partition }: TopicPartition,
  at: -1 | -2,
  isolation: Isolation
): Promise<number> {
  const [found] = await cluster.listOffsets([{ topic, partition }], at, isolation, timeoutMs)
  if (found?.failure) throw new KafkaError('read where its log lies', found.failure)
  return found?.offset ?? 0
}

async function readOnce(
  cluster: Pick<Cluster, 'readBatches'>,
  position: TopicPartition & { offset: number },
  isolation: Isolation
): Promise<PartitionBatches> {
  for (let tried = 1; ; tried++) {
    const [found] = await cluster.readBatches([position], chunkBytes, isolation, timeoutMs)
    if (found && !found.failure) return found
    if (found?.failure && tried === tries)
      throw new KafkaError('read what has arrived', found.failure)
    await delay(betweenTriesMs)
  }
}

function splitBatches(chunk: ArrayBuffer): LogBatch[] {
  const all = Buffer.from(chunk)
  const batches: LogBatch[] = []
  for (let at = 0; at + 12 <= all.length; ) {
    const bytes = all.subarray(at, at + 12 + all.readInt32BE(at + 8))
    batches.push(describeBatch(bytes))
    at += bytes.length
  }
  return batches
}

// Before format 2, at byte 16, a message begins with the offset of its last one.
function describeBatch(bytes: Buffer): LogBatch {
  if ((bytes[16] ?? 0) < 2) return { bytes, lastOffset: Number(bytes.readBigInt64BE(0)) }
  const header = readHeader(bytes)
  return { bytes, lastOffset: header.baseOffset + header.lastOffsetDelta, header }
}

/** Of this producer, from the commit on. */
function isOwn(
  header: BatchHeader,
  { producerId, producerEpoch, nextSequence }: Checkpoint
): boolean {
  const { baseSequence, lastOffsetDelta } = header
  const isProducers = header.producerId === producerId && header.producerEpoch === producerEpoch
  return isProducers && isAhead(addRecords(baseSequence, lastOffsetDelta), nextSequence)
}

// Tells where a lane goes on behind what has arrived on a compacted source. Sequences count what has arrived, and
// compaction may have taken some of it from the source since; it may take more while the lane begins, so what counts is
// an offset.

import { setTimeout as delay } from 'node:timers/promises'
import { digestChunk } from '../batches/digest.ts'
import { KafkaError } from '../errors.ts'
import type {
  Cluster,
  ConfigEntry,
  Isolation,
  PartitionBatches,
  TopicPartition
} from '../native/index.ts'
import type { Checkpoint } from './checkpoint.ts'

export interface Arrived extends TopicPartition {
  /** Source offset from which the records have arrived. */
  from: number
  /** By their sequences. */
  arrived: number
  checkpoint: Checkpoint
  /** The target gives its own times to what it appends. */
  hasOtherTimes: boolean
}

export interface SourcePoint {
  offset: number
  /** Of the record before it; -1 not known. */
  leaderEpoch: number
}

type Side = Pick<Cluster, 'readBatches' | 'listOffsets'>

const chunkBytes = 1_048_576
const timeoutMs = 10_000
const tries = 5
const betweenTriesMs = 200

/** Behind the last record that has arrived and that the source still has. A KafkaError where a side cannot be read. */
export async function findBehindArrived(
  source: Side,
  target: Side,
  isolation: Isolation,
  asked: Arrived
): Promise<SourcePoint> {
  const { checkpoint, from, arrived } = asked
  const there = await readRecords(target, 'read_uncommitted', asked, {
    from: checkpoint.targetEnd,
    most: Number.POSITIVE_INFINITY,
    isWanted: batch => isOwn(batch, checkpoint)
  })
  const here = await readRecords(source, isolation, asked, { from, most: arrived })
  const passed = alignArrived(here.digests.slice(0, arrived), there.digests)
  const last = here.offsets[passed - 1]
  if (last === undefined) return { offset: from, leaderEpoch: checkpoint.leaderEpoch }
  const batch = here.batches.find(({ lastOffset }) => lastOffset >= last)
  return { offset: last + 1, leaderEpoch: batch?.leaderEpoch ?? -1 }
}

/**
 * How many of the first records on the source lie before the last one that the target has too. Both are in one order,
 * and either side may lack some: what comes before a common record has arrived.
 */
export function alignArrived(source: readonly bigint[], target: readonly bigint[]): number {
  const places = new Map<bigint, number[]>()
  for (const [place, digest] of target.entries()) {
    const known = places.get(digest)
    if (known) known.push(place)
    else places.set(digest, [place])
  }
  let passed = 0
  let next = 0
  for (const [index, digest] of source.entries()) {
    const place = places.get(digest)?.find(at => at >= next)
    if (place === undefined) continue
    next = place + 1
    passed = index + 1
  }
  return passed
}

export interface Compaction {
  isCompacted: boolean
  hasOtherTimes: boolean
}

/** By topic. What may not be read counts as compacted: looking costs only time. */
export async function readCompaction(
  source: Pick<Cluster, 'describeTopicConfigs'>,
  target: Pick<Cluster, 'describeTopicConfigs'>,
  topics: readonly string[],
  timeoutMs: number
): Promise<(topic: string) => Compaction> {
  const names = [...new Set(topics)]
  const [here, there] = await Promise.all(
    [source, target].map(async side => {
      const found = await side.describeTopicConfigs(names, timeoutMs)
      return new Map(found.map(({ topic, entries }) => [topic, readEntries(entries)]))
    })
  )
  return topic => {
    const [own, other] = [here?.get(topic), there?.get(topic)]
    const policy = own?.get('cleanup.policy') ?? 'compact'
    const times = [own, other].map(side => side?.get('message.timestamp.type') ?? 'CreateTime')
    const hasOtherTimes = times.some(type => type !== 'CreateTime')
    return { isCompacted: policy.includes('compact'), hasOtherTimes }
  }
}

function readEntries(entries: readonly ConfigEntry[]): Map<string, string> {
  return new Map(entries.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])))
}

interface Range {
  from: number
  most: number
  isWanted?: (batch: Buffer) => boolean
}

interface ReadRecords {
  digests: bigint[]
  offsets: number[]
  batches: { lastOffset: number; leaderEpoch: number }[]
}

async function readRecords(
  cluster: Side,
  isolation: Isolation,
  { topic, partition, hasOtherTimes }: Arrived,
  { from, most, isWanted = () => true }: Range
): Promise<ReadRecords> {
  const read: ReadRecords = { digests: [], offsets: [], batches: [] }
  let offset = Math.max(from, await readLogStart(cluster, { topic, partition }))
  while (read.digests.length < most) {
    const found = await readOnce(cluster, { topic, partition, offset }, isolation)
    const batches = splitBatches(found.bytes)
    const last = batches.at(-1)
    if (!last) break
    const { words, offsets } = digestChunk(Buffer.concat(batches.filter(isWanted)), {
      fromOffset: offset,
      withTimestamps: !hasOtherTimes,
      aborted: isolation === 'read_committed' ? found.aborted : []
    })
    for (const [index, place] of offsets.entries()) {
      const [high, low] = [words[2 * index] as number, words[2 * index + 1] as number]
      read.digests.push((BigInt(high) << 32n) | BigInt(low))
      read.offsets.push(place)
    }
    for (const batch of batches) {
      read.batches.push({ lastOffset: lastOffset(batch), leaderEpoch: leaderEpoch(batch) })
    }
    offset = Math.max(offset, lastOffset(last)) + 1
  }
  return read
}

/** Retention works on compacted topics too. */
async function readLogStart(cluster: Side, where: TopicPartition): Promise<number> {
  const [start] = await cluster.listOffsets([where], -2, 'read_uncommitted', timeoutMs)
  if (start?.failure) throw new KafkaError('read where its log starts', start.failure)
  return start?.offset ?? 0
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

function splitBatches(bytes: ArrayBuffer): Buffer[] {
  const all = Buffer.from(bytes)
  const batches: Buffer[] = []
  for (let at = 0; at + 12 <= all.length; ) {
    const size = all.readInt32BE(at + 8) + 12
    batches.push(all.subarray(at, at + size))
    at += size
  }
  return batches
}

// baseOffset i64 @0, magic i8 @16, lastOffsetDelta i32 @23. Before format 2 a message has the offset of its last one.
function lastOffset(batch: Buffer): number {
  const base = Number(batch.readBigInt64BE(0))
  return hasHeader(batch) ? base + batch.readInt32BE(23) : base
}

// partitionLeaderEpoch i32 @12, from format 2 on.
function leaderEpoch(batch: Buffer): number {
  return hasHeader(batch) ? batch.readInt32BE(12) : -1
}

function hasHeader(batch: Buffer): boolean {
  return (batch[16] ?? 0) >= 2
}

// lastOffsetDelta i32 @23, producerId i64 @43, producerEpoch i16 @51, baseSequence i32 @53
function isOwn(batch: Buffer, { producerId, producerEpoch, nextSequence }: Checkpoint): boolean {
  if (batch.readBigInt64BE(43) !== BigInt(producerId)) return false
  if (batch.readInt16BE(51) !== producerEpoch) return false
  const lastSequence = batch.readInt32BE(53) + batch.readInt32BE(23)
  return (lastSequence - nextSequence + 2 ** 31) % 2 ** 31 < 2 ** 30
}

// Owns comparing topics by content: a digest of every record, the first record that differs, and the batches' bytes.

import { createHash } from 'node:crypto'
import { headerBytes } from './batch-header.ts'
import { type Isolation, type RawBatch, RawClient } from './raw-client.ts'
import { type CanonicalRecord, nameDifference } from './record-difference.ts'
import { forEachRecord, readBatches } from './topic-reader.ts'

export type PartitionDigest = {
  records: number
  digest: string
  /** -1 when there are none. */
  firstOffset: number
  lastOffset: number
}

export type Difference = {
  topic: string
  partition: number
  what: string
  sourceOffset?: number
  targetOffset?: number
}

export type DigestOptions = {
  isolation?: Isolation
  /**
   * `typed`: with their type. `values`: append times that a mirror has made create times are equal. `none`: the target
   * gives times of its own.
   */
  times?: 'typed' | 'values' | 'none'
}

export type CompareOptions = DigestOptions & {
  /** The target's name of a topic where it differs. */
  rename?: (topic: string) => string
}

// Partitions read side by side: the brokers' answers overlap with the work on them.
const readers = 4

/** Every partition's records in offset order: key, value, headers, timestamp and its type; batch borders do not count. */
export async function digestTopic(
  bootstrap: string,
  topic: string,
  options: DigestOptions = {}
): Promise<Map<number, PartitionDigest>> {
  return withClients([bootstrap], async ([client]) => {
    const digests = new Map<number, PartitionDigest>()
    await forEachPartition(await client.partitions(topic), async partition => {
      digests.set(partition, await digestPartition(client, topic, partition, options))
    })
    return new Map([...digests].sort(([a], [b]) => a - b))
  })
}

/** What differs between the topics of two clusters, each partition's first differing record; empty when all agrees. */
export async function compareTopics(
  source: string,
  target: string,
  topics: string[],
  { rename = topic => topic, ...options }: CompareOptions = {}
): Promise<Difference[]> {
  return withClients([source, target], async ([sourceClient, targetClient]) => {
    const differences: Difference[] = []
    for (const topic of topics) {
      const [sources, targets] = await Promise.all([
        digestTopic(source, topic, options),
        digestTopic(target, rename(topic), options)
      ])
      for (const partition of new Set([...sources.keys(), ...targets.keys()])) {
        const [ours, theirs] = [sources.get(partition), targets.get(partition)]
        if (ours === undefined || theirs === undefined) {
          const side = ours === undefined ? 'source' : 'target'
          differences.push({ topic, partition, what: `the ${side} has no such partition` })
        } else if (ours.digest !== theirs.digest) {
          const first = await nameDifference(
            readRecords(sourceClient, topic, partition, options),
            readRecords(targetClient, rename(topic), partition, options)
          )
          const counts = `${ours.records} records on the source, ${theirs.records} on the target`
          differences.push({ topic, partition, ...first, what: `${first.what}; ${counts}` })
        }
      }
    }
    return differences
  })
}

/** Compares batch by batch: the bytes after the header, and the header's fields that a mirror must keep. */
export async function compareBatchBytes(
  source: string,
  target: string,
  topic: string,
  { isolation = 'read_uncommitted', rename = name => name }: CompareOptions = {}
): Promise<Difference[]> {
  return withClients([source, target], async ([sourceClient, targetClient]) => {
    const differences: Difference[] = []
    await forEachPartition(await sourceClient.partitions(topic), async partition => {
      const ours = readBatches(sourceClient, topic, partition, { isolation })
      const theirs = readBatches(targetClient, rename(topic), partition, { isolation })
      const difference = await compareBatches(ours, theirs)
      if (difference !== undefined) differences.push({ topic, partition, ...difference })
    })
    return differences
  })
}

async function digestPartition(
  client: RawClient,
  topic: string,
  partition: number,
  { isolation = 'read_uncommitted', times = 'typed' }: DigestOptions
): Promise<PartitionDigest> {
  const hash = createHash('sha256')
  let staged = Buffer.allocUnsafe(65_536)
  let [records, firstOffset, lastOffset] = [0, -1, -1]
  for await (const batch of readBatches(client, topic, partition, { isolation })) {
    const type = times === 'typed' && batch.header.timestampType === 'append' ? 1 : 0
    let length = 0
    forEachRecord(batch, (offset, timestamp, body, start, end) => {
      const after = length + canonicalHeadBytes + end - start
      if (after > staged.length) staged = grow(staged, length, after)
      staged.writeDoubleBE(times === 'none' ? 0 : timestamp, length)
      staged[length + 8] = type
      body.copy(staged, length + canonicalHeadBytes, start, end)
      length = after
      if (firstOffset < 0) firstOffset = offset
      lastOffset = offset
      records++
    })
    hash.update(staged.subarray(0, length))
  }
  return { records, digest: hash.digest('hex'), firstOffset, lastOffset }
}

const canonicalHeadBytes = 9

function grow(staged: Buffer, used: number, wanted: number): Buffer<ArrayBuffer> {
  const grown = Buffer.allocUnsafe(Math.max(wanted, staged.length * 2))
  staged.copy(grown, 0, 0, used)
  return grown
}

async function* readRecords(
  client: RawClient,
  topic: string,
  partition: number,
  { isolation = 'read_uncommitted', times = 'typed' }: DigestOptions
): AsyncGenerator<CanonicalRecord> {
  for await (const batch of readBatches(client, topic, partition, { isolation })) {
    const records: CanonicalRecord[] = []
    const timestampType = times === 'typed' ? batch.header.timestampType : 'create'
    forEachRecord(batch, (offset, found, body, start, end) => {
      const timestamp = times === 'none' ? 0 : found
      records.push({ offset, timestamp, timestampType, body: body.subarray(start, end) })
    })
    yield* records
  }
}

async function compareBatches(
  ours: AsyncGenerator<RawBatch>,
  theirs: AsyncGenerator<RawBatch>
): Promise<Omit<Difference, 'topic' | 'partition'> | undefined> {
  for (;;) {
    const [source, target] = [(await ours.next()).value, (await theirs.next()).value] as const
    if (source === undefined && target === undefined) return undefined
    const where = {
      ...(source === undefined ? {} : { sourceOffset: source.header.baseOffset }),
      ...(target === undefined ? {} : { targetOffset: target.header.baseOffset })
    }
    if (source === undefined) return { what: 'a batch more on the target', ...where }
    if (target === undefined) return { what: 'a batch less on the target', ...where }
    for (const field of keptFields) {
      const [wanted, got] = [source.header[field], target.header[field]]
      if (wanted !== got)
        return { what: `${field} is ${wanted} on the source, ${got} on the target`, ...where }
    }
    if (!source.bytes.subarray(headerBytes).equals(target.bytes.subarray(headerBytes))) {
      return { what: 'bytes after the header differ', ...where }
    }
  }
}

const keptFields = [
  'codec',
  'recordCount',
  'lastOffsetDelta',
  'timestampType',
  'baseTimestamp',
  'maxTimestamp',
  'batchLength'
] as const

async function forEachPartition(
  partitions: number[],
  work: (partition: number) => Promise<void>
): Promise<void> {
  const waiting = partitions.values()
  const worker = async () => {
    for (const partition of waiting) await work(partition)
  }
  await Promise.all(Array.from({ length: readers }, worker))
}

async function withClients<const B extends readonly string[], T>(
  bootstraps: B,
  use: (clients: { [K in keyof B]: RawClient }) => Promise<T>
): Promise<T> {
  const clients = bootstraps.map(bootstrap => new RawClient(bootstrap))
  try {
    return await use(clients as unknown as { [K in keyof B]: RawClient })
  } finally {
    for (const client of clients) client.close()
  }
}

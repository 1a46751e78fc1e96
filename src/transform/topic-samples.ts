// Reads the first or the last records of a topic, to try handlers on. It joins no group and commits nothing.

import { setTimeout as delay } from 'node:timers/promises'
import { BatchFault } from '../batches/batch-fault.ts'
import { ChunkRecords } from '../batches/chunk-records.ts'
import { describeFailure, KafkaError, RunError, UsageError } from '../errors.ts'
import type { Cluster, Isolation, TopicPartition } from '../native/index.ts'
import { BatchReader } from '../verify/batch-reader.ts'
import type { Sample } from './sample.ts'

export interface TopicSamplesOptions {
  cluster: Pick<Cluster, 'metadata' | 'listOffsets' | 'readBatches'>
  /** For messages: `source "east"`. */
  side: string
  topic: string
  isolation: Isolation
  which: 'first' | 'last'
  count: number
}

interface Range extends TopicPartition {
  begin: number
  end: number
}

const timeoutMs = 30_000
const chunkBytes = 262_144
// A broker that throttles, or whose leader has changed, may give nothing once; a log that ends in offsets which compaction
// took gives nothing ever.
const mostEmpty = 5
const emptyPauseMs = 200
const logStart = -2
const logEnd = -1

/** Of all partitions together, by time; of one partition by offset. Fewer where there are not so many. */
export async function readSamples(options: TopicSamplesOptions): Promise<Sample[]> {
  const { which, count } = options
  const ranges = await findRanges(options)
  const samples: Sample[] = []
  for (const range of ranges) samples.push(...(await readPartition(options, range)))
  samples.sort((a, b) => a.timestamp - b.timestamp)
  return which === 'first' ? samples.slice(0, count) : samples.slice(-count)
}

async function findRanges(options: TopicSamplesOptions): Promise<Range[]> {
  const { cluster, side, topic, isolation } = options
  const { topics } = await told(`${side}: read metadata`, cluster.metadata([topic], timeoutMs))
  const partitions = topics.find(found => found.topic === topic)?.partitions ?? []
  if (partitions.length === 0) throw new UsageError(`--from-topic: ${side} has no topic "${topic}"`)
  const all = partitions.map(({ partition }) => ({ topic, partition }))
  const [begins, ends] = await told(
    `${side}: list offsets`,
    Promise.all([logStart, logEnd].map(at => cluster.listOffsets(all, at, isolation, timeoutMs)))
  )
  return all.map((partition, index) => {
    const [begin, end] = [begins?.[index], ends?.[index]]
    const failure = begin?.failure ?? end?.failure
    if (failure) {
      throw new KafkaError(`${side}: list offsets of ${topic}-${partition.partition}`, failure)
    }
    return { ...partition, begin: begin?.offset ?? 0, end: end?.offset ?? 0 }
  })
}

/** Holes in the offsets may leave too few of the last: then it begins further in front, up to the log's start. */
async function readPartition(options: TopicSamplesOptions, range: Range): Promise<Sample[]> {
  const { which, count } = options
  if (which === 'first') return readRange(options, range, range.begin, count)
  for (let span = count; ; span *= 8) {
    const from = Math.max(range.begin, range.end - span)
    const found = await readRange(options, range, from, Number.POSITIVE_INFINITY)
    if (found.length >= count || from === range.begin) return found.slice(-count)
  }
}

async function readRange(
  { cluster, side, isolation }: TopicSamplesOptions,
  { topic, partition, end }: Range,
  from: number,
  count: number
): Promise<Sample[]> {
  const reader = new BatchReader(cluster, side, isolation)
  const samples: Sample[] = []
  let offset = from
  let empty = 0
  while (offset < end && samples.length < count && empty < mostEmpty) {
    const { bytes, aborted } = await reader.read({ topic, partition, offset }, chunkBytes)
    if (bytes.byteLength === 0) {
      empty++
      await delay(emptyPauseMs)
      continue
    }
    const records = new ChunkRecords(bytes, { fromOffset: offset, endOffset: end, aborted })
    const next = () => readable(side, { topic, partition }, () => records.next())
    while (samples.length < count && next()) {
      const { record } = records
      samples.push({
        topic,
        partition,
        offset: record.offset,
        timestamp: Number(record.timestamp),
        key: record.key(),
        value: record.value(),
        headers: record.headers()
      })
    }
    offset = Math.max(offset + 1, records.nextOffset)
  }
  return samples
}

function readable(side: string, { topic, partition }: TopicPartition, next: () => boolean) {
  try {
    return next()
  } catch (error) {
    if (!(error instanceof BatchFault)) throw error
    throw new RunError(`${side}: ${topic}-${partition}: ${error.message}`, { cause: error })
  }
}

async function told<Answer>(what: string, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    throw describeFailure(what, error)
  }
}

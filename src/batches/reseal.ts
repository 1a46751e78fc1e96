// Decides what becomes of a batch that cannot pass as it is: its records, renumbered without holes, in
// batches that the target takes.
//
// Pure, and run in worker threads. A record keeps its bytes, its place and its time.

import { BatchFault, type FaultReason } from './batch-fault.ts'
import { readHeader, splitBatches } from './batch-header.ts'
import type { Codec, CodecLevels } from './codec.ts'
import { defaultLimits, type Limits } from './compression.ts'
import { DenseRecords } from './dense-records.ts'
import type { Int64 } from './int64.ts'
import { MessageRecords, messageCodec } from './message-set.ts'
import { openBatch } from './record-batch.ts'
import { type RecordSource, RecordView } from './record-view.ts'

export interface ResealTask {
  /** One whole batch, or whole messages of a format before 2; with `merges` several whole batches. */
  bytes: Uint8Array<ArrayBuffer>
  /** The batches become one, in the codec of the first. */
  merges?: boolean
  /** Records below this source offset are left out. */
  fromOffset: number
  /** Of those that remain so many of the first are left out too. */
  skipRecords: number
  /**
   * What a batch with append time does. `keep`: every record gets the time its readers see, that of the
   * append. `as-is`: every record keeps the time its producer gave.
   */
  appendTime: 'keep' | 'as-is'
  /** That of the batch unless given. */
  codec?: Codec
  /** The target takes no zstd, so LZ4 is written in its place: the cheapest to write here and to read there. */
  avoidsZstd?: boolean
  levels?: CodecLevels
  /** Of the largest batch that the target takes. */
  maxBytes: number
  /** What comes is split into batches of so many bytes; a single record may be larger. `maxBytes` unless given. */
  aimBytes?: number
  limits?: Limits
}

export interface ResealedBatch {
  /** A whole batch with base offset 0 and no producer. */
  bytes: Uint8Array<ArrayBuffer>
  recordCount: number
  /** Source offsets of the first and the last record. */
  firstOffset: number
  lastOffset: number
  /** Rounded beyond 2^53; the batch has it exactly. */
  maxTimestamp: number
  /** Three numbers a run of records: source offset and index in the batch of its first one, count. */
  offsets: Float64Array<ArrayBuffer>
}

/**
 * No batches: it holds nothing to mirror, as a control batch does. A failure is about the batch as a whole,
 * and no part of it is to be sent.
 */
export type ResealResult =
  | { batches: ResealedBatch[]; skipped: number }
  | { failure: FaultReason; detail: string }

export function resealBatch(task: ResealTask): ResealResult {
  try {
    const { records, codec, skipped } = gather(task)
    if (records.count === 0) return { batches: [], skipped }
    return { batches: sealWithin(records, codecFor(codec, task), task), skipped }
  } catch (error) {
    if (error instanceof BatchFault) return { failure: error.reason, detail: error.message }
    throw error
  }
}

/** In which codec what came in this one is written. */
export function codecFor(
  codec: Codec,
  { codec: wanted = codec, avoidsZstd = false }: Pick<ResealTask, 'codec' | 'avoidsZstd'>
): Codec {
  return wanted === 'zstd' && avoidsZstd ? 'lz4' : wanted
}

const empty: RecordSource = { record: new RecordView(Buffer.alloc(0)), next: () => false }

/** A batch that lies open. */
export interface Opened {
  source: RecordSource
  codec: Codec
  /** The time of every record, where it is not their own. */
  timestamp: Int64 | undefined
}

// Where the format of a batch stands, in all formats.
const magicAt = 16

// Renumbering lengthens a record by a few bytes at most; the smallest has seven.
export const mostGrowth = 3

function gather(task: ResealTask): { records: DenseRecords; codec: Codec; skipped: number } {
  const limits = task.limits ?? defaultLimits
  const { appendTime } = task
  const [first, ...others] = task.merges ? splitBatches(task.bytes) : [task.bytes]
  const opened = openTask({ bytes: first, appendTime }, limits)
  const expectedBytes = Math.max(opened.source.record.bytes.length, task.bytes.length) + 64
  const records = new DenseRecords(expectedBytes, limits.maxBytes * mostGrowth)
  let skipped = take(opened, task, records)
  for (const bytes of others)
    skipped += take(openTask({ bytes, appendTime }, limits), task, records)
  return { records, codec: opened.codec, skipped }
}

/** Returns how many were there already. */
function take({ source, timestamp }: Opened, task: ResealTask, records: DenseRecords): number {
  const { record } = source
  let skipped = 0
  while (source.next()) {
    if (record.offset < task.fromOffset) continue
    if (skipped < task.skipRecords) {
      skipped++
      continue
    }
    records.add(record, record.offset, timestamp ?? record.timestamp)
  }
  return skipped
}

export function openTask(
  { bytes, appendTime }: Pick<ResealTask, 'bytes' | 'appendTime'>,
  limits: Limits
): Opened {
  const batch = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if ((batch[magicAt] ?? 2) < 2) {
    const source = new MessageRecords(batch, { limits, keepsAppendTime: appendTime === 'keep' })
    return { source, codec: messageCodec(batch), timestamp: undefined }
  }
  const header = readHeader(batch)
  // Made into data, a transaction's end would be a record that nobody wrote.
  if (header.isControl) return { source: empty, codec: header.codec, timestamp: undefined }
  const isReplaced = header.isAppendTime && appendTime === 'keep'
  const timestamp = isReplaced ? header.maxTimestamp : undefined
  return { source: openBatch(batch, limits), codec: header.codec, timestamp }
}

/** What a batch may be at most, and what it is cut for. */
export type BatchSizes = Pick<ResealTask, 'maxBytes' | 'aimBytes' | 'levels'>

/** A BatchFault where a single record, or what was made of one, is too large. */
export function sealWithin(records: DenseRecords, codec: Codec, task: BatchSizes): ResealedBatch[] {
  const batch = records.seal(codec, task.levels?.[codec])
  const aimBytes = task.aimBytes ?? task.maxBytes
  const isFit = batch.length <= (records.count === 1 ? task.maxBytes : aimBytes)
  if (isFit) return [describe(records, batch)]
  if (records.count === 1) throw new TooLarge(records.runs.first, batch.length, task.maxBytes)
  const parts = records.split(Math.ceil(batch.length / aimBytes))
  if (parts.length === 1) {
    if (batch.length <= task.maxBytes) return [describe(records, batch)]
    throw new TooLarge(records.runs.first, batch.length, task.maxBytes)
  }
  return parts.flatMap(part => sealWithin(part, codec, task))
}

function describe(records: DenseRecords, batch: Buffer): ResealedBatch {
  const { runs } = records
  return {
    bytes: new Uint8Array(batch.buffer as ArrayBuffer, batch.byteOffset, batch.byteLength),
    recordCount: records.count,
    firstOffset: runs.first,
    lastOffset: runs.last,
    maxTimestamp: Number(records.maxTimestamp),
    offsets: runs.rows()
  }
}

/** A record that is larger as a batch of its own than the target takes, or all that a handler made of one. */
export class TooLarge extends BatchFault {
  /** On the source. */
  readonly offset: number

  constructor(offset: number, bytes: number, maxBytes: number) {
    super(
      'too-large',
      `the record at offset ${offset} is ${bytes} bytes as a batch of its own, and the target takes ${maxBytes}`
    )
    this.offset = offset
  }
}

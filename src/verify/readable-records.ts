// Finds the records in fetched batches that a reader sees: not control batches, nor what was aborted.

import { type BatchHeader, readHeader } from '../batches/batch-header.ts'
import { defaultLimits } from '../batches/compression.ts'
import type { Int64 } from '../batches/int64.ts'
import { MessageRecords } from '../batches/message-set.ts'
import { openBatch } from '../batches/record-batch.ts'
import type { RecordSource, RecordView } from '../batches/record-view.ts'

/** Whole batches as they were fetched, and which of their records are wanted. */
export interface Chunk {
  bytes: ArrayBuffer
  /** Of transactions that end in an abort; empty where everything is read. */
  aborted: readonly { producerId: number; firstOffset: number }[]
  from: number
  end: number
}

export interface RecordTime {
  timestamp: Int64
  isAppendTime: boolean
}

// baseOffset i64 @0, batchLength i32 @8, magic i8 @16: so far all formats agree.
const lengthAt = 8
const lengthEnd = 12
const magicAt = 16

/** Calls `see` for each record in log order; the view holds until it returns. Throws a BatchFault. */
export function forEachRecord(
  { bytes, aborted, from, end }: Chunk,
  see: (record: RecordView, time: RecordTime) => void
): void {
  const all = Buffer.from(bytes)
  const open = new OpenAborts(aborted)
  const time: RecordTime = { timestamp: -1, isAppendTime: false }
  for (let at = 0; at < all.length; ) {
    const size = all.readInt32BE(at + lengthAt) + lengthEnd
    const batch = all.subarray(at, at + size)
    at += size
    const records = openReadable(batch, open, time)
    if (!records) continue
    const { record } = records
    const appendTime = time.timestamp
    while (records.next()) {
      if (record.offset < from || record.offset >= end) continue
      if (!time.isAppendTime) time.timestamp = record.timestamp
      else time.timestamp = appendTime
      see(record, time)
    }
  }
}

/** Undefined for a batch that readers do not see. Sets the time where one holds for the whole batch. */
function openReadable(
  batch: Buffer,
  aborts: OpenAborts,
  time: RecordTime
): RecordSource | undefined {
  const magic = batch[magicAt] as number
  if (magic < 2) {
    time.isAppendTime = false
    return new MessageRecords(batch, { limits: defaultLimits, keepsAppendTime: true })
  }
  const header = readHeader(batch)
  if (header.isControl) {
    aborts.pass(header, batch)
    return undefined
  }
  if (aborts.covers(header)) return undefined
  time.isAppendTime = header.isAppendTime
  time.timestamp = header.maxTimestamp
  return openBatch(batch, defaultLimits)
}

/** Transactions under way at a place of the log that will be aborted. */
class OpenAborts {
  readonly #coming: { producerId: number; firstOffset: number }[]
  readonly #open = new Set<Int64>()

  constructor(aborted: Chunk['aborted']) {
    // The broker's order is not to be relied on.
    this.#coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  covers(header: BatchHeader): boolean {
    this.#begin(header.baseOffset + header.lastOffsetDelta)
    return header.isTransactional && this.#open.has(header.producerId)
  }

  /** A marker ends its producer's transaction. */
  pass(header: BatchHeader, batch: Buffer): void {
    this.#begin(header.baseOffset + header.lastOffsetDelta)
    if (this.#open.has(header.producerId) && isAbortMarker(batch)) {
      this.#open.delete(header.producerId)
    }
  }

  #begin(lastOffset: number): void {
    for (let [next] = this.#coming; next && next.firstOffset <= lastOffset; [next] = this.#coming) {
      this.#open.add(next.producerId)
      this.#coming.shift()
    }
  }
}

// Key of a marker: version i16, type i16 (0 abort, 1 commit).
function isAbortMarker(batch: Buffer): boolean {
  const records = openBatch(batch, defaultLimits)
  if (!records.next()) return false
  const key = records.record.key()
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0
}

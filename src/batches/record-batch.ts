// Reads the records of a v2 batch, strictly: every length is checked against the bytes left before it is believed.

import { malformed } from './batch-fault.ts'
import { type BatchHeader, checkCrc, headerBytes, readHeader } from './batch-header.ts'
import { decompress, type Limits } from './compression.ts'
import { addInt64, type Int64 } from './int64.ts'
import { type RecordSource, RecordView } from './record-view.ts'
import { VarintCursor } from './varint-cursor.ts'

// Length, attributes, both deltas, two nulls and no headers: a byte each.
const smallestRecordBytes = 7
// The length of its key and of its value.
const smallestHeaderBytes = 2

/** Checks the CRC, inflates within the limits and stands before the first record. */
export function openBatch(batch: Buffer, limits: Limits): BatchRecords {
  const header = readHeader(batch)
  checkCrc(batch)
  const packed = batch.subarray(headerBytes)
  // Compaction keeps empty batches with no body at all.
  const body =
    header.recordCount === 0 && packed.length === 0
      ? packed
      : decompress(header.codec, packed, limits)
  return new BatchRecords(header, body)
}

/** What the reader needs to know of a header. */
export type RecordsHeader = Pick<
  BatchHeader,
  'baseOffset' | 'lastOffsetDelta' | 'baseTimestamp' | 'recordCount'
> & { appendTime?: Int64 }

export class BatchRecords implements RecordSource {
  readonly header: RecordsHeader
  readonly record: RecordView
  readonly #cursor: VarintCursor
  readonly #end: number
  // A header without holes decides the offsets: deltas that say otherwise are a lie that the broker did not notice.
  readonly #isDense: boolean
  #index = 0
  #lastDelta = -1
  #hasTrueDeltas = true

  constructor(header: RecordsHeader, body: Buffer) {
    if (header.recordCount > body.length / smallestRecordBytes) {
      throw malformed(`expected ${header.recordCount} records, got ${body.length} bytes`)
    }
    this.header = header
    this.record = new RecordView(body)
    this.#cursor = new VarintCursor(body, 0, body.length)
    this.#end = body.length
    this.#isDense = header.recordCount === header.lastOffsetDelta + 1
  }

  /** Whether the records read so far say the offsets that their batch's header gives them. */
  get hasTrueDeltas(): boolean {
    return this.#hasTrueDeltas
  }

  /** The same records from the first on. */
  again(): BatchRecords {
    return new BatchRecords(this.header, this.record.bytes)
  }

  next(): boolean {
    const cursor = this.#cursor
    if (this.#index === this.header.recordCount) {
      if (cursor.at === this.#end) return false
      throw malformed(`${this.#end - cursor.at} bytes are left behind the last record`)
    }
    cursor.end = this.#end
    cursor.isShortest = true
    const length = cursor.varint()
    const end = cursor.at + length
    if (length < 0 || end > this.#end) {
      throw malformed(`record ${this.#index} claims ${length} of ${this.#end - cursor.at} bytes`)
    }
    cursor.end = end
    this.#read(cursor)
    if (cursor.at !== end) throw malformed(`record ${this.#index} ends before its length`)
    this.#index++
    return true
  }

  // attributes i8, timestampDelta varlong, offsetDelta varint, key length varint (-1 is null), key, value
  // length varint, value, header count varint, then for each header: key length, key, value length, value.
  #read(cursor: VarintCursor): void {
    const { record, header } = this
    record.attributes = cursor.byte()
    record.timestamp = addInt64(header.baseTimestamp, cursor.varlong())
    record.offset = header.baseOffset + this.#place(cursor.varint())
    cursor.isShortest = true
    const tailStart = cursor.at
    record.keyStart = this.#skipBytes(cursor)
    record.keyEnd = cursor.at
    record.valueStart = this.#skipBytes(cursor)
    record.valueEnd = cursor.at
    this.#skipHeaders(cursor)
    record.tailStart = cursor.isShortest ? tailStart : -1
  }

  #place(delta: number): number {
    if (this.#isDense) {
      if (delta !== this.#index) this.#hasTrueDeltas = false
      return this.#index
    }
    if (delta <= this.#lastDelta || delta > this.header.lastOffsetDelta) {
      throw malformed(`record ${this.#index} has offset delta ${delta} after ${this.#lastDelta}`)
    }
    this.#lastDelta = delta
    return delta
  }

  #skipHeaders(cursor: VarintCursor): void {
    const count = cursor.varint()
    if (count < 0 || count > (cursor.end - cursor.at) / smallestHeaderBytes) {
      throw malformed(`record ${this.#index} claims ${count} headers`)
    }
    const { record } = this
    record.headerCount = count
    record.headersStart = cursor.at
    for (let header = 0; header < count; header++) {
      if (this.#skipBytes(cursor) < 0) throw malformed(`record ${this.#index}: a header has no key`)
      this.#skipBytes(cursor)
    }
    record.headersEnd = cursor.at
  }

  // Where the bytes begin; -1 for null.
  #skipBytes(cursor: VarintCursor): number {
    const length = cursor.varint()
    if (length === -1) return -1
    const start = cursor.at
    if (length < 0 || length > cursor.end - start) {
      throw malformed(`record ${this.#index}: a field claims ${length} bytes`)
    }
    cursor.at = start + length
    return start
  }
}

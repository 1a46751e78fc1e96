// Owns a record as a reader stands on it: places in the batch's bytes, nothing copied.

import type { Int64 } from './int64.ts'
import { VarintCursor } from './varint-cursor.ts'

/** One for all records of a batch: what it says holds until the reader goes on. */
export class RecordView {
  /** What the places point into. */
  bytes: Buffer
  /** On the source. */
  offset = 0
  /** Of its own; append times are the business of whoever reads it. */
  timestamp: Int64 = -1
  attributes = 0
  /** -1: null. */
  keyStart = -1
  keyEnd = -1
  /** -1: null. */
  valueStart = -1
  valueEnd = -1
  headerCount = 0
  /** Behind the number of headers. */
  headersStart = 0
  headersEnd = 0
  /**
   * From here to `headersEnd` key, value and headers stand as format 2 writes them, each integer in its
   * shortest form; -1 when they do not.
   */
  tailStart = -1

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  key(): Buffer | null {
    return this.keyStart < 0 ? null : this.bytes.subarray(this.keyStart, this.keyEnd)
  }

  value(): Buffer | null {
    return this.valueStart < 0 ? null : this.bytes.subarray(this.valueStart, this.valueEnd)
  }

  /** One that stays where this one stands now. */
  copy(): RecordView {
    return Object.assign(new RecordView(this.bytes), this)
  }

  /** In their order, with what stands there twice. */
  headers(): [key: Buffer, value: Buffer | null][] {
    const headers: [Buffer, Buffer | null][] = []
    const cursor = new VarintCursor(this.bytes, this.headersStart, this.headersEnd)
    for (let index = 0; index < this.headerCount; index++) {
      headers.push([takeBytes(cursor) as Buffer, takeBytes(cursor)])
    }
    return headers
  }
}

/** Records one after the other. */
export interface RecordSource {
  readonly record: RecordView
  /** Steps onto the next record; false behind the last. Throws a BatchFault where the bytes break the format. */
  next(): boolean
}

// The reader has checked the lengths before.
function takeBytes(cursor: VarintCursor): Buffer | null {
  const length = cursor.varint()
  if (length < 0) return null
  const start = cursor.at
  cursor.at += length
  return cursor.bytes.subarray(start, cursor.at)
}

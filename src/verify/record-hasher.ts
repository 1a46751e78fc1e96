// Turns a record in its bytes into a row of digests: of the whole, and of its parts to tell what was changed.

import { highHalf, lowHalf } from '../batches/int64.ts'
import { murmur64 } from '../batches/murmur.ts'
import { tailBytes, writeTail } from '../batches/record-tail.ts'
import { RecordView } from '../batches/record-view.ts'
import { VarintCursor } from '../batches/varint-cursor.ts'
import { type ColumnBuilder, flags, type RecordRow } from './record-columns.ts'

// Places in the words that the whole is hashed from: two for each part, and two for the time.
const keyAt = 0
const valueAt = 2
const headersAt = 4
const timeAt = 6
const wordCount = 8

export class RecordHasher {
  /** Keys, values and headers, inflated. */
  bytes = 0
  readonly #builder: ColumnBuilder
  readonly #hasTimes: boolean
  readonly #words = new Uint32Array(wordCount)
  readonly #wordView = new DataView(this.#words.buffer)
  readonly #whole = new Uint32Array(2)
  // One object for all records: the builder copies out of it.
  readonly #row: RecordRow = {
    offset: 0,
    identity: 0,
    key: 0,
    value: 0,
    headers: 0,
    time: 0,
    flags: 0
  }
  #buffer: Buffer | undefined
  #view: DataView = new DataView(new ArrayBuffer(0))

  /** `hasTimes`: the timestamp counts for the record's identity. */
  constructor(builder: ColumnBuilder, hasTimes: boolean) {
    this.#builder = builder
    this.#hasTimes = hasTimes
  }

  add(record: RecordView, hasAppendTime: boolean): void {
    const [row, words] = [this.#row, this.#words]
    const { timestamp } = record
    const view = this.#viewOf(record.bytes)
    this.#hashField(view, record.keyStart, record.keyEnd, keyAt)
    this.#hashField(view, record.valueStart, record.valueEnd, valueAt)
    this.#hashHeaders(view, record)
    words[timeAt] = this.#hasTimes ? lowHalf(timestamp) : 0
    words[timeAt + 1] = this.#hasTimes ? highHalf(timestamp) : 0
    murmur64(this.#wordView, 0, this.#wordView.byteLength, 0, 0, this.#whole, 0)
    row.offset = record.offset
    // 53 bits are exact in a number.
    row.identity = ((this.#whole[1] as number) >>> 11) * 0x1_0000_0000 + (this.#whole[0] as number)
    row.key = words[keyAt] as number
    row.value = words[valueAt] as number
    row.headers = words[headersAt] as number
    row.time = Number(timestamp)
    row.flags =
      (record.keyStart < 0 ? flags.nullKey : 0) |
      (record.valueStart < 0 ? flags.nullValue : 0) |
      (hasAppendTime ? flags.appendTime : 0)
    this.#builder.add(row)
  }

  #viewOf(bytes: Buffer): DataView {
    if (bytes !== this.#buffer) {
      this.#buffer = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    return this.#view
  }

  /** Null is another value than nothing between two places. */
  #hashField(view: DataView, from: number, to: number, at: number): void {
    if (from < 0) {
      murmur64(view, 0, 0, 1, 1, this.#words, at)
      return
    }
    murmur64(view, from, to, 0, 0, this.#words, at)
    this.bytes += to - from
  }

  #hashHeaders(view: DataView, record: RecordView): void {
    if (record.headerCount === 0) {
      murmur64(view, 0, 0, 0, 0, this.#words, headersAt)
      return
    }
    // Lengths that are written longer than they have to be make no other headers.
    const plain = record.tailStart < 0 ? rewritten(record) : record
    const bytes = plain === record ? view : this.#viewOf(plain.bytes)
    const { headersStart, headersEnd, headerCount } = plain
    murmur64(bytes, headersStart, headersEnd, headerCount, 0, this.#words, headersAt)
    this.bytes += headersEnd - headersStart
  }
}

function rewritten(record: RecordView): RecordView {
  const bytes = Buffer.alloc(tailBytes(record))
  writeTail(bytes, record, 0)
  const plain = new RecordView(bytes)
  const cursor = new VarintCursor(bytes, 0, bytes.length)
  for (let field = 0; field < 2; field++) {
    const length = cursor.varint()
    cursor.at += Math.max(0, length)
  }
  plain.headerCount = cursor.varint()
  plain.headersStart = cursor.at
  plain.headersEnd = bytes.length
  return plain
}

// Turns a record in its bytes into a row of digests.

import { highHalf, type Int64, lowHalf } from '../batches/int64.ts'
import { tailBytes, writeTail } from '../batches/record-tail.ts'
import { RecordView } from '../batches/record-view.ts'
import { VarintCursor } from '../batches/varint-cursor.ts'
import type { RecordTime } from './readable-records.ts'
import { type ColumnBuilder, flags, type RecordRow } from './record-columns.ts'
import { finish, type Hash, hashBytes, hashWord, numberOf, startHash } from './record-hash.ts'

const nullSeed = 101
const keySeed = 1
const valueSeed = 2
const headersSeed = 3
const recordSeed = 4

export class RecordHasher {
  /** Inflated, as keys, values and headers. */
  bytes = 0
  readonly #builder: ColumnBuilder
  readonly #hasTimes: boolean
  readonly #part: Hash = { low: 0, high: 0 }
  readonly #whole: Hash = { low: 0, high: 0 }
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

  constructor(builder: ColumnBuilder, hasTimes: boolean) {
    this.#builder = builder
    this.#hasTimes = hasTimes
  }

  add(record: RecordView, { timestamp, isAppendTime }: RecordTime): void {
    const row = this.#row
    startHash(this.#whole, recordSeed)
    row.offset = record.offset
    const view = this.#viewOf(record.bytes)
    row.key = this.#field(view, record.keyStart, record.keyEnd, keySeed)
    row.value = this.#field(view, record.valueStart, record.valueEnd, valueSeed)
    row.headers = this.#headers(view, record)
    row.time = timeOf(timestamp)
    if (this.#hasTimes) {
      hashWord(this.#whole, highHalf(timestamp))
      hashWord(this.#whole, lowHalf(timestamp))
    }
    finish(this.#whole)
    row.identity = numberOf(this.#whole)
    row.flags =
      (record.keyStart < 0 ? flags.nullKey : 0) |
      (record.valueStart < 0 ? flags.nullValue : 0) |
      (isAppendTime ? flags.appendTime : 0)
    this.#builder.add(row)
  }

  #viewOf(bytes: Buffer): DataView {
    if (bytes !== this.#buffer) {
      this.#buffer = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    return this.#view
  }

  #field(view: DataView, from: number, to: number, seed: number): number {
    startHash(this.#part, from < 0 ? seed + nullSeed : seed)
    if (from >= 0) {
      hashBytes(this.#part, view, from, to)
      this.bytes += to - from
    }
    return this.#addPart()
  }

  #headers(view: DataView, record: RecordView): number {
    startHash(this.#part, headersSeed)
    hashWord(this.#part, record.headerCount)
    if (record.headerCount > 0) {
      // Lengths that are longer than they have to be are the same headers.
      const plain = record.tailStart < 0 ? rewritten(record) : record
      const bytes = plain === record ? view : this.#viewOf(plain.bytes)
      hashBytes(this.#part, bytes, plain.headersStart, plain.headersEnd)
      this.bytes += plain.headersEnd - plain.headersStart
    }
    return this.#addPart()
  }

  #addPart(): number {
    finish(this.#part)
    hashWord(this.#whole, this.#part.low)
    hashWord(this.#whole, this.#part.high)
    return this.#part.low >>> 0
  }
}

function rewritten(record: RecordView): RecordView {
  const bytes = Buffer.alloc(tailBytes(record))
  writeTail(bytes, record, 0)
  const plain = new RecordView(bytes)
  const cursor = new VarintCursor(bytes, 0, bytes.length)
  for (let field = 0; field < 2; field++) cursor.at += Math.max(0, cursor.varint())
  plain.headerCount = cursor.varint()
  plain.headersStart = cursor.at
  plain.headersEnd = bytes.length
  return plain
}

// Only to be shown and compared roughly: what is exact goes into the identity.
function timeOf(timestamp: Int64): number {
  return Number(timestamp)
}

// Owns what is compared when source and target are: 64 bits for each record, of its key, value, headers and time.

import { type ChunkOptions, ChunkRecords } from './chunk-records.ts'
import { highHalf, lowHalf } from './int64.ts'
import { murmur64 } from './murmur.ts'
import { tailBytes, writeTail } from './record-tail.ts'
import type { RecordView } from './record-view.ts'

export interface DigestOptions extends ChunkOptions {
  /** Off where the two sides keep different times: one of them has append time. */
  withTimestamps?: boolean
}

export interface ChunkDigest {
  count: number
  /** Of each record. */
  offsets: Float64Array<ArrayBuffer>
  /** Two words a record; the same record gives the same whatever format, codec and batch it is in. */
  words: Uint32Array<ArrayBuffer>
  /** Where to read on. */
  nextOffset: number
  controlBatches: number
  abortedBatches: number
}

/** Throws a BatchFault where the bytes are damaged. */
export function digestChunk(
  bytes: Uint8Array<ArrayBufferLike> | ArrayBuffer,
  { withTimestamps = true, ...options }: DigestOptions = {}
): ChunkDigest {
  const records = new ChunkRecords(bytes, options)
  const digester = new RecordDigester(withTimestamps)
  let offsets = new Float64Array(1_024)
  let words = new Uint32Array(2_048)
  let count = 0
  for (; records.next(); count++) {
    if (count === offsets.length) {
      offsets = grow(offsets, new Float64Array(2 * count))
      words = grow(words, new Uint32Array(4 * count))
    }
    offsets[count] = records.record.offset
    digester.digest(records.record, words, 2 * count)
  }
  return {
    count,
    offsets: offsets.slice(0, count),
    words: words.slice(0, 2 * count),
    nextOffset: records.nextOffset,
    controlBatches: records.controlBatches,
    abortedBatches: records.abortedBatches
  }
}

/** Digests records one after the other; cheap while they share their bytes. */
export class RecordDigester {
  readonly #withTimestamps: boolean
  #bytes: Buffer | undefined
  #view: DataView = new DataView(new ArrayBuffer(0))

  constructor(withTimestamps = true) {
    this.#withTimestamps = withTimestamps
  }

  /** Writes two words. */
  digest(record: RecordView, words: Uint32Array, at: number): void {
    const low = this.#withTimestamps ? lowHalf(record.timestamp) : 0
    const high = this.#withTimestamps ? highHalf(record.timestamp) : 0
    if (record.tailStart < 0) {
      const tail = Buffer.allocUnsafe(tailBytes(record))
      writeTail(tail, record, 0)
      murmur64(viewOf(tail), 0, tail.length, low, high, words, at)
      return
    }
    if (this.#bytes !== record.bytes) {
      this.#bytes = record.bytes
      this.#view = viewOf(record.bytes)
    }
    murmur64(this.#view, record.tailStart, record.headersEnd, low, high, words, at)
  }
}

/** One digest for any number of records in their order; how they were cut into chunks does not matter. */
export class RunDigest {
  #low = 0
  #high = 0
  count = 0

  add(words: Uint32Array): void {
    for (let at = 0; at < words.length; at += 2) {
      this.#low = mix(this.#low ^ (words[at] as number), this.#high)
      this.#high = mix(this.#high ^ (words[at + 1] as number), this.#low)
      this.count++
    }
  }

  toString(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0')
    return `${hex(this.#high)}${hex(this.#low)}`
  }
}

function mix(word: number, other: number): number {
  const product = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d)
  return (Math.imul(product ^ (product >>> 12), 0x297a2d39) + other) | 0
}

function grow<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from)
  return to
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

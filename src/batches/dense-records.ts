// Gathers records as format 2 writes them, with offsets that follow one another, and knows where each came from.

import { malformed } from './batch-fault.ts'
import { headerBytes, writeHeader } from './batch-header.ts'
import type { Codec } from './codec.ts'
import { compress } from './compression.ts'
import { type Int64, subtractInt64 } from './int64.ts'
import { OffsetRuns } from './offset-runs.ts'
import { BatchRecords } from './record-batch.ts'
import { bodyBytes, type RecordBody, tailBytes, writeBody, writeTail } from './record-tail.ts'
import type { RecordView } from './record-view.ts'
import { maxVarintBytes, varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts'

// Copying fewer bytes one by one is faster than a call: trial of records of 30 to 120 bytes.
const bytesWorthACall = 48

// Small enough to stay in the processor's nearest cache until its records are written over it.
const aheadBytes = 8_192

export class DenseRecords {
  readonly runs = new OffsetRuns()
  readonly #maxBytes: number
  // Room for the header first: an uncompressed batch is finished in place.
  #bytes: Buffer
  #end = headerBytes
  #count = 0
  #baseTimestamp: Int64 = -1
  #maxTimestamp: Int64 = -1
  // How far the last tail lies from where it came from, and up to where what follows it there was copied with it.
  #shift = Number.NaN
  #copied: Buffer | undefined
  #copiedTo = 0

  /** `expectedBytes`: what the records take about; `maxBytes`: what they may take at most. */
  constructor(expectedBytes: number, maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#bytes = Buffer.allocUnsafeSlow(headerBytes + expectedBytes)
  }

  get count(): number {
    return this.#count
  }

  get byteLength(): number {
    return this.#end - headerBytes
  }

  get maxTimestamp(): Int64 {
    return this.#maxTimestamp
  }

  add(record: RecordView, offset: number, timestamp: Int64): void {
    const { tailStart, headersEnd } = record
    const tail = tailStart < 0 ? tailBytes(record) : headersEnd - tailStart
    const at = this.#begin(record.attributes, tail, timestamp)
    this.#end = tailStart < 0 ? writeTail(this.#bytes, record, at) : this.#copyTail(record, at)
    this.#count++
    this.runs.add(offset)
  }

  /** One that was made of the record at this offset. */
  addMade(body: RecordBody, offset: number, timestamp: Int64): void {
    const at = this.#begin(body.attributes, bodyBytes(body), timestamp)
    this.#end = writeBody(this.#bytes, body, at)
    // What was copied ahead lies below it.
    this.#shift = Number.NaN
    this.#count++
    this.runs.add(offset)
  }

  /**
   * One batch of all records. What comes may share memory with these records, to which nothing can be added
   * then.
   */
  seal(codec: Codec, level?: number): Buffer {
    const batch = codec === 'none' ? this.#bytes.subarray(0, this.#end) : this.#pack(codec, level)
    writeHeader(batch, {
      codec,
      recordCount: this.#count,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp
    })
    return batch
  }

  /**
   * The same records in about as many parts as wanted, of about the same size; in two at least, unless all were made of
   * one record of the source: those stay together, since a checkpoint stands between such records only.
   */
  split(parts: number): DenseRecords[] {
    const partBytes = Math.ceil(this.byteLength / Math.min(parts, this.#count))
    const source = this.#reopen()
    const offsets = this.runs.offsets()
    const last = this.runs.last
    const split: DenseRecords[] = []
    let part: DenseRecords | undefined
    while (source.next()) {
      const offset = offsets.next().value as number
      const isFull = part !== undefined && part.byteLength >= partBytes
      const isLastChance = split.length === 1 && offset === last
      if (part === undefined || ((isFull || isLastChance) && offset !== part.runs.last)) {
        part = new DenseRecords(partBytes + maxVarintBytes, this.#maxBytes)
        split.push(part)
      }
      part.add(source.record, offset, source.record.timestamp)
    }
    return split
  }

  // The index of each record is its offset here.
  #reopen(): BatchRecords {
    const header = {
      baseOffset: 0,
      lastOffsetDelta: this.#count - 1,
      baseTimestamp: this.#baseTimestamp,
      recordCount: this.#count
    }
    return new BatchRecords(header, this.#bytes.subarray(headerBytes, this.#end))
  }

  #pack(codec: Codec, level: number | undefined): Buffer {
    const packed = compress(codec, this.#bytes.subarray(headerBytes, this.#end), level)
    const batch = Buffer.allocUnsafeSlow(headerBytes + packed.length)
    packed.copy(batch, headerBytes)
    return batch
  }

  // length varint, attributes i8, timestampDelta varlong, offsetDelta varint, then the tail, for which it makes room.
  #begin(attributes: number, tail: number, timestamp: Int64): number {
    if (this.#count === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const timestampDelta = subtractInt64(timestamp, this.#baseTimestamp)
    const length = 1 + varlongBytes(timestampDelta) + varintBytes(this.#count) + tail
    this.#reserve(maxVarintBytes + length)
    const bytes = this.#bytes
    let at = writeVarint(bytes, length, this.#end)
    bytes[at++] = attributes
    at = writeVarlong(bytes, timestampDelta, at)
    return writeVarint(bytes, this.#count, at)
  }

  // Records whose numbers take as many bytes as before lie as far from one another as on the source: one copy brings
  // the tails of many, and only the numbers between them are written anew.
  #copyTail({ bytes, tailStart, headersEnd }: RecordView, at: number): number {
    const end = at + headersEnd - tailStart
    const isSameShift = at - tailStart === this.#shift && bytes === this.#copied
    if (isSameShift && headersEnd <= this.#copiedTo) return end
    const sourceEnd = isSameShift ? Math.max(headersEnd, tailStart + aheadBytes) : headersEnd
    this.#shift = at - tailStart
    this.#copied = bytes
    this.#copiedTo = copy(bytes, tailStart, sourceEnd, this.#bytes, at)
    return end
  }

  #reserve(more: number): void {
    const needed = this.#end + more
    if (needed <= this.#bytes.length) return
    if (needed > this.#maxBytes + headerBytes) {
      throw malformed(`they are over ${this.#maxBytes} bytes when written anew`)
    }
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.ceil(this.#bytes.length * 1.5)))
    this.#bytes.copy(grown, 0, 0, this.#end)
    this.#bytes = grown
    this.#copiedTo = 0
  }
}

/** Copies what both have room for; returns where it ended in `from`. */
function copy(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  const length = end - start
  if (length > bytesWorthACall) return start + from.copy(to, at, start, end)
  for (let place = 0; place < length; place++) to[at + place] = from[start + place] as number
  return end
}

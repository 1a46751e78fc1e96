// The batches of one fetched answer, not opened: stepped over one by one, those without a record for a reader unseen.

import { type AbortedTransaction, AbortedTransactions } from '../batches/aborted-transactions.ts'
import { BatchFault } from '../batches/batch-fault.ts'
import { type BatchHeader, headerBytes, readHeader } from '../batches/batch-header.ts'
import { defaultLimits } from '../batches/compression.ts'
import { isAbortMarker } from '../batches/control-marker.ts'
import type { Int64 } from '../batches/int64.ts'
import { openBatch } from '../batches/record-batch.ts'

export interface ClosedBatch {
  bytes: Buffer
  /** Undefined: of an older format, or nothing that can be understood. */
  header: BatchHeader | undefined
  records: number
  /** All of its records are within the range that is wanted. */
  isWithin: boolean
}

/** Whole batches, and which of their records are wanted. */
export interface OpenableBatches {
  bytes: ArrayBuffer
  aborted: readonly AbortedTransaction[]
  from: number
  end: number
}

export class BatchRun {
  readonly #bytes: Buffer<ArrayBuffer>
  readonly #from: number
  readonly #end: number
  readonly #aborted: AbortedTransactions
  #at = 0
  #front: ClosedBatch | undefined

  constructor({ bytes, aborted, from, end }: OpenableBatches) {
    this.#bytes = Buffer.from(bytes)
    this.#from = from
    this.#end = end
    this.#aborted = new AbortedTransactions(aborted)
    this.#settle()
  }

  /** Undefined behind the last. */
  get front(): ClosedBatch | undefined {
    return this.#front
  }

  pass(): void {
    if (!this.#front) return
    this.#at += this.#front.bytes.length
    this.#settle()
  }

  /** The batches at the front that hold so many records together; they are passed over. */
  take(records: number): OpenableBatches {
    const start = this.#at
    const aborted = this.#aborted.left()
    for (let taken = 0; this.#front && taken < records; this.pass()) taken += this.#front.records
    const isAll = start === 0 && this.#front === undefined
    const bytes = isAll ? this.#bytes.buffer : this.#bytes.buffer.slice(start, this.#at)
    return { bytes, aborted, from: this.#from, end: this.#end }
  }

  #settle(): void {
    for (;;) {
      this.#front = this.#read()
      if (!this.#front || !this.#isIdle(this.#front)) return
      this.#at += this.#front.bytes.length
    }
  }

  #read(): ClosedBatch | undefined {
    if (this.#at === this.#bytes.length) return undefined
    // In all formats the size of what follows stands behind the offset.
    const size = this.#bytes.readInt32BE(this.#at + 8) + 12
    const bytes = this.#bytes.subarray(this.#at, this.#at + size)
    const header = headerOf(bytes)
    if (!header) return { bytes, header, records: 1, isWithin: false }
    const isWithin =
      header.baseOffset >= this.#from && header.baseOffset + header.lastOffsetDelta < this.#end
    return { bytes, header, records: header.recordCount, isWithin }
  }

  /** Nothing of it is a record that a reader is to see. Markers are heard, as they end transactions. */
  #isIdle({ bytes, header }: ClosedBatch): boolean {
    if (!header) return false
    const lastOffset = header.baseOffset + header.lastOffsetDelta
    if (header.isControl) return this.#hearMarker(bytes, header.producerId, lastOffset)
    if (header.isTransactional && this.#aborted.has(header.producerId, lastOffset)) return true
    return header.recordCount === 0 || lastOffset < this.#from || header.baseOffset >= this.#end
  }

  #hearMarker(bytes: Buffer, producerId: Int64, lastOffset: number): boolean {
    try {
      const records = openBatch(bytes, defaultLimits)
      if (isAbortMarker(records)) this.#aborted.end(producerId, lastOffset)
      return true
    } catch (error) {
      if (!(error instanceof BatchFault)) throw error
      // Whoever opens it says what is wrong.
      return false
    }
  }
}

function headerOf(bytes: Buffer): BatchHeader | undefined {
  if (bytes.length < headerBytes || bytes[16] !== 2) return undefined
  try {
    return readHeader(bytes)
  } catch (error) {
    if (!(error instanceof BatchFault)) throw error
    return undefined
  }
}

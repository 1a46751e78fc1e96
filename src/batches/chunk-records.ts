// Reads the records of a piece of log, batch by batch in any format, as a consumer would see them.

import { type AbortedTransaction, AbortedTransactions } from './aborted-transactions.ts'
import { malformed } from './batch-fault.ts'
import { type BatchHeader, readHeader } from './batch-header.ts'
import { defaultLimits, type Limits } from './compression.ts'
import { isAbortMarker } from './control-marker.ts'
import { MessageRecords } from './message-set.ts'
import { type BatchRecords, openBatch } from './record-batch.ts'
import type { RecordSource, RecordView } from './record-view.ts'

export interface ChunkOptions {
  /** Records below this offset are left out. */
  fromOffset?: number
  /** So are those from this one on. */
  endOffset?: number
  /** Transactions to leave out; none for read_uncommitted. */
  aborted?: readonly AbortedTransaction[]
  limits?: Limits
}

/**
 * Control batches and aborted transactions are passed over, but their offsets count. Where a batch has append
 * time that is the time of its records. Checks the CRC of all that it opens.
 */
export class ChunkRecords implements RecordSource {
  /** Another one with each batch. */
  record!: RecordView
  /** Offset behind the last batch begun: where to read on once there are no more records. */
  nextOffset: number
  controlBatches = 0
  abortedBatches = 0
  readonly #bytes: Buffer
  readonly #fromOffset: number
  readonly #endOffset: number
  readonly #limits: Limits
  readonly #aborted: AbortedTransactions
  #at = 0
  #source: RecordSource | undefined
  #header: BatchHeader | undefined

  constructor(bytes: Uint8Array<ArrayBufferLike> | ArrayBuffer, options: ChunkOptions = {}) {
    this.#bytes =
      bytes instanceof ArrayBuffer
        ? Buffer.from(bytes)
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#fromOffset = options.fromOffset ?? 0
    this.#endOffset = options.endOffset ?? Number.MAX_SAFE_INTEGER
    this.nextOffset = this.#fromOffset
    this.#limits = options.limits ?? defaultLimits
    this.#aborted = new AbortedTransactions(options.aborted ?? [])
  }

  next(): boolean {
    for (;;) {
      if (this.#source === undefined && !this.#open()) return false
      if (!this.#step(this.#source as RecordSource)) this.#source = undefined
      else if (this.#isWanted(this.record.offset)) return true
    }
  }

  /** Whether the time of the record it stands on is that of its append. */
  get hasAppendTime(): boolean {
    const source = this.#source
    if (source instanceof MessageRecords) return source.hasAppendTime
    return this.#header?.isAppendTime ?? false
  }

  #isWanted(offset: number): boolean {
    return offset >= this.#fromOffset && offset < this.#endOffset
  }

  #step(source: RecordSource): boolean {
    if (!source.next()) return false
    const header = this.#header
    if (header === undefined) this.nextOffset = Math.max(this.nextOffset, source.record.offset + 1)
    else if (header.isAppendTime) source.record.timestamp = header.maxTimestamp
    return true
  }

  /** Begins the next batch that has something to say; false behind the last. */
  #open(): boolean {
    while (this.#at < this.#bytes.length) {
      const batch = this.#take()
      this.#source =
        (batch[magicAt] as number) < 2 ? this.#openMessage(batch) : this.#openBatch(batch)
      if (this.#source === undefined) continue
      this.record = this.#source.record
      return true
    }
    return false
  }

  #openMessage(message: Buffer): MessageRecords {
    this.#header = undefined
    return new MessageRecords(message, { limits: this.#limits, keepsAppendTime: true })
  }

  #openBatch(batch: Buffer): BatchRecords | undefined {
    const header = readHeader(batch)
    const lastOffset = header.baseOffset + header.lastOffsetDelta
    this.#header = header
    this.nextOffset = Math.max(this.nextOffset, lastOffset + 1)
    if (header.isControl) {
      this.controlBatches++
      const records = openBatch(batch, this.#limits)
      if (isAbortMarker(records)) this.#aborted.end(header.producerId, lastOffset)
      return undefined
    }
    if (header.isTransactional && this.#aborted.has(header.producerId, lastOffset)) {
      this.abortedBatches++
      return undefined
    }
    return lastOffset < this.#fromOffset ? undefined : openBatch(batch, this.#limits)
  }

  // In all formats: offset i64, size i32 of what follows, and the magic at the same place.
  #take(): Buffer {
    const left = this.#bytes.length - this.#at
    const size = left < smallestBytes ? -1 : this.#bytes.readInt32BE(this.#at + 8)
    if (size < smallestBytes - 12 || size > left - 12) {
      throw malformed(`a batch claims ${size} of ${left} bytes at ${this.#at}`)
    }
    const start = this.#at
    this.#at += 12 + size
    return this.#bytes.subarray(start, this.#at)
  }
}

const magicAt = 16
const smallestBytes = 18

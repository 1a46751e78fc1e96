// The records of one partition between two offsets, read ahead a little and never held as a whole.

import { KafkaError } from '../errors.ts'
import type { PartitionBatches, TopicPartition } from '../native/index.ts'
import type { BatchReader, Position } from './batch-reader.ts'
import { BatchRun, type ClosedBatch, type OpenableBatches } from './batch-run.ts'
import { ClosedBatches } from './closed-batches.ts'
import type { DigestPool } from './digest-pool.ts'
import type { DigestedChunk } from './digest-worker.ts'
import { flags } from './record-columns.ts'
import { RecordQueue } from './record-queue.ts'
import { RangeGone, UnreadableRecords } from './unreadable.ts'

export interface StreamSource {
  reader: Pick<BatchReader, 'read' | 'side'>
  pool: Pick<DigestPool, 'digest'>
  /** Most bytes of one read. */
  chunkBytes: () => number
  /** Answers that are fetched or opened while the first is compared. */
  chunksAhead: number
  /** Hears what has been read: records, and their bytes inflated. */
  note: (records: number, bytes: number) => void
  /** Hears of records that were passed over unopened. */
  notePassed: (records: number) => void
}

export interface StreamRange extends TopicPartition {
  from: number
  /** Behind the last record. */
  end: number
  hasTimes: boolean
  /** Batches stay closed until their records are asked for: they may be passed over as they are. */
  keepsClosed?: boolean
}

/** Rows that are enough for a stream to stop reading ahead. */
const rowsAhead = 16_384
/** Rows that one answer should not exceed by much. */
const mostRows = 65_536
const leastShare = 1 / 64

export class RecordStream {
  readonly queue = new RecordQueue()
  readonly range: StreamRange
  readonly #source: StreamSource
  /** Fetched; behind those that are being opened. */
  readonly #closed = new ClosedBatches()
  /** Fetched and being opened, in order. */
  #pending: Promise<DigestedChunk>[] = []
  /** The offset to fetch next. */
  #next: number
  #fetching: Promise<void> | undefined
  #isFetched = false
  #failure: unknown
  #turn = 0
  #filling: Promise<void> | undefined
  /** Share of the bytes granted that it asks for: tiny records need more memory compared than fetched. */
  #share = 1

  constructor(source: StreamSource, range: StreamRange) {
    this.#source = source
    this.range = range
    this.#next = range.from
    this.#isFetched = range.from >= range.end
  }

  get end(): number {
    return this.range.end
  }

  /** Everything that there is, is in the queue. */
  get isEnded(): boolean {
    return this.#isFetched && this.#isEmpty
  }

  get #isEmpty(): boolean {
    return this.#pending.length === 0 && this.#closed.length === 0
  }

  /** Whether the first record has the time of its append. */
  async beginsWithAppendTime(): Promise<boolean> {
    await this.reach()
    const header = this.front?.header
    if (header) return header.isAppendTime
    await this.fill(1)
    return ((this.queue.first()?.flags ?? 0) & flags.appendTime) !== 0
  }

  /** The next batch, while it and all before it are closed. */
  get front(): ClosedBatch | undefined {
    return this.#pending.length === 0 && this.queue.length === 0 ? this.#closed.front : undefined
  }

  /** Waits until there is a front; there is none at the end, and while records wait. */
  async reach(): Promise<void> {
    while (this.#isEmpty && this.queue.length === 0 && !this.isEnded) await this.#fetchFirst()
  }

  /** The front is the same on the other side. */
  pass(): void {
    this.#source.notePassed(this.front?.records ?? 0)
    this.#closed.pass()
    this.#fetchAhead()
  }

  /** Waits until the queue holds so many records, or all that there are. */
  async fill(count: number): Promise<void> {
    while (this.queue.length < count && !this.isEnded) {
      this.#filling ??= this.#fillOnce(count - this.queue.length).finally(() => {
        this.#filling = undefined
      })
      await this.#filling
    }
  }

  /** Begins anew at an offset. */
  seek(offset: number): void {
    this.#turn++
    this.queue.clear()
    this.#pending = []
    this.#closed.clear()
    this.#fetching = undefined
    this.#failure = undefined
    this.#next = offset
    this.#isFetched = offset >= this.range.end
  }

  async #fetchFirst(): Promise<void> {
    this.#fetchAhead()
    if (this.#isEmpty) await this.#fetching
    if (this.#failure !== undefined) throw this.#failure
  }

  async #fillOnce(records: number): Promise<void> {
    const turn = this.#turn
    await this.#fetchFirst()
    if (this.#pending.length === 0) this.#openClosed(records)
    const first = this.#pending[0]
    if (!first) return
    const { columns, bytes, fault } = await first
    if (turn !== this.#turn) return
    this.#pending.shift()
    const { reader } = this.#source
    if (fault !== undefined)
      throw new UnreadableRecords(reader.side, this.range, columns.offsets.at(-1), fault)
    this.queue.push(columns)
    this.#source.note(columns.count, bytes)
    this.#adapt(columns.count)
    if (this.#source.chunksAhead > 0) this.#fetchAhead()
  }

  /** All that is fetched where batches are not tried closed any more; otherwise out of one answer. */
  #openClosed(records: number): void {
    for (let next = this.#closed.take(records); next; next = this.#closed.take(records)) {
      this.#open(next)
      if (!this.#closed.isOpen) return
    }
  }

  #open(batches: OpenableBatches): void {
    const opened = this.#source.pool.digest({ ...batches, hasTimes: this.range.hasTimes })
    opened.catch(() => undefined)
    this.#pending.push(opened)
  }

  #adapt(records: number): void {
    if (records > mostRows) this.#share = Math.max(leastShare, this.#share / 2)
    else if (records < mostRows / 4) this.#share = Math.min(1, this.#share * 2)
  }

  #fetchAhead(): void {
    const ahead = this.#pending.length + this.#closed.length
    const isEnough = ahead >= this.#source.chunksAhead || this.queue.length >= rowsAhead
    const isNeeded = ahead === 0
    if (this.#fetching || this.#isFetched || (isEnough && !isNeeded)) return
    const turn = this.#turn
    const fetching = this.#fetch(turn)
      .catch(error => {
        if (turn === this.#turn) this.#failure = error
      })
      .finally(() => {
        if (this.#fetching !== fetching) return
        this.#fetching = undefined
        if (this.#failure === undefined) this.#fetchAhead()
      })
    this.#fetching = fetching
  }

  async #fetch(turn: number): Promise<void> {
    const { topic, partition, end } = this.range
    const offset = this.#next
    const { reader, chunkBytes } = this.#source
    const found = await readRange(
      reader,
      { topic, partition, offset },
      Math.ceil(chunkBytes() * this.#share)
    )
    if (turn !== this.#turn) return
    if (found.logStartOffset > offset) throw new RangeGone(this.range, offset)
    const next = nextOffset(found)
    // The log may end in offsets without records that were compacted away.
    if (next === undefined || next >= end) this.#isFetched = true
    if (next === undefined) return
    this.#next = Math.max(next, offset + 1)
    const { bytes, aborted } = found
    const batches = { bytes, aborted, from: offset, end }
    if (!this.range.keepsClosed) return this.#open(batches)
    this.#closed.push(new BatchRun(batches))
    if (this.#closed.isOpen) this.#openClosed(0)
  }
}

const offsetOutOfRange = 1

async function readRange(
  reader: StreamSource['reader'],
  position: Position,
  bytes: number
): Promise<PartitionBatches> {
  try {
    return await reader.read(position, bytes)
  } catch (error) {
    if (error instanceof KafkaError && error.kafkaCode === offsetOutOfRange) {
      throw new RangeGone(position, position.offset)
    }
    throw error
  }
}

/** Behind the last batch; undefined where there is none. */
function nextOffset({ bytes }: PartitionBatches): number | undefined {
  const view = new DataView(bytes)
  let last: number | undefined
  for (let at = 0; at + headBytes <= bytes.byteLength; at += view.getInt32(at + 8) + 12) {
    const base = Number(view.getBigInt64(at))
    // Formats before 2 carry the offset of the last message of a set.
    last = view.getInt8(at + 16) === 2 ? base + view.getInt32(at + 23) : base
  }
  return last === undefined ? undefined : last + 1
}

// Up to lastOffsetDelta i32 @23, which only format 2 has; messages of the others may be shorter.
const headBytes = 17

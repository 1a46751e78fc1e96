// Decides what becomes of a batch whose records handlers see. Pure but for the handlers, and run in worker threads.

import { BatchFault } from '../batches/batch-fault.ts'
import { headerBytes, readHeader } from '../batches/batch-header.ts'
import { defaultLimits } from '../batches/compression.ts'
import { DenseRecords } from '../batches/dense-records.ts'
import { BatchRecords } from '../batches/record-batch.ts'
import {
  codecFor,
  mostGrowth,
  type Opened,
  openTask,
  type ResealedBatch,
  type ResealTask,
  sealWithin
} from '../batches/reseal.ts'
import { type Chain, HandlerFailure, type Place } from './chain.ts'
import { HandledRecord } from './handled-record.ts'

/** What becomes of a record on which a handler fails. */
export type ErrorPolicy = 'fail' | 'skip'

export interface TransformTask extends ResealTask {
  /** Which of the worker's chains. */
  chain: number
  place: Place
  targetTopic: string
  targetPartition: number
  onError: ErrorPolicy
  /** Set where handlers are not to be asked again: why all records of the batch count as failed. */
  failing?: string
}

/** Records that were left out since a handler failed on them. */
export interface RecordErrors {
  count: number
  /** Of the first of them. */
  offset: number
  handler: string
  message: string
}

/**
 * `unchanged`: the batch may pass as it came. Otherwise as in a ResealResult: no batches where handlers left nothing,
 * and a failure is about the batch as a whole.
 */
export type TransformResult =
  | { unchanged: true }
  | { batches: ResealedBatch[]; skipped: number; errors?: RecordErrors }
  | { failure: BatchFault['reason'] | 'handler-failed'; detail: string }

export function transformBatch(task: TransformTask, chain: Chain): TransformResult {
  try {
    return new Transform(task, chain).run()
  } catch (error) {
    if (error instanceof BatchFault) return { failure: error.reason, detail: error.message }
    if (error instanceof RecordFailure) return { failure: 'handler-failed', detail: error.message }
    throw error
  }
}

/** A handler failed on a record, and that is the end of it. */
class RecordFailure extends Error {}

class Transform {
  readonly #task: TransformTask
  readonly #chain: Chain
  readonly #opened: Opened
  /** Undefined for as long as the batch may pass as it came. */
  #written: DenseRecords | undefined
  #skipped = 0
  /** Records that were passed on as they are. */
  #kept = 0
  #errors: RecordErrors | undefined

  constructor(task: TransformTask, chain: Chain) {
    this.#task = task
    this.#chain = chain
    this.#opened = openTask(task, defaultLimits)
    if (!mayPass(task)) this.#written = this.#begin()
  }

  run(): TransformResult {
    if (this.#task.failing !== undefined) this.#written ??= this.#begin()
    if (this.#chain.isOfBatches) this.#handleAll()
    else this.#handleEach()
    const { source, codec } = this.#opened
    if (source instanceof BatchRecords && !source.hasTrueDeltas) this.#rewrite()
    const errors = this.#errors && { errors: this.#errors }
    if (this.#written === undefined) return { unchanged: true }
    const isEmpty = this.#written.count === 0
    const task = this.#task
    const batches = isEmpty ? [] : sealWithin(this.#written, codecFor(codec, task), task)
    return { batches, skipped: this.#skipped, ...errors }
  }

  #handleEach(): void {
    const { source } = this.#opened
    const { fromOffset, targetTopic, targetPartition } = this.#task
    const { record } = source
    const handled = new HandledRecord(record, targetTopic, targetPartition)
    while (source.next()) {
      if (record.offset < fromOffset) continue
      const results = this.#handle(handled.renewed(targetTopic, targetPartition))
      const isKept = results.length === 1 && results[0] === handled && this.#isAsItCame(handled)
      if (isKept && this.#written === undefined) this.#kept++
      else for (const result of results) this.#write(result)
      if (results.length === 0) this.#rewrite()
    }
  }

  #handleAll(): void {
    const { source } = this.#opened
    const { fromOffset, targetTopic, targetPartition } = this.#task
    const records: HandledRecord[] = []
    while (source.next()) {
      if (source.record.offset < fromOffset) continue
      records.push(new HandledRecord(source.record.copy(), targetTopic, targetPartition))
    }
    const results = this.#handleTogether(records)
    const isKept =
      results.length === records.length &&
      results.every((result, at) => result === records[at] && this.#isAsItCame(result))
    if (isKept && this.#written === undefined) return
    this.#written ??= this.#begin()
    for (const result of results) this.#write(result)
  }

  #isAsItCame(record: HandledRecord): boolean {
    const { targetTopic, targetPartition } = this.#task
    const isAtHome = record.topic === targetTopic && record.partition === targetPartition
    return isAtHome && !record.isChanged
  }

  #handle(record: HandledRecord): readonly HandledRecord[] {
    try {
      this.#refuse()
      return this.#chain.handle(record, this.#task.place)
    } catch (error) {
      this.#fail(error, record.offset, 1)
      return []
    }
  }

  #handleTogether(records: readonly HandledRecord[]): readonly HandledRecord[] {
    try {
      this.#refuse()
      return this.#chain.handleAll(records, this.#task.place)
    } catch (error) {
      this.#fail(error, records[0]?.offset ?? -1, records.length)
      return []
    }
  }

  #refuse(): void {
    const { failing } = this.#task
    if (failing !== undefined) throw new HandlerFailure(this.#chain.name, failing)
  }

  #fail(error: unknown, offset: number, count: number): void {
    if (!(error instanceof HandlerFailure)) throw error
    const { handler, message } = error
    if (this.#task.onError === 'fail') {
      throw new RecordFailure(
        `handler ${handler} failed on the record at offset ${offset}: ${message}`
      )
    }
    if (this.#errors) this.#errors.count += count
    else this.#errors = { count, offset, handler, message }
  }

  #write(record: HandledRecord): void {
    const { targetTopic, targetPartition } = this.#task
    const isAtHome = record.topic === targetTopic && record.partition === targetPartition
    if (!isAtHome) {
      throw new RecordFailure(
        `the record at offset ${record.offset} is sent to ${record.topic}-${record.partition}: handlers cannot ` +
          'choose another topic or partition yet'
      )
    }
    this.#rewrite()
    if (this.#skipped < this.#task.skipRecords) {
      this.#skipped++
      return
    }
    const timestamp = record.newTimestamp ?? this.#opened.timestamp ?? record.view.timestamp
    const body = record.newBody()
    const written = this.#written as DenseRecords
    if (body === undefined) written.add(record.view, record.offset, timestamp)
    else written.addMade(body, record.offset, timestamp)
  }

  /** From here on the batch is written anew, with what was passed on until now. */
  #rewrite(): void {
    if (this.#written !== undefined) return
    const written = this.#begin()
    this.#written = written
    const source = (this.#opened.source as BatchRecords).again()
    while (this.#kept > 0 && source.next()) {
      written.add(source.record, source.record.offset, source.record.timestamp)
      this.#kept--
    }
  }

  #begin(): DenseRecords {
    const { bytes } = this.#opened.source.record
    return new DenseRecords(bytes.length + 64, defaultLimits.maxBytes * mostGrowth)
  }
}

/** Nothing but a handler stands against sending the batch as it came. */
function mayPass(task: TransformTask): boolean {
  const { bytes, fromOffset, skipRecords, appendTime, maxBytes, aimBytes = maxBytes } = task
  if (bytes.length < headerBytes || bytes[16] !== 2 || skipRecords > 0) return false
  const header = readHeader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  const isDense = header.recordCount === header.lastOffsetDelta + 1
  const keepsTimes = !header.isAppendTime || appendTime === 'as-is'
  const isTaken = header.codec !== 'zstd' || task.avoidsZstd !== true
  const isWhole = !header.isControl && header.baseOffset >= fromOffset
  return isDense && keepsTimes && isTaken && isWhole && bytes.length <= aimBytes
}

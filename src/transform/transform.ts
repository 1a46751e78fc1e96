// Decides what becomes of a batch whose records handlers see. Pure but for the handlers, and run in worker threads.

import { BatchFault } from '../batches/batch-fault.ts'
import { headerBytes, readHeader } from '../batches/batch-header.ts'
import { defaultLimits } from '../batches/compression.ts'
import { DenseRecords } from '../batches/dense-records.ts'
import { BatchRecords } from '../batches/record-batch.ts'
import type { RecordView } from '../batches/record-view.ts'
import {
  codecFor,
  mostGrowth,
  type Opened,
  openTask,
  type ResealedBatch,
  type ResealTask,
  sealWithin,
  TooLarge
} from '../batches/reseal.ts'
import { type Chain, HandlerFailure, type Place } from './chain.ts'
import { deadLetterOf, deadLetterTopic } from './dead-letter.ts'
import { Elsewhere, type ElsewhereBatch, type Passing, type SentElsewhere } from './elsewhere.ts'
import { HandledRecord } from './handled-record.ts'

/** What becomes of a record on which a handler fails. */
export type ErrorPolicy = 'fail' | 'skip' | 'dead-letter'

export interface TransformTask extends ResealTask {
  /** Which of the worker's chains. */
  chain: number
  place: Place
  targetTopic: string
  targetPartition: number
  /** Partitions of the target's topics, as far as known. */
  partitions: Readonly<Record<string, number>>
  onError: ErrorPolicy
  /** What other partitions have already of what handlers are going to send there. */
  passing?: readonly Passing[]
  /** What handlers leave as it came is written anew all the same where it has another codec than `codec`. */
  forcesCodec?: boolean
  /** Set where handlers are not to be asked again: why all records of the batch count as failed. */
  failing?: string
}

/** Records that were left out, or sent to the dead letters, since a handler failed on them. */
export interface RecordErrors {
  count: number
  /** Of the first of them. */
  offset: number
  handler: string
  message: string
}

/**
 * `unchanged`: the batch may pass as it came. Otherwise as in a ResealResult: no batches where handlers left nothing,
 * and a failure is about the batch as a whole. `elsewhere` is to be written before the batch counts as done. `needs`: it
 * is to be asked again, with the bytes that it gives back, when the partitions of these topics are known.
 */
export type TransformResult =
  | { unchanged: true }
  | {
      batches: ResealedBatch[]
      skipped: number
      elsewhere: ElsewhereBatch[]
      /** What was left out as asked. */
      passed: SentElsewhere[]
      errors?: RecordErrors
    }
  | { needs: string[]; bytes: Uint8Array<ArrayBuffer> }
  | { failure: BatchFault['reason'] | 'handler-failed'; detail: string }

export function transformBatch(task: TransformTask, chain: Chain): TransformResult {
  const tooLarge = new Map<number, string>()
  for (;;) {
    try {
      return new Transform(task, chain, tooLarge).run()
    } catch (error) {
      // Whether a record fits is known when it is compressed: it counts as failed then, and the rest is made once more.
      const isNews = error instanceof TooLarge && !tooLarge.has(error.offset)
      if (!isNews || task.onError === 'fail') return failureOf(error)
      tooLarge.set(error.offset, error.message)
    }
  }
}

function failureOf(error: unknown): TransformResult {
  if (error instanceof BatchFault) return { failure: error.reason, detail: error.message }
  if (error instanceof RecordFailure) return { failure: 'handler-failed', detail: error.message }
  throw error
}

/** A handler failed on a record, and that is the end of it. */
class RecordFailure extends Error {}

const mostBytes = defaultLimits.maxBytes * mostGrowth

class Transform {
  readonly #task: TransformTask
  readonly #chain: Chain
  readonly #opened: Opened
  readonly #elsewhere: Elsewhere
  /** Offsets of which something does not fit into a batch of the target, and why. */
  readonly #tooLarge: ReadonlyMap<number, string>
  /** Undefined for as long as the batch may pass as it came. */
  #written: DenseRecords | undefined
  #skipped = 0
  /** Records that were passed on as they are. */
  #kept = 0
  #errors: RecordErrors | undefined

  constructor(task: TransformTask, chain: Chain, tooLarge: ReadonlyMap<number, string>) {
    this.#task = task
    this.#tooLarge = tooLarge
    this.#chain = chain
    this.#opened = openTask(task, defaultLimits)
    this.#elsewhere = new Elsewhere(task.partitions, mostBytes, task.passing ?? [])
    if (!mayPass(task)) this.#written = this.#begin()
  }

  run(): TransformResult {
    if (this.#task.failing !== undefined) this.#written ??= this.#begin()
    if (this.#chain.isOfBatches) this.#handleAll()
    else this.#handleEach()
    const { source, codec } = this.#opened
    if (source instanceof BatchRecords && !source.hasTrueDeltas) this.#rewrite()
    const task = this.#task
    const needs = this.#elsewhere.unknown
    if (needs.length > 0) return { needs, bytes: task.bytes }
    if (this.#written === undefined) return { unchanged: true }
    const seal = (records: DenseRecords) => sealWithin(records, codecFor(codec, task), task)
    return {
      batches: this.#written.count === 0 ? [] : seal(this.#written),
      skipped: this.#skipped,
      elsewhere: this.#elsewhere.seal(seal),
      passed: this.#elsewhere.passed,
      ...(this.#errors && { errors: this.#errors })
    }
  }

  #handleEach(): void {
    const { source } = this.#opened
    const { fromOffset, targetTopic, targetPartition } = this.#task
    const { record } = source
    const handled = new HandledRecord(record, targetTopic, targetPartition)
    while (this.#next()) {
      if (record.offset < fromOffset) continue
      const results = this.#handle(handled.renewed(targetTopic, targetPartition))
      const isKept = this.#mayPass(results, handled)
      if (isKept) this.#kept++
      else for (const result of results) this.#write(result)
      if (results.length === 0) this.#rewrite()
    }
  }

  #handleAll(): void {
    const { source } = this.#opened
    const { fromOffset, targetTopic, targetPartition } = this.#task
    const records: HandledRecord[] = []
    while (this.#next()) {
      if (source.record.offset < fromOffset) continue
      records.push(new HandledRecord(source.record.copy(), targetTopic, targetPartition))
    }
    const results = this.#handleTogether(records)
    const isKept =
      results.length === records.length &&
      results.every((result, at) => result === records[at] && this.#isAsItCame(result))
    if (isKept && this.#written === undefined) {
      this.#kept = records.length
      return
    }
    this.#written ??= this.#begin()
    for (const result of results) this.#write(result)
  }

  /** Handlers see the time that readers of the source see. */
  #next(): boolean {
    const { source, timestamp } = this.#opened
    if (!source.next()) return false
    if (timestamp !== undefined) source.record.timestamp = timestamp
    return true
  }

  /** Looks no closer where the batch is written anew already: that would take as long as writing the record. */
  #mayPass(results: readonly HandledRecord[], record: HandledRecord): boolean {
    if (this.#written !== undefined) return false
    return results.length === 1 && results[0] === record && this.#isAsItCame(record)
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
      this.#fail(error, [record])
      return []
    }
  }

  #handleTogether(records: readonly HandledRecord[]): readonly HandledRecord[] {
    try {
      this.#refuse()
      return this.#chain.handleAll(records, this.#task.place)
    } catch (error) {
      this.#fail(error, records)
      return []
    }
  }

  #refuse(): void {
    const { failing } = this.#task
    if (failing !== undefined) throw new HandlerFailure(this.#chain.name, failing)
  }

  #fail(error: unknown, records: readonly HandledRecord[]): void {
    if (!(error instanceof HandlerFailure)) throw error
    const { handler, message } = error
    const count = records.length
    const offset = records[0]?.offset ?? -1
    if (this.#task.onError === 'dead-letter')
      for (const { view } of records) this.#bury(view, error)
    if (this.#task.onError === 'fail') {
      throw new RecordFailure(
        `handler ${handler} failed on the record at offset ${offset}: ${message}`
      )
    }
    if (this.#errors) this.#errors.count += count
    else this.#errors = { count, offset, handler, message }
  }

  #bury(record: RecordView, failure: HandlerFailure): void {
    const { targetTopic, targetPartition, place } = this.#task
    const topic = deadLetterTopic(targetTopic)
    const partition = this.#elsewhere.locate(topic, 'by-key', null, targetPartition)
    if (partition === undefined) return
    const timestamp = this.#opened.timestamp ?? record.timestamp
    const letter = deadLetterOf(record, place, failure)
    this.#elsewhere.add({ topic, partition }, letter, record.offset, timestamp)
  }

  #write(record: HandledRecord): void {
    this.#rewrite()
    const { topic } = record
    const tooLarge = this.#tooLarge.get(record.offset)
    // One that was as large on the source is no matter of the handler.
    if (tooLarge !== undefined && record.isChanged) {
      this.#fail(new HandlerFailure(this.#chain.name, tooLarge), [record])
      return
    }
    const partition = this.#locate(record)
    if (partition === undefined) return
    const { targetTopic, targetPartition } = this.#task
    const isAtHome = topic === targetTopic && partition === targetPartition
    if (isAtHome && this.#skipped < this.#task.skipRecords) {
      this.#skipped++
      return
    }
    const timestamp = record.newTimestamp ?? record.view.timestamp
    const body = record.newBody()
    if (!isAtHome) {
      this.#elsewhere.add({ topic, partition }, body ?? record.view, record.offset, timestamp)
      return
    }
    const written = this.#written as DenseRecords
    if (body === undefined) written.add(record.view, record.offset, timestamp)
    else written.addMade(body, record.offset, timestamp)
  }

  /** Undefined: it is not known yet, or the record has failed. */
  #locate(record: HandledRecord): number | undefined {
    const { targetTopic, targetPartition } = this.#task
    const { topic, partition, key } = record
    if (topic === targetTopic && partition === targetPartition) return partition
    try {
      return this.#elsewhere.locate(topic, partition, key, targetPartition)
    } catch (error) {
      this.#fail(new HandlerFailure(this.#chain.name, error), [record])
      return undefined
    }
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
    return new DenseRecords(bytes.length + 64, mostBytes)
  }
}

/** Nothing but a handler stands against sending the batch as it came. */
function mayPass(task: TransformTask): boolean {
  const { bytes, fromOffset, skipRecords, appendTime, maxBytes, aimBytes = maxBytes } = task
  const { codec, avoidsZstd = false, forcesCodec = false } = task
  if (bytes.length < headerBytes || bytes[16] !== 2 || skipRecords > 0) return false
  const header = readHeader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  const isDense = header.recordCount === header.lastOffsetDelta + 1
  const keepsTimes = !header.isAppendTime || appendTime === 'as-is'
  const wanted = codecFor(
    header.codec,
    forcesCodec && codec ? { codec, avoidsZstd } : { avoidsZstd }
  )
  const isWhole = !header.isControl && header.baseOffset >= fromOffset
  return isDense && keepsTimes && header.codec === wanted && isWhole && bytes.length <= aimBytes
}

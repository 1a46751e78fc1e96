// Owns handlers one behind the other: what comes out of one goes into the next, record by record and in order.

import { describe, HandledRecord } from './handled-record.ts'
import type {
  BatchHandler,
  Handler,
  HandlerContext,
  HandlerModule,
  MessageRecord
} from './record.ts'

/** One handler of a chain, as its configuration names it. */
export interface HandlerSpec {
  /** A built-in's name or an absolute path: also what errors call it. */
  name: string
  /** Of a module; a built-in has none. */
  file?: string
  /** Of a built-in: where relative paths among its arguments begin. */
  folder?: string
  args: unknown
}

export interface Link {
  spec: HandlerSpec
  module: HandlerModule
}

/** Which handler failed on a record, and how. */
export class HandlerFailure extends Error {
  readonly handler: string

  constructor(handler: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'HandlerFailure'
    this.handler = handler
  }
}

export type Place = Omit<HandlerContext, 'args'>

export class Chain {
  readonly #links: readonly Link[]
  // All records of a batch have one place.
  #place: Place | undefined
  #contexts: readonly HandlerContext[] = []

  constructor(links: readonly Link[]) {
    this.#links = links
  }

  /** Of all its handlers, for messages that cannot say which one it was. */
  get name(): string {
    return this.#links.map(({ spec }) => spec.name).join(', ')
  }

  /** Whether a handler wants all records of a batch at once. */
  get isOfBatches(): boolean {
    return this.#links.some(({ module }) => module.handleBatch !== undefined)
  }

  /** What becomes of one record; a HandlerFailure where a handler throws or returns what is no record. */
  handle(record: HandledRecord, place: Place): readonly HandledRecord[] {
    return this.#run([record], place)
  }

  /** What becomes of all records of a batch, each of them standing for itself. */
  handleAll(records: readonly HandledRecord[], place: Place): readonly HandledRecord[] {
    return this.#run(records, place)
  }

  async close(): Promise<void> {
    for (const { module } of this.#links) await module.close?.()
  }

  #run(records: readonly HandledRecord[], place: Place): readonly HandledRecord[] {
    const contexts = this.#contextsAt(place)
    let current = records
    for (const [index, { spec, module }] of this.#links.entries()) {
      if (current.length === 0) return current
      const context = contexts[index] as HandlerContext
      try {
        current = module.handleBatch
          ? callBatch(module.handleBatch, current, context)
          : callEach(module.default as Handler, current, context)
        for (const record of current) record.check()
      } catch (error) {
        throw new HandlerFailure(spec.name, error)
      }
    }
    return current
  }

  #contextsAt(place: Place): readonly HandlerContext[] {
    if (place !== this.#place) {
      this.#place = place
      this.#contexts = this.#links.map(({ spec }) => ({ ...place, args: spec.args }))
    }
    return this.#contexts
  }
}

function callEach(
  handle: Handler,
  records: readonly HandledRecord[],
  context: HandlerContext
): readonly HandledRecord[] {
  if (records.length === 1) return callOne(handle, records[0] as HandledRecord, context)
  return records.flatMap(record => callOne(handle, record, context))
}

function callOne(
  handle: Handler,
  record: HandledRecord,
  context: HandlerContext
): readonly HandledRecord[] {
  const result = handle(record, context)
  if (result === record) return [record]
  if (result === null) return []
  if (Array.isArray(result)) return result.map(one => toRecord(one, record))
  return [toRecord(result, record)]
}

function callBatch(
  handleBatch: BatchHandler,
  records: readonly HandledRecord[],
  context: HandlerContext
): readonly HandledRecord[] {
  const result: readonly MessageRecord[] = handleBatch(records, context)
  if (!Array.isArray(result)) {
    throw new TypeError(`handleBatch: expected an array of records, got ${describe(result)}`)
  }
  let last = -1
  return result.map(one => {
    if (!(one instanceof HandledRecord)) {
      throw new TypeError(
        `handleBatch: expected records that it was given or made by with(), got ${describe(one)}`
      )
    }
    if (one.offset < last) {
      throw new TypeError(`handleBatch: offset ${one.offset} comes behind ${last}`)
    }
    last = one.offset
    return one
  })
}

function toRecord(result: unknown, record: HandledRecord): HandledRecord {
  if (result instanceof HandledRecord) return result
  if (typeof result !== 'object' || result === null || result instanceof Promise) {
    throw new TypeError(`expected a record, an array of records or null, got ${describe(result)}`)
  }
  return record.with(result)
}

// Has batches opened that cannot pass unchanged, or are to become others: from the core to a worker and back into their place.

import type { Logger } from 'pino'
import type { SentBatch } from '../batches/reseal-worker.ts'
import type { BatchToReseal, LaneReason, Link } from '../native/index.ts'
import type { Repeats } from './repeats.ts'

// Bytes that wait for workers or are in their hands, beside the budget: what is opened is many times as large.
const leastAwayBytes = 16 * 1_048_576
const awayBytesPerThread = 2 * 1_048_576

/** What has become of a batch. */
export type Opened =
  /** It passes as it came. */
  | { unchanged: true }
  | { batches: readonly SentBatch[]; skipped: number }
  | { failure: LaneReason; detail: string }

/**
 * Workers for one kind of work. The bytes are theirs from then on. `turn` is there when all earlier batches of the lane
 * are done with; false when one of them has stopped it.
 */
export interface Workshop {
  /** How many batches it takes now. */
  readonly room: number
  open(batch: BatchToReseal, bytes: ArrayBuffer, turn: Promise<boolean>): Promise<Opened>
  /** After a worker died: by one that has nothing else to do. */
  openAlone(batch: BatchToReseal, bytes: ArrayBuffer, turn: Promise<boolean>): Promise<Opened>
  /** After a second one did. */
  giveUp(
    batch: BatchToReseal,
    bytes: ArrayBuffer,
    turn: Promise<boolean>,
    error: unknown
  ): Promise<Opened>
}

type Core = Pick<
  Link,
  'rebuildBy' | 'takeReseals' | 'retakeReseal' | 'giveResealed' | 'giveUnchanged' | 'failReseal'
>

export interface ResealsOptions {
  link: Core
  /** For whatever has no handler. */
  rebuilding: Workshop
  handling: Workshop | undefined
  /** Of each workshop. */
  threads: number
  log: Logger
  repeats: Repeats
  onError(error: unknown): void
}

export class Reseals {
  readonly #options: ResealsOptions
  /** By lane: the end of its newest batch that is away. */
  readonly #ends = new Map<number, Promise<boolean>>()
  readonly #mostAwayBytes: number
  #awayBytes = 0
  #willTake = false

  /** To be made before any lane is added. */
  constructor(options: ResealsOptions) {
    this.#options = options
    this.#mostAwayBytes = Math.max(leastAwayBytes, options.threads * awayBytesPerThread)
    options.link.rebuildBy(() => this.#takeSoon())
  }

  /** Batches that are taken together share a message to a worker: what has room since this turn is filled at once. */
  #takeSoon(): void {
    if (this.#willTake) return
    this.#willTake = true
    setImmediate(() => {
      this.#willTake = false
      try {
        this.#take()
      } catch (error) {
        this.#options.onError(error)
      }
    })
  }

  #take(): void {
    const { link, rebuilding, handling } = this.#options
    const room = () => Math.min(rebuilding.room, handling?.room ?? Number.POSITIVE_INFINITY)
    while (this.#awayBytes < this.#mostAwayBytes && room() > 0) {
      const batches = link.takeReseals(this.#mostAwayBytes - this.#awayBytes, room())
      if (batches.length === 0) return
      for (const batch of batches) this.#open(batch).catch(this.#options.onError)
    }
  }

  async #open(batch: BatchToReseal): Promise<void> {
    const size = batch.bytes.byteLength
    this.#awayBytes += size
    const turn = this.#ends.get(batch.lane) ?? Promise.resolve(true)
    const asked = this.#ask(batch, turn)
    const end = asked.then(
      result => turn.then(isGood => isGood && isKept(result)),
      () => false
    )
    this.#ends.set(batch.lane, end)
    try {
      this.#giveBack(batch, await asked)
    } finally {
      this.#awayBytes -= size
      if (this.#ends.get(batch.lane) === end) this.#ends.delete(batch.lane)
    }
    this.#takeSoon()
  }

  /** A worker that died takes its batches with it, so a second one gets it anew, and nothing else. */
  async #ask(batch: BatchToReseal, turn: Promise<boolean>): Promise<Opened | undefined> {
    const { link, log, rebuilding, handling = rebuilding } = this.#options
    const { lane, ticket, source, reason } = batch
    const workshop = reason === 'handler' ? handling : rebuilding
    try {
      return await workshop.open(batch, batch.bytes, turn)
    } catch (error) {
      log.warn({ lane: source, reason, error: String(error) }, 'a worker failed; trying another')
    }
    const again = link.retakeReseal(lane, ticket)
    if (again === undefined) return undefined
    try {
      return await workshop.openAlone(batch, again, turn)
    } catch (error) {
      const bytes = link.retakeReseal(lane, ticket)
      return bytes && workshop.giveUp(batch, bytes, turn, error)
    }
  }

  #giveBack(batch: BatchToReseal, result: Opened | undefined): void {
    const { link } = this.#options
    const { lane, ticket } = batch
    if (result === undefined) return
    if ('unchanged' in result) link.giveUnchanged(lane, ticket)
    else if ('batches' in result) link.giveResealed(lane, ticket, result.skipped, result.batches)
    else {
      this.#tell(batch, result.detail)
      link.failReseal(lane, ticket, result.failure)
    }
  }

  #tell({ source, reason }: BatchToReseal, detail: string): void {
    const { repeats, log } = this.#options
    // Each of them goes alone then: the lane loses time and nothing else.
    const isMerge = reason === 'tiny-batches'
    const what = isMerge
      ? 'small batches cannot be merged'
      : reason === 'handler'
        ? 'batch cannot be handled'
        : 'batch cannot be rebuilt'
    repeats.write(`reseal ${source}`, count =>
      log[isMerge ? 'warn' : 'error']({ lane: source, reason, detail, count }, what)
    )
  }
}

function isKept(result: Opened | undefined): boolean {
  return result !== undefined && !('failure' in result)
}

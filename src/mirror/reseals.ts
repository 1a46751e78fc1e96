// Has batches rebuilt that cannot pass unchanged: from the core to a worker and back into their place.

import type { Logger } from 'pino'
import type { BatchPool } from '../batches/pool.ts'
import type { ResealTask } from '../batches/reseal.ts'
import type { SentResult } from '../batches/reseal-worker.ts'
import type { BatchToReseal, Link } from '../native/index.ts'
import type { Repeats } from './repeats.ts'

/** Bytes that wait for workers or are in their hands, beside the budget: what is opened is many times as large. */
const mostAwayBytes = 16 * 1_048_576

export interface ResealsOptions {
  link: Pick<Link, 'rebuildBy' | 'takeReseals' | 'giveResealed' | 'failReseal'>
  pool: Pick<BatchPool, 'reseal' | 'resealAlone' | 'room'>
  log: Logger
  repeats: Repeats
  onError(error: unknown): void
}

export class Reseals {
  readonly #options: ResealsOptions
  #awayBytes = 0

  /** To be made before any lane is added. */
  constructor(options: ResealsOptions) {
    this.#options = options
    options.link.rebuildBy(() => this.#take())
  }

  #take(): void {
    const { link, pool } = this.#options
    while (this.#awayBytes < mostAwayBytes && pool.room > 0) {
      const batches = link.takeReseals(mostAwayBytes - this.#awayBytes, pool.room)
      if (batches.length === 0) return
      for (const batch of batches) this.#rebuild(batch).catch(this.#options.onError)
    }
  }

  async #rebuild(batch: BatchToReseal): Promise<void> {
    const bytes = batch.bytes.byteLength
    this.#awayBytes += bytes
    try {
      this.#giveBack(batch, await this.#ask(batch))
    } finally {
      this.#awayBytes -= bytes
    }
    this.#take()
  }

  /** A worker that died takes its batches with it, so a second one gets a copy, and nothing else. */
  async #ask(batch: BatchToReseal): Promise<SentResult | { error: unknown }> {
    const { pool, log } = this.#options
    const copy = batch.bytes.slice(0)
    try {
      return await pool.reseal(taskOf(batch, copy))
    } catch (error) {
      const { source, reason } = batch
      log.warn({ lane: source, reason, error: String(error) }, 'a worker failed; trying another')
    }
    try {
      return await pool.resealAlone(taskOf(batch, batch.bytes))
    } catch (error) {
      return { error }
    }
  }

  #giveBack(batch: BatchToReseal, result: SentResult | { error: unknown }): void {
    const { link } = this.#options
    const { lane, ticket } = batch
    if ('batches' in result) link.giveResealed(lane, ticket, result.skipped, result.batches)
    else if ('failure' in result) {
      this.#tell(batch, result.detail)
      link.failReseal(lane, ticket, result.failure)
    } else {
      this.#tell(batch, String(result.error))
      link.failReseal(lane, ticket, 'worker-failed')
    }
  }

  #tell({ source, reason }: BatchToReseal, detail: string): void {
    const { repeats, log } = this.#options
    repeats.write(`reseal ${source}`, count =>
      log.error({ lane: source, reason, detail, count }, 'batch cannot be rebuilt')
    )
  }
}

function taskOf(batch: BatchToReseal, bytes: ArrayBuffer): ResealTask {
  return {
    bytes: new Uint8Array(bytes),
    fromOffset: batch.fromOffset,
    skipRecords: batch.skipRecords,
    appendTime: batch.targetAppendTime ? 'as-is' : 'keep',
    maxBytes: batch.targetMaxBatchBytes,
    aimBytes: batch.aimBytes,
    avoidsZstd: batch.avoidsZstd
  }
}

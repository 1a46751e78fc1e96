// Owns the worker threads in which handlers run.

import { WorkerPool } from '../batches/worker-pool.ts'
import { RunError } from '../errors.ts'
import type { HandlerSpec } from './chain.ts'
import type { TransformTask } from './transform.ts'
import type { Inspection, SentTransform, TransformWorkerData } from './transform-worker.ts'
import type { TrialResult, TrialTask } from './trial.ts'

export interface TransformPoolOptions {
  chains: readonly (readonly HandlerSpec[])[]
  /** What handlers may take for the batches of one message, some hundred kilobytes; then their thread is ended. */
  timeLimitMs: number
  maxThreads?: number
}

// Its handlers were loaded before, so that it comes to an end.
const startLimitMs = 60_000

export class TransformPool {
  readonly #pool: WorkerPool<TransformTask, SentTransform>
  readonly #timeLimitMs: number

  constructor({ chains, ...options }: TransformPoolOptions) {
    this.#timeLimitMs = options.timeLimitMs
    const worker = new URL('./transform-worker.js', import.meta.url)
    const workerData: TransformWorkerData = { chains }
    this.#pool = new WorkerPool({ worker, workerData, ...options })
  }

  get room(): number {
    return this.#pool.room
  }

  transform(task: TransformTask): Promise<SentTransform> {
    return this.#pool.run(task)
  }

  transformAlone(task: TransformTask): Promise<SentTransform> {
    return this.#pool.runAlone(task)
  }

  /** Within the limit of time, to which the start of a thread does not count; one at a time. */
  async trial(task: TrialTask): Promise<TrialResult[]> {
    await this.#pool.ask<Inspection>('inspect', AbortSignal.timeout(startLimitMs))
    const limit = AbortSignal.timeout(this.#timeLimitMs)
    try {
      return await this.#pool.ask<TrialResult[]>('trial', limit, task)
    } catch (error) {
      throw limit.aborted ? new RunError(`no answer within ${this.#timeLimitMs} ms`) : error
    }
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}

/** Loads every chain once, in a worker of its own, and ends it. */
export async function inspectChains({
  chains,
  timeLimitMs
}: Pick<TransformPoolOptions, 'chains' | 'timeLimitMs'>): Promise<Inspection> {
  const worker = new URL('./transform-worker.js', import.meta.url)
  const workerData: TransformWorkerData = { chains }
  const pool = new WorkerPool<TransformTask, SentTransform>({ worker, workerData, maxThreads: 1 })
  const limit = AbortSignal.timeout(timeLimitMs)
  try {
    return await pool.ask<Inspection>('inspect', limit)
  } catch (error) {
    const why = limit.aborted ? `it has not begun within ${timeLimitMs} ms` : String(error)
    return {
      problem: `handlers ${chains
        .flat()
        .map(({ name }) => name)
        .join(', ')}: ${why}`
    }
  } finally {
    await pool.close()
  }
}

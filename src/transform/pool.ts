// Owns the worker threads in which handlers run.

import { WorkerPool } from '../batches/worker-pool.ts'
import type { HandlerSpec } from './chain.ts'
import type { TransformTask } from './transform.ts'
import type { Inspection, SentTransform, TransformWorkerData } from './transform-worker.ts'

export interface TransformPoolOptions {
  chains: readonly (readonly HandlerSpec[])[]
  /** What handlers may take for the batches of one message, some hundred kilobytes; then their thread is ended. */
  timeLimitMs: number
  maxThreads?: number
}

export class TransformPool {
  readonly #pool: WorkerPool<TransformTask, SentTransform>

  constructor({ chains, ...options }: TransformPoolOptions) {
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

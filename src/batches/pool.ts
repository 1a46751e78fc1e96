// Owns the worker threads that rebuild batches.

import type { ResealTask } from './reseal.ts'
import type { SentResult } from './reseal-worker.ts'
import { heapMb, isOutOfMemory, WorkerPool, type WorkerPoolOptions } from './worker-pool.ts'

export class BatchPool {
  readonly #pool: WorkerPool<ResealTask, SentResult>

  constructor(options: Pick<WorkerPoolOptions, 'maxThreads'> = {}) {
    const worker = new URL('./reseal-worker.js', import.meta.url)
    this.#pool = new WorkerPool({ worker, ...options })
  }

  /** How many batches it takes now. Beyond that `reseal` fails: whoever hands out batches waits before. */
  get room(): number {
    return this.#pool.room
  }

  /** As WorkerPool.run. */
  reseal(task: ResealTask): Promise<SentResult> {
    return this.#pool.run(task)
  }

  /** The same, with a worker of its own for as long as it takes. */
  async resealAlone(task: ResealTask): Promise<SentResult> {
    try {
      return await this.#pool.runAlone(task)
    } catch (error) {
      if (!isOutOfMemory(error)) throw error
      return { failure: 'malformed', detail: `it takes more than ${heapMb} MB to open` }
    }
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}

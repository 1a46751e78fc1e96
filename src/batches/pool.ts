// Owns the worker threads that open batches.

import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { RunError } from '../errors.ts'
import type { ResealResult, ResealTask } from './reseal.ts'

export interface PoolOptions {
  /** As many as there are cores unless given. */
  maxThreads?: number
}

// Enough that no thread waits for the next batch, and few enough that a batch does not wait behind many.
const queuedPerThread = 8

// Of each worker's heap. Inflated batches lie outside of it, under limits of their own.
const heapMb = 512

const idleTimeoutMs = 30_000

export class BatchPool {
  readonly #pool: Piscina<ResealTask, ResealResult>
  readonly #maxTasks: number
  #tasks = 0

  constructor({ maxThreads = availableParallelism() }: PoolOptions = {}) {
    this.#maxTasks = maxThreads * (1 + queuedPerThread)
    this.#pool = new Piscina<ResealTask, ResealResult>({
      filename: new URL('./reseal-worker.js', import.meta.url).href,
      minThreads: 0,
      maxThreads,
      maxQueue: this.#maxTasks,
      idleTimeout: idleTimeoutMs,
      env: {},
      // A worker that sleeps between tasks never reaches its event loop, where the codecs' memory is given back.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: heapMb }
    })
  }

  /** How many tasks it takes now. Beyond that `reseal` fails: whoever hands out batches waits before. */
  get room(): number {
    return this.#maxTasks - this.#tasks
  }

  /**
   * Moves the task's bytes to a worker when they fill their ArrayBuffer, which is empty then; copies them
   * otherwise.
   */
  async reseal(task: ResealTask): Promise<ResealResult> {
    if (this.room <= 0) throw new RunError(`reseal: ${this.#tasks} batches are under way already`)
    const bytes = wholeBuffer(task.bytes)
    this.#tasks++
    try {
      return await this.#pool.run({ ...task, bytes }, { transferList: [bytes.buffer] })
    } catch (error) {
      if (!isOutOfMemory(error)) throw error
      return { failure: 'malformed', detail: `it takes more than ${heapMb} MB to open` }
    } finally {
      this.#tasks--
    }
  }

  /** Ends the workers. What they have not answered by then fails. Idempotent. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

function wholeBuffer(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
}

function isOutOfMemory(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
}

// Owns the worker threads that open batches.

import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { RunError } from '../errors.ts'
import type { ResealTask } from './reseal.ts'
import type { SentResult } from './reseal-worker.ts'

export interface PoolOptions {
  /** As many as there are cores unless given. */
  maxThreads?: number
}

/** A batch that waits for its group to leave. */
interface Waiting {
  task: ResealTask
  resolve(result: SentResult): void
  reject(error: unknown): void
}

// Enough that no thread waits for the next batch, and few enough that a batch does not wait behind many.
const queuedPerThread = 8

// A message to a worker and back costs as much as the rebuilding of some ten kilobytes (bench/reseal), so small
// batches travel together.
const groupBatches = 64
const groupBytes = 262_144

// Of each worker's heap. Inflated batches lie outside of it, under limits of their own.
const heapMb = 512

const idleTimeoutMs = 30_000

export class BatchPool {
  readonly #pool: Piscina<ResealTask[], SentResult[]>
  readonly #maxTasks: number
  #tasks = 0
  #waiting: Waiting[] = []

  constructor({ maxThreads = availableParallelism() }: PoolOptions = {}) {
    const maxGroups = maxThreads * (1 + queuedPerThread)
    this.#maxTasks = maxGroups * groupBatches
    this.#pool = new Piscina<ResealTask[], SentResult[]>({
      filename: new URL('./reseal-worker.js', import.meta.url).href,
      minThreads: 0,
      maxThreads,
      // Groups may be as small as one batch.
      maxQueue: this.#maxTasks,
      idleTimeout: idleTimeoutMs,
      env: {},
      // A worker that sleeps between tasks never reaches its event loop, where the codecs' memory is given back.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: heapMb }
    })
  }

  /** How many batches it takes now. Beyond that `reseal` fails: whoever hands out batches waits before. */
  get room(): number {
    return this.#maxTasks - this.#tasks
  }

  /**
   * Moves the task's bytes to a worker when they fill their ArrayBuffer, which is empty then; copies them
   * otherwise. Batches that are given in one go may share a worker, and its death.
   */
  async reseal(task: ResealTask): Promise<SentResult> {
    if (this.room <= 0) throw new RunError(`reseal: ${this.#tasks} batches are under way already`)
    this.#tasks++
    try {
      return await new Promise((resolve, reject) => this.#wait({ task, resolve, reject }))
    } finally {
      this.#tasks--
    }
  }

  /** The same, with a worker of its own for as long as it takes. */
  async resealAlone(task: ResealTask): Promise<SentResult> {
    this.#tasks++
    try {
      const [result] = await this.#run([task])
      return result as SentResult
    } finally {
      this.#tasks--
    }
  }

  /** Ends the workers. What they have not answered by then fails. Idempotent. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  #wait(waiting: Waiting): void {
    this.#waiting.push(waiting)
    if (this.#waiting.length === 1) queueMicrotask(() => this.#sendWaiting())
  }

  #sendWaiting(): void {
    const groups = groupsOf(this.#waiting)
    this.#waiting = []
    for (const group of groups) {
      this.#run(group.map(({ task }) => task)).then(
        results => {
          for (const [at, { resolve }] of group.entries()) resolve(results[at] as SentResult)
        },
        error => {
          for (const { reject } of group) reject(error)
        }
      )
    }
  }

  async #run(tasks: readonly ResealTask[]): Promise<SentResult[]> {
    const own = tasks.map(task => ({ ...task, bytes: wholeBuffer(task.bytes) }))
    try {
      return await this.#pool.run(own, { transferList: own.map(({ bytes }) => bytes.buffer) })
    } catch (error) {
      // Which one of several took the memory cannot be known.
      if (!isOutOfMemory(error) || tasks.length > 1) throw error
      return [{ failure: 'malformed', detail: `it takes more than ${heapMb} MB to open` }]
    }
  }
}

function groupsOf(waiting: readonly Waiting[]): Waiting[][] {
  const groups: Waiting[][] = []
  let bytes = groupBytes
  for (const one of waiting) {
    const group = groups.at(-1)
    const hasRoom = bytes < groupBytes && (group?.length ?? 0) < groupBatches
    if (group === undefined || !hasRoom) {
      groups.push([one])
      bytes = 0
    } else group.push(one)
    bytes += one.task.bytes.byteLength
  }
  return groups
}

function wholeBuffer(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
}

function isOutOfMemory(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
}

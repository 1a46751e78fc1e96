// Owns worker threads that open batches: bounded, several small batches a message, bytes moved and not copied.

import { availableParallelism } from 'node:os'
import { RunError } from '../errors.ts'
import { type Piscina, threadPool } from '../thread-pool.ts'

export interface WorkerPoolOptions {
  /** Of the module whose default export takes a list of tasks and gives their results. */
  worker: URL
  /** What the threads are given when they begin. */
  workerData?: unknown
  /** As many as there are cores unless given. */
  maxThreads?: number
  /** After so long a thread is ended, and what it was at fails; never unless given. */
  timeLimitMs?: number
}

/** What a worker is given: one batch, and what is to become of it. */
export interface WorkerTask {
  bytes: Uint8Array<ArrayBuffer>
}

/** A batch that waits for its group to leave. */
interface Waiting<Task, Result> {
  task: Task
  resolve(result: Result): void
  reject(error: unknown): void
}

// Enough that no thread waits for the next batch, and few enough that a batch does not wait behind many.
const queuedPerThread = 8

// A message to a worker and back costs as much as the rebuilding of some ten kilobytes (bench/reseal), so small
// batches travel together.
const groupBatches = 64
const groupBytes = 524_288

// Of each worker's heap. Inflated batches lie outside of it, under limits of their own.
export const heapMb = 512

const idleTimeoutMs = 30_000

export class WorkerPool<Task extends WorkerTask, Result> {
  readonly #pool: Piscina<Task[], Result[]>
  readonly #maxTasks: number
  readonly #timeLimitMs: number | undefined
  readonly #waitingForThread: (() => void)[] = []
  #idleThreads: number
  #tasks = 0
  #waiting: Waiting<Task, Result>[] = []

  constructor({
    worker,
    workerData,
    maxThreads = availableParallelism(),
    timeLimitMs
  }: WorkerPoolOptions) {
    this.#timeLimitMs = timeLimitMs
    this.#idleThreads = maxThreads
    const maxGroups = maxThreads * (1 + queuedPerThread)
    this.#maxTasks = maxGroups * groupBatches
    this.#pool = threadPool<Task[], Result[]>(worker, {
      workerData,
      minThreads: 0,
      maxThreads,
      // Groups may be as small as one batch.
      maxQueue: this.#maxTasks,
      idleTimeout: idleTimeoutMs,
      // A worker that sleeps between tasks never reaches its event loop, where the codecs' memory is given back.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: heapMb }
    })
  }

  /** How many batches it takes now. Beyond that `run` fails: whoever hands out batches waits before. */
  get room(): number {
    return this.#maxTasks - this.#tasks
  }

  /**
   * Moves the task's bytes to a worker when they fill their ArrayBuffer, which is empty then; copies them
   * otherwise. Batches that are given in one go may share a worker, and its death.
   */
  async run(task: Task): Promise<Result> {
    if (this.room <= 0) throw new RunError(`workers: ${this.#tasks} batches are under way already`)
    this.#tasks++
    try {
      return await new Promise((resolve, reject) => this.#wait({ task, resolve, reject }))
    } finally {
      this.#tasks--
    }
  }

  /** The same, with a worker of its own for as long as it takes. */
  async runAlone(task: Task): Promise<Result> {
    this.#tasks++
    try {
      const [result] = await this.#run([task])
      return result as Result
    } finally {
      this.#tasks--
    }
  }

  /** What another export of the worker's module gives. */
  ask<Answer>(name: string, signal: AbortSignal, question?: unknown): Promise<Answer> {
    const pool: { run(question: unknown, options: object): Promise<unknown> } = this.#pool
    return pool.run(question, { name, signal }) as Promise<Answer>
  }

  /** Ends the workers. What they have not answered by then fails. Idempotent. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  #wait(waiting: Waiting<Task, Result>): void {
    this.#waiting.push(waiting)
    if (this.#waiting.length === 1) queueMicrotask(() => this.#sendWaiting())
  }

  #sendWaiting(): void {
    const groups = groupsOf(this.#waiting)
    this.#waiting = []
    for (const group of groups) {
      this.#run(group.map(({ task }) => task)).then(
        results => {
          for (const [at, { resolve }] of group.entries()) resolve(results[at] as Result)
        },
        error => {
          for (const { reject } of group) reject(error)
        }
      )
    }
  }

  async #run(tasks: readonly Task[]): Promise<Result[]> {
    const own = tasks.map(task => ({ ...task, bytes: wholeBuffer(task.bytes) }))
    const options = { transferList: own.map(({ bytes }) => bytes.buffer) }
    const limitMs = this.#timeLimitMs
    if (limitMs === undefined) return this.#pool.run(own, options)
    // The time that it waits behind others is not its own.
    await this.#idleThread()
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), limitMs)
    try {
      return await this.#pool.run(own, { ...options, signal: abort.signal })
    } catch (error) {
      throw abort.signal.aborted ? new RunError(`no answer within ${limitMs} ms`) : error
    } finally {
      clearTimeout(timer)
      const next = this.#waitingForThread.shift()
      if (next) next()
      else this.#idleThreads++
    }
  }

  #idleThread(): Promise<void> | undefined {
    if (this.#idleThreads === 0) {
      return new Promise(resolve => {
        this.#waitingForThread.push(resolve)
      })
    }
    this.#idleThreads--
    return undefined
  }
}

function groupsOf<Task extends WorkerTask, Result>(
  waiting: readonly Waiting<Task, Result>[]
): Waiting<Task, Result>[][] {
  const groups: Waiting<Task, Result>[][] = []
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

/** Which one of several batches took the memory of its thread cannot be known. */
export function isOutOfMemory(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
}

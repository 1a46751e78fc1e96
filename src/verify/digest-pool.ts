// Worker threads that open batches, as many as there are cores; small chunks share a task.

import { availableParallelism } from 'node:os'
import { type Piscina, threadPool } from '../thread-pool.ts'
import type { DigestChunk, DigestedChunk, DigestResult, DigestTask } from './digest-worker.ts'

/** A task costs some 50 µs to and fro, so that it should hold more work than that. */
const taskBytes = 1_048_576

interface Waiting {
  chunk: DigestChunk
  resolve: (digested: DigestedChunk) => void
  reject: (error: unknown) => void
}

export class DigestPool {
  readonly threads = availableParallelism()
  /** Of all workers together. */
  workedMs = 0
  readonly #pool: Piscina<DigestTask, DigestResult>
  #waiting: Waiting[] = []
  #waitingBytes = 0

  constructor() {
    this.#pool = threadPool<DigestTask, DigestResult>(
      new URL('./digest-worker.js', import.meta.url),
      {
        minThreads: 1,
        maxThreads: this.threads,
        // Between tasks a worker has to come by its event loop, or what the codecs allocated outside of the heap is never freed.
        atomics: 'disabled',
        idleTimeout: 30_000
      }
    )
  }

  /** The chunk's bytes are gone for the caller. */
  digest(chunk: DigestChunk): Promise<DigestedChunk> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ chunk, resolve, reject })
      this.#waitingBytes += chunk.bytes.byteLength
      if (this.#waitingBytes >= taskBytes) this.#send()
      // Chunks of one answer are handed over in one go: they share a task.
      else if (this.#waiting.length === 1) setImmediate(() => this.#send())
    })
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }

  #send(): void {
    if (this.#waiting.length === 0) return
    const sent = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    void this.#run(sent)
  }

  async #run(sent: readonly Waiting[]): Promise<void> {
    const chunks = sent.map(({ chunk }) => chunk)
    try {
      const transferList = chunks.map(({ bytes }) => bytes)
      const result = await this.#pool.run({ chunks }, { transferList })
      this.workedMs += result.workedMs
      for (const [index, { resolve }] of sent.entries()) {
        resolve(result.chunks[index] as DigestedChunk)
      }
    } catch (error) {
      for (const { reject } of sent) reject(error)
    }
  }
}

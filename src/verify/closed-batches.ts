// The batches of one side that are fetched and not opened, and how many are opened once the two sides are not the same bytes.

import type { BatchRun, ClosedBatch, OpenableBatches } from './batch-run.ts'

/** Beyond it both sides are cut into batches in another way: answers are opened as they come... */
const mostRecords = 16_384
/** ...for so long, until it is tried again. */
const openedAnswers = 32

export class ClosedBatches {
  readonly #runs: BatchRun[] = []
  /** Doubles each time, so that sides that never agree on their batches cost few turns. */
  #least = 1
  #toOpen = 0

  get length(): number {
    return this.#runs.length
  }

  get front(): ClosedBatch | undefined {
    return this.#runs[0]?.front
  }

  /** True when an answer is to be opened at once. */
  get isOpen(): boolean {
    return this.#toOpen > 0
  }

  push(run: BatchRun): void {
    if (run.front) this.#runs.push(run)
  }

  /** The other side has it byte for byte. */
  pass(): void {
    this.#least = 1
    this.#toOpen = 0
    this.#runs[0]?.pass()
    this.#dropEmpty()
  }

  /** Batches to open for so many records, out of one answer. */
  take(records: number): OpenableBatches | undefined {
    const [run] = this.#runs
    if (!run) return undefined
    const taken = run.take(this.isOpen ? Number.POSITIVE_INFINITY : Math.max(records, this.#least))
    this.#dropEmpty()
    this.#grow()
    return taken
  }

  clear(): void {
    this.#runs.length = 0
  }

  #grow(): void {
    if (this.isOpen) {
      this.#toOpen--
      return
    }
    this.#least *= 2
    if (this.#least <= mostRecords) return
    this.#least = 1
    this.#toOpen = openedAnswers
  }

  #dropEmpty(): void {
    if (this.#runs[0] && !this.#runs[0].front) this.#runs.shift()
  }
}

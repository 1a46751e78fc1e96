// Knows which batches belong to transactions that ended in an abort, from the list that comes with a Fetch answer.

import type { Int64 } from './int64.ts'

/** A producer's batches from this offset on, up to its marker. */
export interface AbortedTransaction {
  producerId: number
  firstOffset: number
}

/** Asked batch by batch, in log order. Trusts neither the list's order nor that every marker comes once. */
export class AbortedTransactions {
  // Latest first, so that the next to begin is the last.
  readonly #upcoming: AbortedTransaction[]
  readonly #open = new Set<Int64>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#upcoming = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** Whether a transactional batch of this producer that ends at this offset is to be left out. */
  has(producerId: Int64, lastOffset: number): boolean {
    this.#advance(lastOffset)
    return this.#open.has(producerId)
  }

  /** For a reader that goes on from here. */
  left(): AbortedTransaction[] {
    const open = [...this.#open].map(id => ({ producerId: Number(id), firstOffset: 0 }))
    return [...open, ...this.#upcoming]
  }

  /** The producer's abort marker was met, which may be all that is left to see of its transaction. */
  end(producerId: Int64, lastOffset: number): void {
    this.#advance(lastOffset)
    this.#open.delete(producerId)
  }

  #advance(lastOffset: number): void {
    for (;;) {
      const next = this.#upcoming.at(-1)
      if (next === undefined || next.firstOffset > lastOffset) return
      this.#open.add(next.producerId)
      this.#upcoming.pop()
    }
  }
}

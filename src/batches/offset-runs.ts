// Owns where renumbered records came from: runs of records that follow one another on the source.

import { malformed } from './batch-fault.ts'

// Source offset of the first record, its index here, count.
const columns = 3

// Each takes 24 bytes. Compaction leaves a few thousand in a batch; who has more made them up.
const mostRuns = 4_000_000

export class OffsetRuns {
  // Outside of the heap, which a hostile batch would fill.
  #rows = new Float64Array(columns * 16)
  #length = 0
  #records = 0

  get first(): number {
    return this.#rows[0] as number
  }

  get last(): number {
    return this.#next - 1
  }

  add(offset: number): void {
    if (this.#length > 0 && this.#next === offset) {
      this.#rows[this.#length - 1] = (this.#rows[this.#length - 1] as number) + 1
    } else {
      this.#begin(offset)
    }
    this.#records++
  }

  /** One row after the other, for whoever keeps them. */
  rows(): Float64Array<ArrayBuffer> {
    return this.#rows.slice(0, this.#length)
  }

  /** Source offsets of all records. */
  *offsets(): Generator<number, void> {
    for (let at = 0; at < this.#length; at += columns) {
      const [offset, , count] = this.#rows.subarray(at, at + columns)
      for (let place = 0; place < (count as number); place++) yield (offset as number) + place
    }
  }

  get #next(): number {
    return (this.#rows[this.#length - 3] as number) + (this.#rows[this.#length - 1] as number)
  }

  #begin(offset: number): void {
    if (this.#length === columns * mostRuns) throw malformed(`it has over ${mostRuns} holes`)
    if (this.#length === this.#rows.length) {
      const grown = new Float64Array(2 * this.#length)
      grown.set(this.#rows)
      this.#rows = grown
    }
    this.#rows[this.#length++] = offset
    this.#rows[this.#length++] = this.#records
    this.#rows[this.#length++] = 1
  }
}

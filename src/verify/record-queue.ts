// Records of one side that wait for their like on the other side, in order.

import { type RecordColumns, type RecordRow, rowAt } from './record-columns.ts'

export class RecordQueue {
  readonly #chunks: RecordColumns[] = []
  /** In the first chunk. */
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(columns: RecordColumns): void {
    if (columns.count === 0) return
    this.#chunks.push(columns)
    this.#length += columns.count
  }

  clear(): void {
    this.#chunks.length = 0
    this.#head = 0
    this.#length = 0
  }

  /** The identities of the first records that lie together; never empty unless the queue is. */
  front(): Float64Array {
    const [first] = this.#chunks
    return first ? first.identities.subarray(this.#head, first.count) : nothing
  }

  /** The identities of the first records, as many as there are up to `most`. */
  identities(most: number): Float64Array {
    const found = new Float64Array(Math.min(most, this.#length))
    let filled = 0
    let from = this.#head
    for (const { identities, count } of this.#chunks) {
      const part = identities.subarray(from, Math.min(count, from + found.length - filled))
      found.set(part, filled)
      filled += part.length
      from = 0
      if (filled === found.length) break
    }
    return found
  }

  drop(count: number): void {
    let left = count
    this.#length -= count
    for (let first = this.#chunks[0]; first && left > 0; first = this.#chunks[0]) {
      const taken = Math.min(left, first.count - this.#head)
      this.#head += taken
      left -= taken
      if (this.#head < first.count) return
      this.#chunks.shift()
      this.#head = 0
    }
  }

  /** The first records one by one; each has to be there. */
  *rows(count: number): Generator<RecordRow> {
    let left = count
    let from = this.#head
    for (const chunk of this.#chunks) {
      for (let index = from; index < chunk.count && left > 0; index++, left--) {
        yield rowAt(chunk, index)
      }
      from = 0
      if (left === 0) return
    }
  }

  first(): RecordRow | undefined {
    const [chunk] = this.#chunks
    return chunk && rowAt(chunk, this.#head)
  }
}

const nothing = new Float64Array(0)

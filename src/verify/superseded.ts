// Tells what compaction took from one side: a record may be gone where a later one of its key is, and an old tombstone anyhow.

import { flags, type RecordRow } from './record-columns.ts'

/** Records of one side that wait for a later one of their key; more are not remembered. */
const mostPending = 500_000

type Side = 'source' | 'target'

export interface Remains {
  source: RecordRow[]
  target: RecordRow[]
}

export class Superseded {
  /** Records that are gone from the other side as compaction does it. */
  readonly excused = { source: 0, target: 0 }
  /** Records that were too many to be remembered: not judged. */
  readonly unjudged = { source: 0, target: 0 }
  /** By key, those that lack their like and a later record of their key. */
  readonly #pending = {
    source: new Map<number, RecordRow[]>(),
    target: new Map<number, RecordRow[]>()
  }
  #size = 0
  /** Tombstones before this time (ms) may have been removed. */
  readonly #tombstonesBefore: number

  constructor(tombstonesBefore: number) {
    this.#tombstonesBefore = tombstonesBefore
  }

  get size(): number {
    return this.#size
  }

  /** A record that is on both sides. */
  pass(row: RecordRow): void {
    this.#excuse('source', row)
    this.#excuse('target', row)
  }

  /** Records between two that are on both sides. None of them excuses another one of the same stretch on the other side. */
  add(source: readonly RecordRow[], target: readonly RecordRow[]): void {
    for (const row of target) this.#excuse('source', row)
    for (const row of source) this.#excuse('target', row)
    for (const row of source) this.#note('source', row)
    for (const row of target) this.#note('target', row)
  }

  /** What has no excuse, in the order of the logs. */
  end(): Remains {
    const inOrder = (side: Side) =>
      [...this.#pending[side].values()].flat().sort((a, b) => a.offset - b.offset)
    return { source: inOrder('source'), target: inOrder('target') }
  }

  #note(side: Side, row: RecordRow): void {
    if ((row.flags & flags.nullValue) !== 0 && row.time < this.#tombstonesBefore) {
      this.excused[side]++
      this.#excuse(side, row)
      return
    }
    if (this.#size >= mostPending) {
      this.unjudged[side]++
      return
    }
    const rows = this.#pending[side].get(row.key)
    if (rows) rows.push(row)
    else this.#pending[side].set(row.key, [row])
    this.#size++
  }

  /** Takes away what the other side of `row` may have compacted because of it. A record without a key is never compacted. */
  #excuse(side: Side, row: RecordRow): void {
    if (this.#size === 0 || (row.flags & flags.nullKey) !== 0) return
    const rows = this.#pending[side].get(row.key)
    if (!rows) return
    this.#pending[side].delete(row.key)
    this.#size -= rows.length
    this.excused[side] += rows.length
  }
}

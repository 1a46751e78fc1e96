// Passes over batches that are the same byte for byte on both sides, and reads them again where a record may be one of them.

import type { AlignedSide } from './aligner.ts'
import type { ClosedBatch } from './batch-run.ts'
import type { Ledger } from './ledger.ts'
import { Passed } from './passed.ts'
import { areTwins, recordsOf } from './twins.ts'

/** A side whose batches can be seen as they are. */
export interface ClosedSide {
  /** The next batch, while it and all before it are closed. */
  readonly front: ClosedBatch | undefined
  /** Waits until there is a front; there is none at the end, and while records wait. */
  reach(): Promise<void>
  pass(): void
}

export interface ClosedSides {
  source: ClosedSide
  target: ClosedSide
  /** Source records that were passed over. */
  reread(range: { from: number; end: number }): AlignedSide
}

/** Beyond it batches are opened: where so much is different, reading twice costs more than it spares. */
const mostRecalls = 8
const stepRecords = 8_192

export class Passage {
  readonly #sides: ClosedSides
  readonly #ledger: Ledger
  readonly #hasTimes: boolean
  readonly #passed = new Passed()
  #recalls = 0

  constructor(sides: ClosedSides, ledger: Ledger, hasTimes: boolean) {
    this.#sides = sides
    this.#ledger = ledger
    this.#hasTimes = hasTimes
  }

  async pass(): Promise<void> {
    if (this.#recalls >= mostRecalls || !this.#ledger.needsNone) return
    const { source, target } = this.#sides
    do await Promise.all([source.reach(), target.reach()])
    while (this.#passAtHand())
  }

  /** A record that is the target's alone may be a double of one that was passed over last. */
  async recall(): Promise<void> {
    const range = this.#passed.take()
    if (!range) return
    this.#recalls++
    const again = this.#sides.reread(range)
    const earlier: Float64Array[] = []
    for (await again.fill(stepRecords); again.queue.length > 0; await again.fill(stepRecords)) {
      const identities = again.queue.identities(stepRecords)
      again.queue.drop(identities.length)
      earlier.push(identities)
    }
    this.#ledger.judge.history.recall(earlier)
  }

  /** False where the two sides differ, or one of them has none. */
  #passAtHand(): boolean {
    const { source, target } = this.#sides
    let [ours, theirs] = [source.front, target.front]
    if (!ours || !theirs) return false
    while (ours && theirs) {
      if (!ours.header || !areTwins(ours, theirs, this.#hasTimes)) return false
      this.#passed.note(ours.header)
      this.#ledger.matchBatch(recordsOf(ours), ours.records)
      source.pass()
      target.pass()
      ;[ours, theirs] = [source.front, target.front]
    }
    return true
  }
}

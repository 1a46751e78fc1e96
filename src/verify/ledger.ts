// Keeps account of one partition's comparison: what was the same, what differs, and what need not be there.

import { createHash, type Hash } from 'node:crypto'
import { Judge } from './judge.ts'
import type { RecordRow } from './record-columns.ts'
import type { RecordQueue } from './record-queue.ts'
import { Superseded } from './superseded.ts'

export interface LedgerRules {
  /** Source offset from which on records need not be on the target yet. */
  committed: number
  /** Records at the beginning of a side may have no like: its log reaches back further than the other's. */
  leads: { source: boolean; target: boolean }
  hasTimes: boolean
  /** Compaction takes records on either side; tombstones before this time (ms) may be gone. */
  compacted: { tombstonesBefore: number } | undefined
  /** What the target has behind the source's last record does not count: a sample ends anywhere. */
  ignoresTargetRest: boolean
}

/** Records without a like at their place, between two that are on both sides. */
export interface Stretch {
  source: readonly RecordRow[]
  target: readonly RecordRow[]
  /** Offsets of what comes next on each side, be it in the stretch or behind it. */
  places: { source: number; target: number }
  /** Nothing that is on both sides comes behind it. */
  isTail: boolean
}

/** Records that were passed over: how many, the first ones, and the last. */
export interface Skipped {
  count: number
  head: readonly RecordRow[]
  last: RecordRow | undefined
}

type Side = 'source' | 'target'

export class Ledger {
  readonly judge: Judge
  readonly superseded: Superseded | undefined
  matched = 0
  /** Records before the beginning of the other side. */
  readonly lead = { source: 0, target: 0 }
  /** Source records behind the commit that are not on the target. */
  beyond = 0
  /** Records at the end of a side that were not compared any more. */
  readonly unaligned = { source: 0, target: 0 }
  /** Where that begins. */
  apartFrom: Stretch['places'] | undefined
  readonly #rules: LedgerRules
  /** One for both sides until they differ. */
  #digests: { source: Hash; target: Hash | undefined } = {
    source: createHash('sha256'),
    target: undefined
  }

  constructor(rules: LedgerRules) {
    this.#rules = rules
    this.judge = new Judge(rules.hasTimes)
    this.superseded = rules.compacted && new Superseded(rules.compacted.tombstonesBefore)
  }

  get hasMatched(): boolean {
    return this.matched > 0
  }

  /** The first records of both queues are the same: they go. */
  match(source: RecordQueue, target: RecordQueue, count: number): void {
    const identities = source.identities(count)
    this.matched += count
    this.#digest('source', identities)
    if (this.#digests.target) this.#digest('target', identities)
    if (this.superseded && this.superseded.size > 0) {
      for (const row of source.rows(count)) this.superseded.pass(row)
    }
    this.judge.pass(identities)
    source.drop(count)
    target.drop(count)
  }

  /** Whether records that are on both sides may be passed over without being looked at. */
  get needsNone(): boolean {
    return this.judge.waitsForNone && (this.superseded?.size ?? 0) === 0
  }

  /** A batch that is on both sides, as its records are stored. */
  matchBatch(records: Buffer, count: number): void {
    this.matched += count
    this.#digests.source.update(records)
    this.#digests.target?.update(records)
  }

  differ(stretch: Stretch): void {
    const [source, target] = this.#withoutExcused(stretch)
    if (source.length === 0 && target.length === 0) return
    this.#digests.target ??= this.#digests.source.copy()
    this.#digest(
      'source',
      Float64Array.from(source, ({ identity }) => identity)
    )
    this.#digest(
      'target',
      Float64Array.from(target, ({ identity }) => identity)
    )
    if (this.superseded) this.superseded.add(source, target)
    else this.judge.judge(source, target, stretch.places)
  }

  /** Records of one side that were passed over until the sides agreed again. */
  skip(side: Side, { count, head, last }: Skipped, places: Stretch['places']): void {
    if (!this.hasMatched && this.#rules.leads[side]) {
      this.lead[side] += count
      return
    }
    const isRepeat = side === 'target' && this.judge.isRepeat(last, count)
    // One is told, and its class is that of all.
    const told = isRepeat ? head.slice(0, 1) : head
    const [source, target] = side === 'source' ? [told, []] : [[], told]
    if (isRepeat && told[0]) this.judge.history.push(Float64Array.of(told[0].identity))
    this.differ({ source, target, places, isTail: false })
    const name = side === 'source' ? 'missing' : isRepeat ? 'duplicated' : 'extra'
    this.judge.count(name, count - told.length)
  }

  /** Both sides are through. */
  end(): void {
    if (!this.superseded) return
    const { source, target } = this.superseded.end()
    const places = { source: source[0]?.offset ?? 0, target: target[0]?.offset ?? 0 }
    this.judge.judge(source, target, places)
  }

  digests(): { source: string; target: string } {
    const { source, target } = this.#digests
    const digest = source.copy().digest('hex')
    return { source: digest, target: target ? target.copy().digest('hex') : digest }
  }

  #withoutExcused({ source, target, isTail }: Stretch): [RecordRow[], RecordRow[]] {
    const { leads, committed, ignoresTargetRest } = this.#rules
    let [ours, theirs] = [[...source], [...target]]
    if (isTail) {
      ours = ours.filter(({ offset }) => offset < committed)
      this.beyond += source.length - ours.length
      if (ignoresTargetRest) theirs = []
    }
    if (!this.hasMatched && leads.source) {
      this.lead.source += ours.length
      ours = []
    }
    if (!this.hasMatched && leads.target) {
      this.lead.target += theirs.length
      theirs = []
    }
    return [ours, theirs]
  }

  #digest(side: Side, identities: Float64Array): void {
    this.#digests[side]?.update(
      new Uint8Array(identities.buffer, identities.byteOffset, identities.byteLength)
    )
  }
}

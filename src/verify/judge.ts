// Judges records without a like at their place: moved, doubled, changed, lost, or not from the source at all.

import {
  changedParts,
  type Difference,
  type DifferenceClass,
  type DifferenceCounts,
  noDifferences
} from './differences.ts'
import { History } from './history.ts'
import { pairChanged } from './pair-changed.ts'
import { flags, type RecordRow } from './record-columns.ts'
import { Strays } from './strays.ts'

/** Records in a row that are judged as one where their last is a double. */
const longRun = 1_000
/** Differences that are kept to be told; the others are only counted. */
const mostTold = 100

export interface Places {
  /** Offsets of what comes next on either side. */
  source: number
  target: number
}

export class Judge {
  readonly counts: DifferenceCounts = noDifferences()
  /** The first ones, in order. */
  readonly told: Difference[] = []
  /** Records whose time alone differs, for the target sets its own. */
  replacedTimes = 0
  readonly history = new History()
  readonly #hasTimes: boolean
  readonly #missing = new Strays()
  readonly #extra = new Strays()

  constructor(hasTimes: boolean) {
    this.#hasTimes = hasTimes
  }

  /** Records that are the same on both sides: one of them may have come before as well. */
  pass(identities: Float64Array): void {
    if (!this.#extra.isEmpty) {
      for (const identity of identities) {
        for (let early = this.#extra.take(identity); early; early = this.#extra.take(identity)) {
          this.#become(early, 'duplicated')
        }
      }
    }
    this.history.push(identities)
  }

  /** No record of the target waits for its like on both sides: none of them has to be seen. */
  get waitsForNone(): boolean {
    return this.#extra.isEmpty
  }

  judge(source: readonly RecordRow[], target: readonly RecordRow[], places: Places): void {
    const found: Difference[] = []
    const [ours, theirs] = this.#moved(source, target, places, found)
    const pairs = pairChanged(ours, theirs, this.#hasTimes)
    const [pairedSource, pairedTarget] = [new Set<number>(), new Set<number>()]
    for (const [at, to] of pairs) {
      pairedSource.add(at)
      pairedTarget.add(to)
      this.#changed(ours[at] as RecordRow, theirs[to] as RecordRow, found)
    }
    for (const [at, row] of ours.entries()) {
      if (pairedSource.has(at)) continue
      const difference: Difference = {
        class: 'missing',
        source: row,
        ...placesOf(row, undefined, places)
      }
      this.#missing.remember(row.identity, difference)
      found.push(difference)
    }
    for (const [at, row] of theirs.entries()) {
      if (pairedTarget.has(at)) continue
      const difference: Difference = {
        class: 'extra',
        target: row,
        ...placesOf(undefined, row, places)
      }
      this.#extra.remember(row.identity, difference)
      found.push(difference)
    }
    this.#note(found)
  }

  /** Whether a run of target records is one of before: its end is, and the memory of its beginning may be gone. */
  isRepeat(last: RecordRow | undefined, length: number): boolean {
    return last !== undefined && length >= longRun && this.history.has(last.identity)
  }

  /** Many at once, of which only the number is known. */
  count(name: DifferenceClass, number: number): void {
    this.counts[name] += number
  }

  /** Settles what has its like somewhere else, and gives back the others. */
  #moved(
    source: readonly RecordRow[],
    target: readonly RecordRow[],
    places: Places,
    found: Difference[]
  ): [source: RecordRow[], target: RecordRow[]] {
    const here = new Strays()
    const ours: RecordRow[] = []
    const open = new Map<Difference, RecordRow>()
    for (const row of source) {
      const early = this.#extra.take(row.identity)
      if (early) {
        early.source = row
        this.#become(early, 'reordered')
        this.#settle(row)
        continue
      }
      const difference: Difference = {
        class: 'reordered',
        source: row,
        ...placesOf(row, undefined, places)
      }
      here.remember(row.identity, difference)
      open.set(difference, row)
    }
    const isRepeat = this.isRepeat(target.at(-1), target.length)
    const theirs = target.filter(row => {
      const difference = here.take(row.identity)
      if (difference) {
        difference.target = row
        open.delete(difference)
        found.push(difference)
        this.#settle(row)
        return false
      }
      return !this.#isOfBefore(row, places, isRepeat, found)
    })
    ours.push(...open.values())
    return [ours, theirs]
  }

  /** A record that has found its like: others of it are doubles. */
  #settle({ identity }: RecordRow): void {
    this.pass(Float64Array.of(identity))
  }

  #isOfBefore(row: RecordRow, places: Places, isRepeat: boolean, found: Difference[]): boolean {
    const late = this.#missing.take(row.identity)
    if (late) {
      late.target = row
      this.#become(late, 'reordered')
      this.#settle(row)
      return true
    }
    if (!isRepeat && !this.history.has(row.identity)) return false
    found.push({ class: 'duplicated', target: row, ...placesOf(undefined, row, places) })
    return true
  }

  #changed(source: RecordRow, target: RecordRow, found: Difference[]): void {
    const [part, ...others] = changedParts(source, target, this.#hasTimes)
    const isTimeAlone = part === 'timestamp-changed' && others.length === 0
    if (part === undefined || (isTimeAlone && (target.flags & flags.appendTime) !== 0)) {
      this.replacedTimes++
      return
    }
    const places = { sourcePlace: source.offset, targetPlace: target.offset }
    found.push({ class: part, source, target, ...places })
  }

  #become(difference: Difference, name: DifferenceClass): void {
    this.counts[difference.class]--
    this.counts[name]++
    difference.class = name
  }

  #note(found: readonly Difference[]): void {
    for (const difference of found) this.counts[difference.class]++
    if (this.told.length >= mostTold) return
    const inOrder = [...found].sort(
      (a, b) => a.sourcePlace - b.sourcePlace || a.targetPlace - b.targetPlace
    )
    this.told.push(...inOrder.slice(0, mostTold - this.told.length))
  }
}

function placesOf(
  source: RecordRow | undefined,
  target: RecordRow | undefined,
  places: Places
): Pick<Difference, 'sourcePlace' | 'targetPlace'> {
  return {
    sourcePlace: source?.offset ?? places.source,
    targetPlace: target?.offset ?? places.target
  }
}

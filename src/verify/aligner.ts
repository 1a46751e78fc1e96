// Goes through both sides of a partition at once and finds out where they are the same, whatever one of them lacks or has twice.

import { type Gate, openGate } from './gate.ts'
import type { Ledger } from './ledger.ts'
import { type Matches, matchWindows } from './match-windows.ts'
import { likeness } from './pair-changed.ts'
import { type ClosedSides, Passage } from './passage.ts'
import type { RecordRow } from './record-columns.ts'
import type { RecordQueue } from './record-queue.ts'

/** One side: a RecordStream, or what a gathered topic holds of one source. */
export interface AlignedSide {
  readonly queue: RecordQueue
  readonly isEnded: boolean
  /** Behind the last record. */
  readonly end: number
  fill(count: number): Promise<void>
  /** Undefined: it cannot go back. */
  seek?(offset: number): void
}

export interface AlignerOptions {
  hasTimes: boolean
  /** Lets a few partitions at a time hold large windows. */
  wide?: Gate
  /** Most records of a window. */
  mostWindow?: number
  /** The source's side ends anywhere in its log: so many records of the target are looked through for its last. */
  runWindow?: number
  /** Source offset from which on nothing has to be on the target: not read where the target is through. */
  committed?: number
  /** Both sides once more, where batches may be passed over closed. */
  closed?: ClosedSides
}

const firstWindow = 256
const growth = 4
/** Windows beyond it need a pass of the gate. */
const narrowWindow = 16_384
export const mostWindow = 262_144
/** Long searches for the next record that is on both sides; each may read a whole side. */
const mostSearches = 3
const anchorRecords = 4_096
const searchStep = 8_192
/** So many records in a row have to be the same before a search believes that it has found the place. */
const believable = 8
const headRows = 100
/** Records that the other side is to have opened at once, to come to the end of a batch on both sides together. */
const mostEven = 4_096

export class Aligner {
  readonly #source: AlignedSide
  readonly #target: AlignedSide
  readonly #ledger: Ledger
  readonly #options: Required<Omit<AlignerOptions, 'closed'>>
  readonly #passage: Passage | undefined
  #searches = 0

  constructor(source: AlignedSide, target: AlignedSide, ledger: Ledger, options: AlignerOptions) {
    this.#source = source
    this.#target = target
    this.#ledger = ledger
    const { closed, ...others } = options
    this.#passage = closed && new Passage(closed, ledger, options.hasTimes)
    this.#options = { wide: openGate, mostWindow, runWindow: 0, committed: Infinity, ...others }
  }

  async run(): Promise<void> {
    const [source, target] = [this.#source, this.#target]
    for (;;) {
      await this.#passage?.pass()
      const enough = (side: AlignedSide) => Math.max(1, Math.min(mostEven, side.queue.length))
      await Promise.all([source.fill(enough(target)), target.fill(enough(source))])
      if (source.queue.length === 0 || target.queue.length === 0) break
      const same = countSame(source.queue.front(), target.queue.front())
      if (same > 0) {
        this.#ledger.match(source.queue, target.queue, same)
        continue
      }
      await this.#passage?.recall()
      if (!(await this.#align())) break
    }
    if (target.queue.length > 0) await this.#passage?.recall()
    await this.#finish()
    this.#ledger.end()
  }

  /** False when the two sides have nothing in common any more. */
  async #align(): Promise<boolean> {
    const release = { pass: undefined as (() => void) | undefined }
    try {
      for (
        let window = firstWindow;
        ;
        window = Math.min(window * growth, this.#options.mostWindow)
      ) {
        if (window > narrowWindow) release.pass ??= await this.#options.wide.enter()
        const isRest = await this.#fill(window)
        if (this.#areChanged(window)) return true
        const matches = this.#match(window)
        const isLast = window === this.#options.mostWindow
        if (isRest || this.#isConvincing(matches, window, isLast)) {
          this.#consume(matches, isRest)
          return !isRest
        }
        if (isLast) return await this.#search()
      }
    } finally {
      release.pass?.()
    }
  }

  /** True when the windows hold everything that is left. */
  async #fill(window: number): Promise<boolean> {
    const [source, target] = [this.#source, this.#target]
    await Promise.all([source.fill(window), target.fill(window)])
    const isWhole = (side: AlignedSide) => side.isEnded && side.queue.length <= window
    const { runWindow } = this.#options
    const isBehindRun = runWindow > 0 && window >= runWindow
    return isWhole(source) && (isBehindRun || isWhole(target))
  }

  #match(window: number): Matches {
    return matchWindows(
      this.#source.queue.identities(window),
      this.#target.queue.identities(window)
    )
  }

  /** A few that are the same by chance must not tear the sides apart. */
  #isConvincing({ source }: Matches, window: number, isLast: boolean): boolean {
    const shorter = Math.min(window, this.#source.queue.length, this.#target.queue.length)
    return source.length >= (isLast ? believable : Math.max(believable, shorter / 4))
  }

  /** Passes over what was matched, and over what lies between; with the rest, over all of it. */
  #consume({ source: ours, target: theirs }: Matches, isRest: boolean): void {
    let [fromSource, fromTarget] = [0, 0]
    for (let index = 0; index < ours.length; ) {
      const [at, to] = [ours[index] as number, theirs[index] as number]
      this.#differ(at - fromSource, to - fromTarget, false)
      let run = 1
      while (ours[index + run] === at + run && theirs[index + run] === to + run) run++
      this.#ledger.match(this.#source.queue, this.#target.queue, run)
      index += run
      fromSource = at + run
      fromTarget = to + run
    }
    if (isRest) this.#differ(this.#source.queue.length, this.#target.queue.length, true)
  }

  #differ(source: number, target: number, isTail: boolean): void {
    if (source === 0 && target === 0) return
    const places = this.#places()
    const rows = {
      source: [...this.#source.queue.rows(source)],
      target: [...this.#target.queue.rows(target)]
    }
    this.#source.queue.drop(source)
    this.#target.queue.drop(target)
    this.#ledger.differ({ ...rows, places, isTail })
  }

  #places(): { source: number; target: number } {
    const placeOf = (side: AlignedSide) => side.queue.first()?.offset ?? side.end
    return { source: placeOf(this.#source), target: placeOf(this.#target) }
  }

  /** Every record was changed in the same way: none is the same, yet each has its counterpart at its place. */
  #areChanged(window: number): boolean {
    const count = Math.min(window, this.#source.queue.length, this.#target.queue.length)
    if (window !== firstWindow || count < firstWindow) return false
    const theirs = this.#target.queue.rows(count)
    let alike = 0
    for (const row of this.#source.queue.rows(count)) {
      const counterpart = theirs.next().value as RecordRow
      if (row.identity === counterpart.identity) return false
      if (likeness(row, counterpart, this.#options.hasTimes, true) >= 2) alike++
    }
    if (alike < count * 0.9) return false
    this.#differ(count, count, false)
    return true
  }

  /** Beyond the windows: reads on one side until it comes to what the other side has now, then the other way round. */
  async #search(): Promise<boolean> {
    if (!this.#source.seek || !this.#target.seek || this.#searches++ >= mostSearches) return false
    const [ours, theirs] = [this.#source.queue.first(), this.#target.queue.first()]
    const isTargetOlder = (theirs?.time ?? 0) < (ours?.time ?? 0)
    const sides = isTargetOlder ? (['target', 'source'] as const) : (['source', 'target'] as const)
    for (const side of sides) if (await this.#searchOn(side)) return true
    return false
  }

  async #searchOn(side: 'source' | 'target'): Promise<boolean> {
    const [moving, standing] =
      side === 'source' ? [this.#source, this.#target] : [this.#target, this.#source]
    const places = this.#places()
    const anchors = new Anchors(standing.queue.identities(anchorRecords))
    const head = [...moving.queue.rows(Math.min(headRows, moving.queue.length))]
    let passed = 0
    let last: RecordRow | undefined
    for (;;) {
      await moving.fill(searchStep)
      const found = anchors.find(moving.queue.identities(searchStep))
      if (found) {
        passed += found.at
        last = lastOf(moving.queue, found.at) ?? last
        moving.queue.drop(found.at)
        this.#ledger.skip(side, { count: passed, head: head.slice(0, passed), last }, places)
        return true
      }
      if (moving.isEnded && moving.queue.length <= searchStep) break
      // A row of anchors may begin at the end of this step.
      const step = searchStep - believable
      passed += step
      last = lastOf(moving.queue, step)
      moving.queue.drop(step)
    }
    moving.seek?.(places[side])
    return false
  }

  /** A mirror that has only begun leaves a whole log behind its commit, which nobody needs to read. */
  #leaveBeyond(): boolean {
    const next = this.#source.queue.first()?.offset ?? 0
    if (next < this.#options.committed || this.#source.isEnded) return false
    this.#ledger.beyond += this.#source.end - next
    return true
  }

  /** What is left on one side has no like; after a failed search what is left on both is not compared. */
  async #finish(): Promise<void> {
    const [source, target] = [this.#source, this.#target]
    await Promise.all([source.fill(1), target.fill(1)])
    // A few records at the end of one side without a like are differences like others.
    const isFew = ({ isEnded, queue }: AlignedSide) => isEnded && queue.length <= headRows
    if (isFew(target) && this.#options.runWindow === 0) this.#differ(0, target.queue.length, false)
    else if (isFew(source)) this.#differ(source.queue.length, 0, true)
    const isApart = source.queue.length > 0 && target.queue.length > 0
    if (isApart) this.#ledger.apartFrom = this.#places()
    for (const [name, side] of [
      ['source', source],
      ['target', target]
    ] as const) {
      if (name === 'target' && this.#options.runWindow > 0) continue
      for (await side.fill(searchStep); side.queue.length > 0; await side.fill(searchStep)) {
        if (name === 'source' && !isApart && this.#leaveBeyond()) break
        const count = Math.min(searchStep, side.queue.length)
        if (isApart) {
          this.#ledger.unaligned[name] += count
          side.queue.drop(count)
        } else {
          this.#differ(name === 'source' ? count : 0, name === 'target' ? count : 0, true)
        }
      }
    }
  }
}

/** Records of the standing side, to be found again on the other one. */
class Anchors {
  readonly #identities: Float64Array
  readonly #places = new Map<number, number>()

  constructor(identities: Float64Array) {
    this.#identities = identities
    for (const [place, identity] of identities.entries()) {
      if (!this.#places.has(identity)) this.#places.set(identity, place)
    }
  }

  /** Where a row of them begins. */
  find(identities: Float64Array): { at: number } | undefined {
    for (let at = 0; at < identities.length; at++) {
      const place = this.#places.get(identities[at] as number)
      if (place === undefined) continue
      const wanted = Math.min(believable, this.#identities.length - place)
      let row = 1
      while (row < wanted && identities[at + row] === this.#identities[place + row]) row++
      if (row >= wanted) return { at }
    }
    return undefined
  }
}

function lastOf(queue: RecordQueue, count: number): RecordRow | undefined {
  return count === 0 ? undefined : [...queue.rows(count)].at(-1)
}

function countSame(source: Float64Array, target: Float64Array): number {
  const most = Math.min(source.length, target.length)
  let same = 0
  while (same < most && source[same] === target[same]) same++
  return same
}

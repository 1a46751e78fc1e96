// Takes a target partition apart that several sources were gathered in: each source gets the records that are its own.

import type { AlignedSide } from './aligner.ts'
import { columnsOf, type RecordRow } from './record-columns.ts'
import { RecordQueue } from './record-queue.ts'

/** Target records that are dealt out at once, and how far ahead each source is looked through for them. */
const roundRecords = 4_096
const lookAhead = 16_384
/** Records dealt out last, so that a double goes to the source of the first one. */
const mostDealt = 65_536

/** Gives the target's side for each source, in their order. */
export function splitTarget(target: AlignedSide, sources: readonly AlignedSide[]): AlignedSide[] {
  return new Dealer(target, sources).shares
}

/** What the target has of one source. */
class Share implements AlignedSide {
  readonly queue = new RecordQueue()
  readonly end: number
  readonly #dealer: Dealer

  constructor(dealer: Dealer, end: number) {
    this.#dealer = dealer
    this.end = end
  }

  get isEnded(): boolean {
    return this.#dealer.isEnded
  }

  async fill(count: number): Promise<void> {
    while (this.queue.length < count && !this.isEnded) await this.#dealer.deal()
  }
}

class Dealer {
  readonly shares: Share[]
  readonly #target: AlignedSide
  readonly #sources: readonly AlignedSide[]
  #dealing: Promise<void> | undefined
  /** The source of each record that was dealt out lately. */
  readonly #dealt = new Map<number, number>()

  constructor(target: AlignedSide, sources: readonly AlignedSide[]) {
    this.#target = target
    this.#sources = sources
    this.shares = sources.map(() => new Share(this, target.end))
  }

  get isEnded(): boolean {
    return this.#target.isEnded && this.#target.queue.length === 0
  }

  /** One round for all shares, whoever asks. */
  deal(): Promise<void> {
    this.#dealing ??= this.#dealOnce().finally(() => {
      this.#dealing = undefined
    })
    return this.#dealing
  }

  async #dealOnce(): Promise<void> {
    await Promise.all([
      this.#target.fill(roundRecords),
      ...this.#sources.map(source => source.fill(lookAhead))
    ])
    const count = Math.min(roundRecords, this.#target.queue.length)
    const rows = [...this.#target.queue.rows(count)]
    this.#target.queue.drop(count)
    const owners = this.#owners(rows)
    for (const [index, share] of this.shares.entries()) {
      share.queue.push(columnsOf(rows.filter((_, at) => owners[at] === index)))
    }
  }

  #owners(rows: readonly RecordRow[]): number[] {
    const open = this.#sources.map(({ queue }, index) =>
      openPlaces(queue.identities(lookAhead), this.shares[index] as Share)
    )
    const owners = rows.map(() => -1)
    // First what only one source has: it tells how far each of them has come.
    for (const [at, { identity }] of rows.entries()) {
      const holders = open.flatMap((places, index) => (places.has(identity) ? [index] : []))
      const [only] = holders
      if (holders.length === 1 && only !== undefined) owners[at] = only
    }
    this.#dealEqual(rows, open, owners)
    this.#dealStrange(rows, owners)
    for (const [at, { identity }] of rows.entries()) this.#dealt.set(identity, owners[at] as number)
    for (const oldest of this.#dealt.keys()) {
      if (this.#dealt.size <= mostDealt) break
      this.#dealt.delete(oldest)
    }
    return owners
  }

  /** Records that several sources have alike: to the one that has to have its own soonest. */
  #dealEqual(
    rows: readonly RecordRow[],
    open: readonly Map<number, number[]>[],
    owners: number[]
  ): void {
    const coming = open.map((places, index) => comingPlaces(rows, places, owners, index))
    for (const [at, { identity }] of rows.entries()) {
      const owner = owners[at] as number
      if (owner >= 0) {
        open[owner]?.get(identity)?.shift()
        continue
      }
      let [best, soonest] = [-1, Number.POSITIVE_INFINITY]
      for (const [index, places] of open.entries()) {
        const [place] = places.get(identity) ?? []
        if (place === undefined) continue
        const next = coming[index]?.[at]
        // Behind a record that is yet to come it is not its turn: only if nobody else has it.
        const isDue = next === undefined || place < next.place
        const due = isDue ? (next?.at ?? Number.MAX_SAFE_INTEGER - 1) : Number.MAX_SAFE_INTEGER
        if (due >= soonest) continue
        best = index
        soonest = due
      }
      if (best < 0) continue
      owners[at] = best
      open[best]?.get(identity)?.shift()
    }
  }

  /** Doubles to the source of the first; what was changed to the one that has a similar record; the rest to the first. */
  #dealStrange(rows: readonly RecordRow[], owners: number[]): void {
    if (!owners.includes(-1)) return
    const similar = this.#sources.map(({ queue }) => {
      const found = new Set<string>()
      for (const row of queue.rows(Math.min(lookAhead, queue.length))) {
        found.add(`v${row.value}`)
        found.add(`k${row.key} ${row.time}`)
      }
      return found
    })
    for (const [at, row] of rows.entries()) {
      if (owners[at] !== -1) continue
      const before = this.#dealt.get(row.identity)
      if (before !== undefined) {
        owners[at] = before
        continue
      }
      const names = [`v${row.value}`, `k${row.key} ${row.time}`]
      const index = similar.findIndex(found => names.some(name => found.has(name)))
      owners[at] = Math.max(0, index)
    }
  }
}

/** By identity, the places of a source's records that are not dealt out yet. */
function openPlaces(identities: Float64Array, share: Share): Map<number, number[]> {
  const places = new Map<number, number[]>()
  for (const [place, identity] of identities.entries()) {
    const found = places.get(identity)
    if (found) found.push(place)
    else places.set(identity, [place])
  }
  // These wait in the share already.
  for (const identity of share.queue.identities(share.queue.length)) places.get(identity)?.shift()
  for (const [identity, found] of places) if (found.length === 0) places.delete(identity)
  return places
}

/** For each target record, the source's next record that is here for certain: its place there and here. */
function comingPlaces(
  rows: readonly RecordRow[],
  places: ReadonlyMap<number, readonly number[]>,
  owners: readonly number[],
  source: number
): ({ place: number; at: number } | undefined)[] {
  const coming: ({ place: number; at: number } | undefined)[] = []
  let next: { place: number; at: number } | undefined
  for (let at = rows.length - 1; at >= 0; at--) {
    const [place] =
      owners[at] === source ? (places.get((rows[at] as RecordRow).identity) ?? []) : []
    if (place !== undefined) next = { place, at }
    coming[at] = next
  }
  return coming
}

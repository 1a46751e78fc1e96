// All lanes of a link: which source partitions are ours, which of them the native core has, and the
// newest snapshot of those.

import type { Isolation, LaneStart, Link, LinkSnapshot, TopicPartition } from '../native/index.ts'
import { column, laneWidth } from './columns.ts'
import type { StableEnd } from './held-back.ts'
import { Lane, laneName, type OwnProgress, type Refusal } from './lane.ts'
import { addCounts, noCounts, readCounts } from './lane-counts.ts'

/** Sees one row: it begins at `at`. */
export type RowVisitor = (lane: Lane, rows: Float64Array, at: number) => void

/** How old a snapshot may be that nobody needs fresh: taking one copies every lane's row. */
const snapshotAgeMs = 1_000

export class Lanes {
  readonly #link: Link
  readonly #byName = new Map<string, Lane>()
  readonly #byId = new Map<number, Lane>()
  /** Given up since the events were looked at last: some may be theirs. */
  readonly #removedById = new Map<number, Lane>()
  readonly #pending = new Set<Lane>()
  #snapshot: LinkSnapshot | undefined
  #takenAt = 0
  #isFrozen = false
  #isClosed = false
  /** Where a row tells the end of what can be read. */
  readonly readableEnd: number

  constructor(link: Link, isolation: Isolation) {
    this.#link = link
    this.readableEnd =
      isolation === 'read_committed' ? column.lastStableOffset : column.highWatermark
  }

  /** Every source partition that was ours at some time. */
  all(): Iterable<Lane> {
    return this.#byName.values()
  }

  /** Ours, and neither given to the core nor refused yet. */
  get pending(): ReadonlySet<Lane> {
    return this.#pending
  }

  find(topic: string, partition: number): Lane | undefined {
    return this.#byName.get(laneName(topic, partition))
  }

  byId(id: number): Lane | undefined {
    return this.#byId.get(id)
  }

  removedById(id: number): Lane | undefined {
    return this.#removedById.get(id)
  }

  /** To be called when the events of removed lanes have been read. */
  forgetRemoved(): void {
    this.#removedById.clear()
  }

  /** The lanes that the core has. */
  running(): Iterable<Lane> {
    return this.#byId.values()
  }

  /** Whether lanes may still begin. */
  get isOpen(): boolean {
    return !this.#isClosed
  }

  /** No lane begins any more: the link drains. */
  close(): void {
    this.#isClosed = true
  }

  /** The partitions are ours from now on. */
  hold(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const lane = this.find(topic, partition) ?? new Lane(topic, partition)
      if (lane.isHeld) continue
      this.#byName.set(lane.name, lane)
      lane.isHeld = true
      lane.tenure++
      lane.refusal = undefined
      lane.detail = undefined
      this.#pending.add(lane)
    }
  }

  /** The partitions are not ours any more; their lanes stay in the core until they are removed. */
  release(partitions: readonly TopicPartition[]): Lane[] {
    return partitions.flatMap(({ topic, partition }) => {
      const lane = this.find(topic, partition)
      if (!lane?.isHeld) return []
      lane.isHeld = false
      this.#pending.delete(lane)
      return lane
    })
  }

  refuse(lane: Lane, refusal: Refusal): void {
    lane.refusal = refusal
    this.#pending.delete(lane)
  }

  /** Gives lanes that were refused another chance. */
  reconsider(): void {
    for (const lane of this.#byName.values()) {
      if (!lane.isHeld || !lane.refusal) continue
      this.#pending.add(lane)
    }
  }

  /** Lanes that the core gave back are begun anew. */
  pendAgain(lane: Lane): void {
    this.remove([lane])
    if (lane.isHeld && !this.#isClosed) this.#pending.add(lane)
  }

  /** Hands lanes to the core. */
  begin(starts: readonly { lane: Lane; start: LaneStart }[]): void {
    if (starts.length === 0 || this.#isClosed) return
    const ids = this.#link.addLanes(starts.map(({ start }) => start))
    for (const [index, { lane, start }] of starts.entries()) {
      lane.id = ids[index] as number
      lane.start = start.offset
      lane.refusal = undefined
      lane.detail = undefined
      this.#pending.delete(lane)
      this.#byId.set(lane.id, lane)
    }
    this.#snapshot = undefined
  }

  /** Takes lanes from the core and keeps what they did. */
  remove(lanes: readonly Lane[]): void {
    const gone = new Set(lanes.filter(lane => lane.id !== 0))
    if (gone.size === 0) return
    this.eachRow((lane, rows, at) => {
      if (!gone.has(lane)) return
      lane.past = addCounts(lane.past ?? noCounts, readCounts(rows, at))
      lane.own = readOwn(lane, rows, at)
    }, 0)
    this.#link.removeLanes([...gone].map(lane => lane.id))
    for (const lane of gone) {
      this.#byId.delete(lane.id)
      this.#removedById.set(lane.id, lane)
      lane.id = 0
    }
    this.#snapshot = undefined
  }

  snapshot(maxAgeMs = snapshotAgeMs): LinkSnapshot {
    if (this.#snapshot && (this.#isFrozen || performance.now() - this.#takenAt < maxAgeMs)) {
      return this.#snapshot
    }
    this.#snapshot = this.#link.snapshot()
    this.#takenAt = performance.now()
    return this.#snapshot
  }

  eachRow(visit: RowVisitor, maxAgeMs = snapshotAgeMs): void {
    const rows = this.snapshot(maxAgeMs).lanes
    for (let at = 0; at < rows.length; at += laneWidth) {
      const lane = this.#byId.get(rows[at + column.id] as number)
      if (lane) visit(lane, rows, at)
    }
  }

  /** How far the source's logs can be read, and how far they go. */
  *stableEnds(): Iterable<[Lane, StableEnd]> {
    const rows = this.snapshot().lanes
    for (let at = 0; at < rows.length; at += laneWidth) {
      const lane = this.#byId.get(rows[at + column.id] as number)
      const lastStableOffset = rows[at + column.lastStableOffset] as number
      const highWatermark = rows[at + column.highWatermark] as number
      if (lane) yield [lane, { lastStableOffset, highWatermark }]
    }
  }

  /** The last look: what is shown afterwards is how it was at the end. */
  freeze(): void {
    this.snapshot(0)
    this.#isFrozen = true
  }
}

function readOwn(lane: Lane, rows: Float64Array, at: number): OwnProgress {
  const offset = rows[at + column.checkpoint] as number
  return {
    offset,
    branches: lane.branchesAt(offset),
    producerId: rows[at + column.producerId] as number,
    producerEpoch: rows[at + column.producerEpoch] as number,
    nextSequence: rows[at + column.nextSequence] as number,
    targetEnd: rows[at + column.targetEnd] as number,
    leaderEpoch: rows[at + column.leaderEpoch] as number,
    deeds: lane.deedsWith(readCounts(rows, at))
  }
}

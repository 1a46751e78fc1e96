// How far a lane has come on the partitions of the target to which handlers send its records beside its own.
//
// Each such partition is a branch, with a producer of its own for this lane. What is written to branches is ahead of
// what the lane has committed, so that a checkpoint takes off what lies behind it.

import type { ProducerStamp, TopicPartition } from '../native/index.ts'
import type { Passing, SentElsewhere } from '../transform/elsewhere.ts'
import { type BranchEnd, fitsCheckpoint } from './branch-ends.ts'
import { laneName } from './lane.ts'
import { addRecords } from './sequences.ts'

/** So many records were found on the target behind the checkpoint. */
export interface BranchStart extends BranchEnd {
  arrived: number
}

/** What is on the target of one batch of the source. */
interface Written {
  /** Runs of source offsets, as in a ResealedBatch. */
  offsets: Float64Array
  records: number
  /** Target offset of the first; -1 not known. */
  base: number
}

export class FanOut {
  readonly #branches = new Map<string, Branch>()

  constructor(starts: readonly BranchStart[] = []) {
    for (const { arrived, ...end } of starts)
      this.#branches.set(partitionName(end), new Branch(end, arrived))
  }

  has(place: TopicPartition): boolean {
    return this.#branches.has(partitionName(place))
  }

  /** Nothing is written there yet. */
  add(end: BranchEnd): void {
    this.#branches.set(partitionName(end), new Branch(end, 0))
  }

  /** Undefined for a partition that is none of the branches. */
  stampOf(place: TopicPartition): ProducerStamp | undefined {
    return this.#branches.get(partitionName(place))?.stamp
  }

  /** At `base` on the target; -1 where that is not known. */
  noteWritten({ offsets, ...place }: SentElsewhere, base: number): void {
    this.#branches.get(partitionName(place))?.note(offsets, base)
  }

  /** These were there already. */
  notePassed(passed: readonly SentElsewhere[]): void {
    for (const { offsets, ...place } of passed)
      this.#branches.get(partitionName(place))?.pass(offsets)
  }

  /** Whether checkpoints would have room for these too. */
  hasRoomFor(more: readonly TopicPartition[]): boolean {
    const known = [...this.#branches.values()].map(({ end }) => end)
    return fitsCheckpoint([...known, ...more])
  }

  get isPassing(): boolean {
    return this.toPass.length > 0
  }

  /** Records that are there already and have not come by again. */
  get toPass(): Passing[] {
    return [...this.#branches.values()].flatMap(({ end: { topic, partition }, toPass }) =>
      toPass > 0 ? { topic, partition, records: toPass } : []
    )
  }

  /** For a checkpoint at this source offset, which never goes back. */
  at(offset: number): BranchEnd[] {
    return [...this.#branches.values()].map(branch => branch.at(offset))
  }
}

class Branch {
  /** Behind everything that has been committed. */
  end: BranchEnd
  toPass: number
  /** In the order of the source. */
  readonly #ahead: Written[] = []
  #aheadRecords = 0

  constructor(end: BranchEnd, toPass: number) {
    this.end = end
    this.toPass = toPass
  }

  get stamp(): ProducerStamp {
    const { producerId, producerEpoch, nextSequence } = this.end
    const baseSequence = addRecords(nextSequence, this.#aheadRecords)
    return { producerId, producerEpoch, baseSequence }
  }

  note(offsets: Float64Array, base: number): void {
    const records = countBelow(offsets, Number.POSITIVE_INFINITY)
    this.#ahead.push({ offsets, records, base })
    this.#aheadRecords += records
  }

  pass(offsets: Float64Array): void {
    this.note(offsets, -1)
    this.toPass -= this.#ahead.at(-1)?.records ?? 0
  }

  at(offset: number): BranchEnd {
    for (;;) {
      const [first] = this.#ahead
      if (first === undefined) return this.end
      const records = countBelow(first.offsets, offset)
      const end = behind(this.end, first, records)
      if (records < first.records) return end
      this.end = end
      this.#ahead.shift()
      this.#aheadRecords -= records
    }
  }
}

function behind(end: BranchEnd, { base }: Written, records: number): BranchEnd {
  const isPlaced = base >= 0 && records > 0
  return {
    ...end,
    nextSequence: addRecords(end.nextSequence, records),
    targetEnd: isPlaced ? base + records : end.targetEnd
  }
}

/** Several records may be of one source offset. */
function countBelow(offsets: Float64Array, limit: number): number {
  let records = 0
  for (let at = 0; at < offsets.length; at += 3) {
    const [first, , count] = offsets.subarray(at, at + 3) as unknown as [number, number, number]
    records += Math.max(0, Math.min(count, limit - first))
  }
  return records
}

function partitionName({ topic, partition }: TopicPartition): string {
  return laneName(topic, partition)
}

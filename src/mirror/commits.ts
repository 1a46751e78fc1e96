// Commits checkpoints on the source: changed lanes only, one commit at a time, retried at the next turn.

import type { Logger } from 'pino'
import { failureOf, type Group, type KafkaFailure, type OffsetToCommit } from '../native/index.ts'
import { type Checkpoint, encodeCheckpoint } from './checkpoint.ts'
import { column } from './columns.ts'
import { type KeptStop, keptStopOf } from './kept-stops.ts'
import type { Lane } from './lane.ts'
import { noCounts, readCounts } from './lane-counts.ts'
import type { LaneOrigin } from './lane-origins.ts'
import type { Lanes } from './lanes.ts'
import type { Repeats } from './repeats.ts'

/** A group without members forgets offsets that were not committed for days: idle lanes say theirs again. */
const repeatIdleMs = 3_600_000

export interface CommitsOptions {
  group: Group
  lanes: Lanes
  targetClusterId: string
  log: Logger
  repeats: Repeats
  /** The client cannot go on. */
  onFatal(failure: KafkaFailure): void
}

/** The position at which a lane is going to start for the first time. */
export interface FirstStart {
  lane: Lane
  offset: number
  origin: LaneOrigin
}

interface Pair {
  lane: Lane
  offset: OffsetToCommit
  keptStop: KeptStop | undefined
}

export class Commits {
  readonly #options: CommitsOptions
  #last: Promise<unknown> = Promise.resolve()
  ok = 0
  failed = 0
  lastOkAt: number | undefined

  constructor(options: CommitsOptions) {
    this.#options = options
  }

  /** False when a checkpoint could not be committed. With `only`, of these lanes and from a fresh snapshot. */
  commitChanged(only?: ReadonlySet<Lane>): Promise<boolean> {
    return this.#enqueue(() => this.#send(this.#changed(only)))
  }

  /** Also where the offset is committed already: the producer's identity may be another. */
  commitNow(lanes: ReadonlySet<Lane>): Promise<boolean> {
    return this.#enqueue(() => this.#send(this.#changed(lanes, true)))
  }

  commitFirstStarts(starts: readonly FirstStart[]): Promise<boolean> {
    const pairs = starts.map(({ lane, offset, origin }) => ({
      lane,
      keptStop: undefined,
      offset: this.#offsetToCommit(lane, offset, {
        algorithm: lane.algorithm,
        targetClusterId: this.#options.targetClusterId,
        producerId: origin.producerId,
        producerEpoch: origin.producerEpoch,
        nextSequence: origin.sequence,
        targetEnd: origin.targetEnd,
        isInStep: lane.isInStep,
        level: origin.level,
        sourceTopicId: lane.sourceTopicId,
        targetTopicId: lane.targetTopicId,
        leaderEpoch: -1,
        deeds: lane.deedsWith(noCounts)
      })
    }))
    return this.#enqueue(() => this.#send(pairs))
  }

  /**
   * Commits once more what was committed last. A source that deletes a topic deletes its commits; when there is one of
   * that name again, they tell the next process that another topic was mirrored.
   */
  repeatLast(lanes: readonly Lane[]): Promise<boolean> {
    const pairs = lanes.flatMap(lane => {
      const { lastCommit: offset, committedStop: keptStop } = lane
      return offset ? { lane, keptStop, offset } : []
    })
    return this.#enqueue(() => this.#send(pairs))
  }

  /** Resolves when no commit is under way: none of them can arrive after what the caller does next. */
  async settle(): Promise<void> {
    await this.#last
  }

  #enqueue(work: () => Promise<boolean>): Promise<boolean> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  #changed(only: ReadonlySet<Lane> | undefined, isForced = false): Pair[] {
    const pairs: Pair[] = []
    const now = Date.now()
    this.#options.lanes.eachRow(
      (lane, rows, at) => {
        const checkpoint = rows[at + column.checkpoint] as number
        if (checkpoint < 0 || !(only ? only.has(lane) : lane.isHeld)) return
        const keptStop = keptStopOf(rows, at)
        const isNews = isForced || checkpoint !== lane.committed || keptStop !== lane.committedStop
        if (!isNews && now - lane.committedAt < repeatIdleMs) return
        pairs.push({ lane, keptStop, offset: this.#fromRow(lane, checkpoint, keptStop, rows, at) })
      },
      only ? 0 : undefined
    )
    return pairs
  }

  #fromRow(
    lane: Lane,
    checkpoint: number,
    keptStop: KeptStop | undefined,
    rows: Float64Array,
    at: number
  ): OffsetToCommit {
    return this.#offsetToCommit(lane, checkpoint, {
      algorithm: lane.algorithm,
      targetClusterId: this.#options.targetClusterId,
      producerId: rows[at + column.producerId] as number,
      producerEpoch: rows[at + column.producerEpoch] as number,
      nextSequence: rows[at + column.nextSequence] as number,
      targetEnd: rows[at + column.targetEnd] as number,
      isInStep: lane.isInStep,
      level: lane.level,
      sourceTopicId: lane.sourceTopicId,
      targetTopicId: lane.targetTopicId,
      leaderEpoch: rows[at + column.leaderEpoch] as number,
      deeds: lane.deedsWith(readCounts(rows, at)),
      ...(keptStop && { keptStop }),
      branches: lane.branchesAt(checkpoint)
    })
  }

  #offsetToCommit(
    { topic, partition }: Lane,
    offset: number,
    checkpoint: Checkpoint
  ): OffsetToCommit {
    return { topic, partition, offset, metadata: encodeCheckpoint(checkpoint) }
  }

  async #send(pairs: readonly Pair[]): Promise<boolean> {
    if (pairs.length === 0) return true
    const failure = await this.#commit(pairs)
    if (!failure) {
      this.ok++
      this.lastOkAt = Date.now()
      return true
    }
    this.failed++
    this.#tell(failure, pairs.length)
    if (failure.fatal) this.#options.onFatal(failure)
    return false
  }

  /** The first failure, if there is one. */
  async #commit(pairs: readonly Pair[]): Promise<KafkaFailure | undefined> {
    for (const { lane, offset } of pairs) {
      // Two of them: the newest may have failed, or have arrived without our knowing.
      lane.ownCommits = [offset.metadata, ...lane.ownCommits.slice(0, 1)]
    }
    try {
      const results = await this.#options.group.commit(pairs.map(({ offset }) => offset))
      const now = Date.now()
      for (const [index, { lane, offset, keptStop }] of pairs.entries()) {
        if (results[index]?.failure) continue
        lane.committedStop = keptStop
        lane.committed = offset.offset
        lane.committedAt = now
        lane.lastCommit = offset
      }
      return results.find(({ failure }) => failure)?.failure
    } catch (error) {
      const failure = failureOf(error)
      if (!failure) throw error
      return failure
    }
  }

  #tell(failure: KafkaFailure, lanes: number): void {
    const { repeats, log } = this.#options
    repeats.write(`commit ${failure.name}`, count =>
      log.warn(
        { error: failure.name, code: failure.code, detail: failure.message, lanes, count },
        'checkpoints could not be committed; trying again'
      )
    )
  }
}

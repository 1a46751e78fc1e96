// Writes what handlers send to other partitions than the lane's, before the lane goes on: once, under a producer of the
// lane's own for each partition, wherever the lane's checkpoints can tell of them.

import type { Logger } from 'pino'
import type { Cluster, KafkaFailure, TopicPartition } from '../native/index.ts'
import type { ElsewhereBatch, SentElsewhere } from '../transform/elsewhere.ts'
import { beginAnew } from './begin-anew.ts'
import type { Commits } from './commits.ts'
import { atLeastOnce, type DeliveryReason, type DeliveryWish } from './delivery.ts'
import type { FanOut } from './fan-out.ts'
import type { Lane } from './lane.ts'
import { whyUnproved } from './lane-origins.ts'
import type { Lanes } from './lanes.ts'
import { notYet, type OtherPartitions, OutOfSequence, Refused } from './other-partitions.ts'
import { claimProducers, type ProducerSource } from './producer-claims.ts'
import { inRounds } from './rounds.ts'

/** By the time that its commit was made. */
class GivenUp extends Error {}

export interface FanOutWriterOptions {
  lanes: Pick<Lanes, 'pendAgain' | 'refuse'>
  log: Logger
  target: Pick<Cluster, 'listOffsets'>
  link: ProducerSource
  commits: Pick<Commits, 'commitNow'>
  others: Pick<OtherPartitions, 'write' | 'untilDone'>
  wish: DeliveryWish
  timeoutMs: number
}

export class FanOutWriter {
  readonly #options: FanOutWriterOptions

  constructor(options: FanOutWriterOptions) {
    this.#options = options
  }

  /**
   * Until all is acknowledged, one batch of the source after the other. False: the lane was given up meanwhile, or
   * begins anew since the target knows more of it than we do. Refused as OtherPartitions says.
   */
  async write(
    lane: Lane,
    batches: readonly ElsewhereBatch[],
    passed: readonly SentElsewhere[]
  ): Promise<boolean> {
    const { others, lanes, log } = this.#options
    lane.fanOut?.notePassed(passed)
    if (batches.length === 0) return true
    try {
      const fanOut = await this.#prepare(lane, batches)
      await others.write(batches, {
        stampOf: batch => fanOut?.stampOf(batch),
        noteWritten: (batch, base) => fanOut?.noteWritten(batch, base)
      })
      return true
    } catch (error) {
      if (error instanceof OutOfSequence) {
        log.warn(
          { lane: lane.name, error: error.message },
          'another mirror has written here: the lane begins anew'
        )
        beginAnew(lanes, lane, log)
      } else if (!(error instanceof GivenUp)) throw error
      return false
    }
  }

  /** With a producer for each of the partitions, which is committed before it writes; undefined where there is to be none. */
  async #prepare(lane: Lane, batches: readonly TopicPartition[]): Promise<FanOut | undefined> {
    const { fanOut } = lane
    // Each partition once.
    const [places = []] = inRounds(batches)
    const fresh = places.filter(place => !fanOut?.has(place))
    if (fanOut === undefined || fresh.length === 0) return fanOut
    if (!fanOut.hasRoomFor(fresh)) {
      this.#lower(lane, 'fan-out')
      lane.fanOut = undefined
      return undefined
    }
    await this.#claim(fanOut, fresh)
    await this.#commit(lane, fanOut)
    return fanOut
  }

  async #claim(fanOut: FanOut, places: readonly TopicPartition[]): Promise<void> {
    const { target, link, others, timeoutMs } = this.#options
    const partitions = places.map(({ topic, partition }) => ({ topic, partition }))
    await others.untilDone('partitions of a handler', async () => {
      const ends = await target.listOffsets(partitions, -1, 'read_uncommitted', timeoutMs)
      const missed = ends.find(({ offset }) => offset < 0)
      if (missed) return missed.failure ?? notYet
      const producers = await claimProducers(link, partitions, timeoutMs)
      if (producers.includes(undefined)) return notYet
      for (const [at, { topic, partition, offset }] of ends.entries()) {
        const { producerId, producerEpoch } = producers[at] as NonNullable<(typeof producers)[0]>
        const identity = { topic, partition, producerId, producerEpoch }
        fanOut.add({ ...identity, nextSequence: 0, targetEnd: offset })
      }
      return undefined
    })
  }

  async #commit(lane: Lane, fanOut: FanOut): Promise<void> {
    const { commits, others } = this.#options
    const only = new Set([lane])
    const attempt = async (): Promise<KafkaFailure | undefined> => {
      if (lane.id === 0 || lane.fanOut !== fanOut) throw new GivenUp()
      return (await commits.commitNow(only)) ? undefined : notYet
    }
    await others.untilDone('a commit', attempt)
  }

  #lower(lane: Lane, reason: DeliveryReason): void {
    if (lane.level.delivery === 'at-least-once') return
    const level = atLeastOnce(reason)
    const refusal = whyUnproved(level, this.#options.wish)
    if (refusal) throw new Refused(refusal.detail)
    lane.level = level
  }
}

// Writes what handlers send to other partitions than the lane's, before the lane goes on: once, under a producer of the
// lane's own for each partition, wherever the lane's checkpoints can tell of them.

import type { Cluster, KafkaFailure, TopicPartition } from '../native/index.ts'
import type { ElsewhereBatch, SentElsewhere } from '../transform/elsewhere.ts'
import type { Commits } from './commits.ts'
import { atLeastOnce, type DeliveryReason, type DeliveryWish } from './delivery.ts'
import type { FanOut } from './fan-out.ts'
import type { Lane } from './lane.ts'
import { whyUnproved } from './lane-origins.ts'
import { Forgotten, notYet, type OtherPartitions, Refused } from './other-partitions.ts'
import { claimProducers, type ProducerSource } from './producer-claims.ts'

export interface FanOutWriterOptions {
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

  /** Until all is acknowledged. What a lane writes is to be given one batch of the source after the other. Refused as OtherPartitions says. */
  async write(
    lane: Lane,
    batches: readonly ElsewhereBatch[],
    passed: readonly SentElsewhere[]
  ): Promise<void> {
    // Its next life has another.
    const own = lane.fanOut
    own?.notePassed(passed)
    const left = new Set(batches)
    while (left.size > 0) {
      const fanOut = await this.#prepare(lane, own, [...left])
      try {
        await this.#options.others.write([...left], {
          stampOf: batch => fanOut?.stampOf(batch),
          noteWritten: (batch, base) => {
            fanOut?.noteWritten(batch, base)
            left.delete(batch)
          }
        })
      } catch (error) {
        if (!(error instanceof Forgotten)) throw error
        // What of it has arrived cannot be told any more.
        this.#lower(lane, 'resync-unknown')
        fanOut?.drop(error.place)
      }
    }
  }

  /** With a producer for each of the partitions, which is committed before it writes; undefined where there is to be none. */
  async #prepare(
    lane: Lane,
    fanOut: FanOut | undefined,
    batches: readonly TopicPartition[]
  ): Promise<FanOut | undefined> {
    const places = new Map(batches.map(place => [`${place.topic}-${place.partition}`, place]))
    const fresh = [...places.values()].filter(place => !fanOut?.has(place))
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
      if (lane.id === 0 || lane.fanOut !== fanOut) throw new Refused('the lane was given up')
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

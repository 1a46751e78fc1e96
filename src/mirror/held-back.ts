// Lanes whose last stable offset stands still while records come in behind it: a transaction is open, perhaps one that
// nobody is going to end, and nothing of what comes after it is mirrored.

import type { Logger } from 'pino'
import {
  type Cluster,
  failureOf,
  type ProducerState,
  type TopicPartition
} from '../native/index.ts'
import type { Lane } from './lane.ts'

export interface StableEnd {
  lastStableOffset: number
  highWatermark: number
}

/** The log as it was when the last stable offset was first seen where it stands. */
export interface Standing extends StableEnd {
  since: number
}

/** A producer has a minute to end its transaction by default (transaction.timeout.ms). */
const defaultPeriodMs = 60_000
const timeoutMs = 5_000
const lanesNamed = 10

/** Undefined while nothing is held back. */
export function followStableEnd(
  before: Standing | undefined,
  end: StableEnd,
  now: number
): Standing | undefined {
  if (end.lastStableOffset < 0 || end.lastStableOffset >= end.highWatermark) return undefined
  const stands = before?.lastStableOffset === end.lastStableOffset
  return stands ? before : { ...end, since: now }
}

/** How long; 0 while that is no reason to worry, or nothing has come in since. */
export function heldBackMs(
  standing: Standing | undefined,
  { highWatermark }: StableEnd,
  now: number,
  periodMs: number = defaultPeriodMs
): number {
  if (!standing || highWatermark <= standing.highWatermark) return 0
  const durationMs = now - standing.since
  return durationMs < periodMs ? 0 : durationMs
}

export interface HeldBackOptions {
  source: Pick<Cluster, 'describeProducers'>
  ends(): Iterable<readonly [Lane, StableEnd]>
  log: Logger
  periodMs?: number
}

export class HeldBack {
  readonly #options: HeldBackOptions
  #standing = new Map<Lane, Standing>()

  constructor(options: HeldBackOptions) {
    this.#options = options
  }

  /** To be called every few seconds. */
  async look(now: number = performance.now()): Promise<void> {
    const { ends, log, periodMs } = this.#options
    const standing = new Map<Lane, Standing>()
    const news: Lane[] = []
    for (const [lane, end] of ends()) {
      const next = followStableEnd(this.#standing.get(lane), end, now)
      if (next) standing.set(lane, next)
      const before = lane.heldBackMs
      lane.heldBackMs = heldBackMs(next, end, now, periodMs)
      if (before === 0 && lane.heldBackMs > 0) news.push(lane)
      const { topic, partition } = lane
      if (before > 0 && lane.heldBackMs === 0) {
        log.info({ topic, partition }, 'the open transaction has ended: the lane goes on')
      }
    }
    this.#standing = standing
    if (news.length > 0) await this.#tell(news)
  }

  /** Each lane once for each time it stands still; of many at once only some are named. */
  async #tell(lanes: readonly Lane[]): Promise<void> {
    const { log } = this.#options
    const named = lanes.slice(0, lanesNamed)
    const holders = await this.#findHolders(named)
    for (const [index, lane] of named.entries()) {
      const { topic, partition } = lane
      const holder = holders[index]
      const fields = {
        topic,
        partition,
        lastStableOffset: this.#standing.get(lane)?.lastStableOffset,
        forMs: Math.round(lane.heldBackMs),
        producerId: holder?.producerId,
        producerEpoch: holder?.producerEpoch,
        lanes: lanes.length,
        fix: 'look with kafka-transactions.sh find-hanging on the source, and end a transaction that nobody else will with its abort'
      }
      log.warn(
        fields,
        'an open transaction holds the lane back: records behind it are not mirrored'
      )
    }
  }

  /** Whose transaction begins first. Before Kafka 2.8 nobody tells. */
  async #findHolders(
    lanes: readonly TopicPartition[]
  ): Promise<readonly (ProducerState | undefined)[]> {
    const partitions = lanes.map(({ topic, partition }) => ({ topic, partition }))
    try {
      const found = await this.#options.source.describeProducers(partitions, timeoutMs)
      return found.map(({ producers }) => firstOpen(producers))
    } catch (error) {
      if (!failureOf(error)) throw error
      return []
    }
  }
}

function firstOpen(producers: readonly ProducerState[]): ProducerState | undefined {
  return producers
    .filter(({ transactionStart }) => transactionStart >= 0)
    .sort((a, b) => a.transactionStart - b.transactionStart)[0]
}

// Makes the topics to which handlers send records, and writes batches to their partitions.

import type { Logger } from 'pino'
import { type Cluster, failureOf, type KafkaFailure, type ProducerStamp } from '../native/index.ts'
import {
  chooseReplication,
  isWorthRetrying,
  topicAlreadyExists,
  unknownTopic
} from '../topics/create-rules.ts'
import type { ElsewhereBatch } from '../transform/elsewhere.ts'
import type { Repeats } from './repeats.ts'
import { inRounds } from './rounds.ts'
import type { CreationPolicy } from './types.ts'

export interface OtherPartitionsOptions {
  target: Pick<Cluster, 'metadata' | 'createTopics' | 'appendBatches'>
  creation: CreationPolicy
  timeoutMs: number
  log: Logger
  repeats: Repeats
}

/** What will not go better when it is tried again, in one sentence. */
export class Refused extends Error {}

/** The target has another sequence of its producer there than the batch was sent under. */
export class OutOfSequence extends Error {}

export interface Stamps {
  /** Asked when the batches before it are there; undefined: it is written without one, and may be there twice. */
  stampOf(batch: ElsewhereBatch): ProducerStamp | undefined
  /** At `base`; -1 where that is not known. */
  noteWritten(batch: ElsewhereBatch, base: number): void
}

/** DUPLICATE_SEQUENCE_NUMBER: it is there. */
const isThere = 46
/** OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID. */
const outOfSequence = new Set([45, 47, 59])

/** Of a topic that is made, where nothing else is asked for and there are as many brokers. */
const mostReplicas = 3
const leastDelayMs = 100
const mostDelayMs = 30_000

export class OtherPartitions {
  readonly #options: OtherPartitionsOptions
  readonly #counts: Record<string, number> = Object.create(null)
  readonly #closing = new AbortController()

  constructor(options: OtherPartitionsOptions) {
    this.#options = options
  }

  /** Partitions by topic, as far as known. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts
  }

  /** Until all of them are known; topics that are not there are made with so many partitions. Refused where they cannot be. */
  async learn(topics: readonly string[], partitions: number): Promise<void> {
    for (const topic of topics) {
      await this.untilDone(`topic "${topic}" of a handler`, async () => {
        const { target, timeoutMs } = this.#options
        const { topics: found, brokers } = await target.metadata([topic], timeoutMs)
        const [seen] = found
        if (seen && !seen.failure && seen.partitions.length > 0) {
          this.#counts[topic] = seen.partitions.length
          return undefined
        }
        const failure = seen?.failure
        if (failure && failure.code !== unknownTopic) return failure
        return this.#create(topic, partitions, brokers.length)
      })
    }
  }

  /** Until all is acknowledged, in order. Refused where a partition does not take it, OutOfSequence as that says. */
  async write(batches: readonly ElsewhereBatch[], stamps: Stamps): Promise<void> {
    for (const round of inRounds(batches)) await this.#append(round, stamps)
  }

  /** What waits is given up, and stays unwritten. */
  async close(): Promise<void> {
    this.#closing.abort()
  }

  async #create(
    topic: string,
    partitions: number,
    brokers: number
  ): Promise<KafkaFailure | undefined> {
    const { target, creation, timeoutMs, log } = this.#options
    if (!creation.create) {
      throw new Refused(
        `topic "${topic}" is not on the target and --no-create-topics is set: create it`
      )
    }
    const replicas = chooseReplication(mostReplicas, creation.replicationFactor, brokers)
    const wanted = { topic, partitions, replicationFactor: replicas, configs: {} }
    const [made] = await target.createTopics([wanted], timeoutMs)
    const failure = made?.failure
    if (!failure) log.info({ topic, partitions, replicas }, 'topic of a handler created')
    // It is looked at again before it counts as there.
    return failure && failure.code !== topicAlreadyExists ? failure : notYet
  }

  async #append(batches: readonly ElsewhereBatch[], stamps: Stamps): Promise<void> {
    const { target, timeoutMs } = this.#options
    let rest = batches.map(batch => ({ batch, stamp: stamps.stampOf(batch) }))
    await this.untilDone('records that handlers sent elsewhere', async () => {
      const sent = rest.map(({ batch: { topic, partition, bytes }, stamp }) => ({
        ...{ topic, partition, bytes },
        ...(stamp && { stamp })
      }))
      const results = await target.appendBatches(sent, timeoutMs)
      const failures: KafkaFailure[] = []
      rest = rest.filter(({ batch, stamp }, at) => {
        const { failure, offset = -1 } = results[at] ?? {}
        const isWritten = !failure || (stamp !== undefined && failure.code === isThere)
        if (isWritten) stamps.noteWritten(batch, offset)
        else failures.push(failure)
        return !isWritten
      })
      const refused = failures.find(({ code }, at) => rest[at]?.stamp && outOfSequence.has(code))
      if (refused) throw new OutOfSequence(refused.name)
      return failures[0]
    })
  }

  /** Again and again while it fails for a reason that passes. */
  async untilDone(what: string, attempt: () => Promise<KafkaFailure | undefined>): Promise<void> {
    const { log, repeats } = this.#options
    for (let delayMs = leastDelayMs; ; delayMs = Math.min(delayMs * 2, mostDelayMs)) {
      const failure = await attempt().catch(asFailure)
      if (failure === undefined) return
      if (!isPassing(failure)) throw new Refused(`${what}: ${failure.name} (${failure.code})`)
      if (failure !== notYet) {
        repeats.write(`elsewhere ${what} ${failure.name}`, count =>
          log.warn(
            { error: failure.name, count },
            `${what}: the target does not take them yet; trying again`
          )
        )
      }
      await this.#wait(delayMs)
    }
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#closing
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new Refused('the link is closed'))
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done, { once: true })
      function done() {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        if (signal.aborted) reject(new Refused('the link is closed'))
        else resolve()
      }
    })
  }
}

/** It was asked for, and has to be seen. */
export const notYet: KafkaFailure = {
  code: unknownTopic,
  name: 'UNKNOWN_TOPIC_OR_PARTITION',
  message: '',
  retriable: true,
  fatal: false
}

function asFailure(error: unknown): KafkaFailure {
  const failure = failureOf(error)
  if (!failure) throw error
  return failure
}

/** librdkafka's own failures are of the connection. */
function isPassing(failure: KafkaFailure): boolean {
  return isWorthRetrying(failure) || failure.name.startsWith('_')
}

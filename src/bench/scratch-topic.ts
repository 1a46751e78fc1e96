// Owns a topic that is there for a while only: made, looked at, and removed whatever comes.

import { setTimeout as delay } from 'node:timers/promises'
import { describeFailure, RunError } from '../errors.ts'
import { textOf } from '../mirror/reach.ts'
import {
  type Cluster,
  failureOf,
  type KafkaFailure,
  type Properties,
  type TopicPartition
} from '../native/index.ts'
import type { RightsSide } from '../plan/missing-rights.ts'
import { topicAlreadyExists, unknownTopic } from '../topics/create-rules.ts'
import { describeRefusal, removalCommand } from './refusals.ts'

/** A cluster with an open client. */
export interface OpenSide extends RightsSide {
  cluster: Cluster
  connection: Properties
}

export interface ScratchOptions {
  topic: string
  partitions: number
  replicationFactor: number
  timeoutMs: number
}

// If nobody is left to remove the topic, at least its data goes after a day.
const configs = {
  'cleanup.policy': 'delete',
  'retention.ms': '86400000',
  'retention.bytes': '-1'
}
const visibleWithinMs = 30_000
const removedWithinMs = 15_000
const lookAgainMs = 100

export class ScratchTopic {
  readonly topic: string
  readonly partitions: readonly TopicPartition[]
  readonly #side: OpenSide
  readonly #options: ScratchOptions
  #mayExist = false

  constructor(side: OpenSide, options: ScratchOptions) {
    this.#side = side
    this.#options = options
    this.topic = options.topic
    this.partitions = Array.from({ length: options.partitions }, (_, partition) => ({
      topic: options.topic,
      partition
    }))
  }

  /** Returns when every partition has a leader. Fails with a RunError that names the right that is missing. */
  async create(stop: AbortSignal): Promise<void> {
    const { partitions, replicationFactor, timeoutMs } = this.#options
    stop.throwIfAborted()
    // A request that is never answered may have been done.
    this.#mayExist = true
    const request = { topic: this.topic, partitions, replicationFactor, configs }
    await this.#asking('Create', `create topic ${this.topic}`, async () => {
      const [result] = await this.#side.cluster.createTopics([request], timeoutMs)
      if (!result?.failure) return
      this.#mayExist = isUndecided(result.failure)
      throw new Refused(result.failure)
    })
    const until = performance.now() + visibleWithinMs
    while (!(await this.#isComplete())) {
      if (performance.now() > until)
        throw new RunError(`${this.#name}: no leaders for its partitions`)
      await delay(lookAgainMs, undefined, { signal: stop })
    }
  }

  /** Records in all partitions. */
  async countRecords(): Promise<number> {
    const { timeoutMs } = this.#options
    const ends = await this.#asking('Describe', `list offsets of ${this.topic}`, () =>
      this.#side.cluster.listOffsets(this.partitions, -1, 'read_uncommitted', timeoutMs)
    )
    return ends.reduce((sum, { offset, failure }) => {
      if (failure) throw new RunError(`${this.#name}: its end cannot be read: ${failure.name}`)
      return sum + Math.max(0, offset)
    }, 0)
  }

  /** Tries for a while what may still come right. Returns a sentence with the command for a topic that is left. */
  async remove(): Promise<string | undefined> {
    if (!this.#mayExist) return undefined
    const until = performance.now() + removedWithinMs
    for (;;) {
      const trouble = await this.#removeOnce()
      if (!trouble) return undefined
      if (!trouble.mayPass || performance.now() > until) {
        const command = removalCommand(this.#side.bootstrapServers, this.topic)
        return `${this.#name} could not be removed (${trouble.why}). Remove it with: ${command}`
      }
      await delay(lookAgainMs)
    }
  }

  get #name(): string {
    return `topic ${this.topic} on the ${this.#side.side} "${this.#side.alias}"`
  }

  /** Undefined when it is gone. */
  async #removeOnce(): Promise<{ why: string; mayPass: boolean } | undefined> {
    const { cluster } = this.#side
    try {
      const [result] = await cluster.deleteTopics([this.topic], removedWithinMs)
      const failure = result?.failure
      if (failure && failure.code !== unknownTopic) {
        return { why: failure.name, mayPass: failure.retriable || isUndecided(failure) }
      }
      const { topics } = await cluster.metadata([this.topic], removedWithinMs)
      const isGone = topics.every(({ partitions }) => partitions.length === 0)
      return isGone ? undefined : { why: 'it is still listed', mayPass: true }
    } catch (error) {
      return { why: textOf(error), mayPass: true }
    }
  }

  async #isComplete(): Promise<boolean> {
    const { partitions, timeoutMs } = this.#options
    const metadata = await this.#asking('Describe', `read metadata of ${this.topic}`, () =>
      this.#side.cluster.metadata([this.topic], timeoutMs)
    )
    const found = metadata.topics[0]?.partitions ?? []
    return found.length === partitions && found.every(({ leader }) => leader >= 0)
  }

  async #asking<Answer>(right: string, what: string, ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask()
    } catch (error) {
      const failure = error instanceof Refused ? error.failure : failureOf(error)
      if (!failure) throw describeFailure(what, error)
      throw new RunError(describeRefusal(this.#side, what, right, failure), { cause: error })
    }
  }
}

const requestTimedOut = 7

/**
 * Whether the topic may be there in spite of this answer: nobody knows, or the client has sent the request again after
 * it was done. Codes below zero are the client's own.
 */
function isUndecided({ code }: KafkaFailure): boolean {
  return code < 0 || code === requestTimedOut || code === topicAlreadyExists
}

/** An answer for one topic, on its way to become an error. */
class Refused extends Error {
  readonly failure: KafkaFailure

  constructor(failure: KafkaFailure) {
    super(failure.name)
    this.failure = failure
  }
}

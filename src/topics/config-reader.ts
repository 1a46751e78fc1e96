// Reads topic configs of both clusters, and says once what could not be read or will cost the target.

import type { Logger } from 'pino'
import { KafkaError } from '../errors.ts'
import {
  type Cluster,
  type ConfigEntry,
  failureOf,
  isUnsupported,
  type KafkaFailure
} from '../native/index.ts'
import {
  isRecompressing,
  learnDefaults,
  readBehaviour,
  type TargetBehaviour,
  unknownBehaviour
} from './configs.ts'

interface Failed {
  topic: string
  failure: KafkaFailure
}

const timeoutMs = 10_000
const topicsPerRequest = 200

export class TopicConfigReader {
  readonly #source: Cluster
  readonly #target: Cluster
  readonly #log: Logger
  readonly #behaviours = new Map<string, TargetBehaviour>()
  readonly #defaults = new Map<string, string>()

  constructor(source: Cluster, target: Cluster, log: Logger) {
    this.#source = source
    this.#target = target
    this.#log = log
  }

  /** The target's own defaults, as far as its topics have shown them. */
  get targetDefaults(): ReadonlyMap<string, string> {
    return this.#defaults
  }

  /** Undefined while the target has not answered. */
  behaviourOf(topic: string): TargetBehaviour | undefined {
    return this.#behaviours.get(topic)
  }

  async readSource(topics: readonly string[]): Promise<Map<string, ConfigEntry[]>> {
    const { found, unanswered } = await this.#read(this.#source, 'source', topics)
    const [first] = unanswered
    // A topic must not be created without its configs because a broker was slow.
    if (first) throw new KafkaError(`source: read configs of topic "${first.topic}"`, first.failure)
    return found
  }

  /** Reads each topic once. */
  async readTarget(topics: readonly string[]): Promise<void> {
    const unread = topics.filter(topic => !this.#behaviours.has(topic))
    const { found, unanswered } = await this.#read(this.#target, 'target', unread)
    const later = new Set(unanswered.map(({ topic }) => topic))
    for (const topic of unread) {
      if (later.has(topic)) continue
      const entries = found.get(topic)
      if (entries) learnDefaults(entries, this.#defaults)
      this.#behaviours.set(topic, entries ? readBehaviour(entries) : unknownBehaviour)
    }
    await this.#tellRecompression(unread)
  }

  async #tellRecompression(topics: readonly string[]): Promise<void> {
    const suspects = topics.filter(topic =>
      isRecompressing(undefined, this.behaviourOf(topic)?.compression)
    )
    if (suspects.length === 0) return
    const { found: sources } = await this.#read(this.#source, 'source', suspects)
    for (const topic of suspects) {
      const compression = this.behaviourOf(topic)?.compression
      const entry = sources.get(topic)?.find(({ name }) => name === 'compression.type')
      if (!isRecompressing(entry?.value ?? undefined, compression)) continue
      this.#log.warn(
        { topic, compressionType: compression },
        "target topic recompresses every batch: set its compression.type to producer, or to the source's"
      )
    }
  }

  /** Topics whose configs nobody lets us read are left out, with a warning. */
  async #read(
    cluster: Cluster,
    side: 'source' | 'target',
    topics: readonly string[]
  ): Promise<{ found: Map<string, ConfigEntry[]>; unanswered: Failed[] }> {
    const found = new Map<string, ConfigEntry[]>()
    const failed: Failed[] = []
    for (let from = 0; from < topics.length; from += topicsPerRequest) {
      const chunk = topics.slice(from, from + topicsPerRequest)
      try {
        for (const { topic, entries, failure } of await cluster.describeTopicConfigs(
          chunk,
          timeoutMs
        )) {
          if (failure) failed.push({ topic, failure })
          else found.set(topic, entries)
        }
      } catch (error) {
        const failure = failureOf(error)
        if (!failure) throw error
        for (const topic of chunk) failed.push({ topic, failure })
      }
    }
    this.#tellRefused(
      side,
      // What a source of that age does not tell is said at the start.
      failed.filter(({ failure }) => !failure.retriable && !isUnsupported(failure))
    )
    return { found, unanswered: failed.filter(({ failure }) => failure.retriable) }
  }

  #tellRefused(side: string, refused: readonly Failed[]): void {
    const [first] = refused
    if (!first) return
    this.#log.warn(
      {
        side,
        count: refused.length,
        topics: refused.slice(0, 10).map(({ topic }) => topic),
        error: first.failure.name,
        code: first.failure.code,
        detail: first.failure.message,
        fix: `grant DESCRIBE_CONFIGS on topic "${first.topic}" on the ${side}: kafka-acls --add --operation DescribeConfigs --topic ${first.topic}`
      },
      'topic configs cannot be read; going on without them'
    )
  }
}

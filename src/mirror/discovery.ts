// Looks at the source again and again and decides which of its topics are mirrored.

import type { Logger } from 'pino'
import type { Group, TopicMetadata } from '../native/index.ts'
import type { SourceTopic } from '../topics/create.ts'
import type { LeftOut, TopicSelector } from '../topics/select.ts'
import { type RecreatedTopic, RecreatedTopics } from './recreated-topics.ts'

const metadataTimeoutMs = 10_000

/** A broker that has just started may not know every topic yet: one look without it is no deletion. */
const looksUntilGone = 3

export interface DiscoveryOptions {
  /** Asked instead of the cluster, so that one request serves its member too. */
  group: Pick<Group, 'metadata'>
  selector: TopicSelector
  log: Logger
  /** Hears after each look how many partitions each selected topic has. */
  onTopics(sizes: ReadonlyMap<string, number>): void
  /** Another topic has the name of one that was selected; heard before it is one of `topics`. */
  onRecreated(topic: RecreatedTopic): void
}

export class Discovery {
  readonly #group: Pick<Group, 'metadata'>
  readonly #selector: TopicSelector
  readonly #log: Logger
  readonly #onTopics: DiscoveryOptions['onTopics']
  readonly #onRecreated: DiscoveryOptions['onRecreated']
  readonly #topics = new Map<string, SourceTopic>()
  readonly recreated = new RecreatedTopics()
  readonly #missed = new Map<string, number>()
  readonly #leftOut = new Set<string>()
  /** Set in a bounded run: topics that come later are not part of it. */
  #isClosedForNew = false
  #lastAt: number | undefined

  constructor({ group, selector, log, onTopics, onRecreated }: DiscoveryOptions) {
    this.#group = group
    this.#selector = selector
    this.#log = log
    this.#onTopics = onTopics
    this.#onRecreated = onRecreated
  }

  get topics(): ReadonlyMap<string, SourceTopic> {
    return this.#topics
  }

  get lastAt(): number | undefined {
    return this.#lastAt
  }

  closeForNew(): void {
    this.#isClosedForNew = true
  }

  /** True when other names are selected than before. */
  async look(): Promise<boolean> {
    const metadata = await this.#group.metadata(metadataTimeoutMs)
    const listed = new Map(metadata.topics.filter(isUsable).map(topic => [topic.topic, topic]))
    const { selected, leftOut } = await this.#selector.select([...listed.keys()])
    this.#tellLeftOut(leftOut)
    const found = selected.map(name => readTopic(listed.get(name) as TopicMetadata))
    for (const topic of this.recreated.note(found)) this.#onRecreated(topic)
    const hasChanged = this.#merge(found)
    this.#lastAt = Date.now()
    this.#onTopics(this.#sizes())
    return hasChanged
  }

  /** A topic that was made anew is not mirrored: the target's is not to grow with it. */
  #sizes(): Map<string, number> {
    const mirrored = [...this.#topics.values()].filter(({ topic }) => !this.recreated.find(topic))
    return new Map(mirrored.map(({ topic, partitions }) => [topic, partitions]))
  }

  #merge(found: readonly SourceTopic[]): boolean {
    let hasChanged = false
    for (const topic of found) {
      const isNew = !this.#topics.has(topic.topic)
      if (isNew && this.#isClosedForNew) continue
      hasChanged ||= isNew
      this.#topics.set(topic.topic, topic)
      this.#missed.delete(topic.topic)
    }
    const names = new Set(found.map(({ topic }) => topic))
    for (const topic of this.#topics.keys()) {
      if (names.has(topic)) continue
      const missed = (this.#missed.get(topic) ?? 0) + 1
      this.#missed.set(topic, missed)
      if (missed < looksUntilGone) continue
      this.#topics.delete(topic)
      this.#missed.delete(topic)
      this.#log.warn({ topic }, 'topic is gone from the source')
      hasChanged = true
    }
    return hasChanged
  }

  #tellLeftOut(leftOut: readonly LeftOut[]): void {
    for (const { topic, why } of leftOut) {
      if (this.#leftOut.has(topic)) continue
      this.#leftOut.add(topic)
      this.#log.debug({ topic, why }, 'topic is never mirrored')
    }
  }
}

export function isUsable(topic: TopicMetadata): boolean {
  return topic.partitions.length > 0
}

export function readTopic(topic: TopicMetadata): SourceTopic {
  return {
    topic: topic.topic,
    id: topic.id,
    partitions: Math.max(...topic.partitions.map(({ partition }) => partition)) + 1,
    replicationFactor: Math.max(1, ...topic.partitions.map(({ replicas }) => replicas.length))
  }
}

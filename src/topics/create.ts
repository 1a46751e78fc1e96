// The target's topics: creates what is missing, grows what was in step with the source, and says how
// each behaves. Nothing is left to the brokers' automatic creation.

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { CreationPolicy, PlanReason } from '../mirror/types.ts'
import {
  type Cluster,
  failureOf,
  type KafkaFailure,
  type TopicMetadata,
  type TopicResult
} from '../native/index.ts'
import { TopicConfigReader } from './config-reader.ts'
import { chooseConfigs, type TargetBehaviour } from './configs.ts'
import {
  chooseReplication,
  growsWithSource,
  isWorthRetrying,
  topicAlreadyExists,
  unknownTopic,
  whyNotCreated,
  whyRefused
} from './create-rules.ts'
import type { Gathering } from './gathering.ts'

export interface SourceTopic {
  topic: string
  /** As in `TopicMetadata`. */
  id: string
  partitions: number
  replicationFactor: number
}

export type TargetTopic =
  | {
      state: 'ready'
      /** As in `TopicMetadata`. */
      id: string
      partitions: number
      /** It has, or is about to have, every partition of the source's. */
      isInStep: boolean
      /** Partitions that it lacks are on their way. */
      isGrowing: boolean
      behaviour: TargetBehaviour
    }
  | { state: 'refused'; reason: PlanReason; detail: string }
  /** Not yet: it will be asked again. */
  | { state: 'later'; detail: string }

export interface TargetTopicsOptions {
  source: Cluster
  target: Cluster
  log: Logger
  gathering: Gathering
  creation: CreationPolicy
  requestTimeoutMs: number
  /** Whether an earlier run has seen the target with all of the topic's partitions. */
  wasInStep(topic: SourceTopic): Promise<boolean>
}

const topicsPerRequest = 100
const visibleWithinMs = 15_000
const lookAgainMs = 100

export class TargetTopics {
  readonly #target: Cluster
  readonly #log: Logger
  readonly #wasInStep: (topic: SourceTopic) => Promise<boolean>
  readonly #configs: TopicConfigReader
  readonly #gathering: Gathering
  readonly #creation: CreationPolicy
  readonly #requestTimeoutMs: number
  /** By topic, since the first look at it: whether it had all partitions of the source's. */
  readonly #inStep: Map<string, boolean>
  readonly #toldInSync = new Set<string>()
  /** What went wrong with a topic in this round. */
  #failures = new Map<string, KafkaFailure>()
  /** Answered "it is there already" in this round. */
  #madeByOthers = new Map<string, KafkaFailure>()

  constructor(options: TargetTopicsOptions) {
    const { source, target, log, gathering, creation, requestTimeoutMs, wasInStep } = options
    this.#target = target
    this.#log = log
    this.#gathering = gathering
    this.#creation = creation
    this.#requestTimeoutMs = requestTimeoutMs
    this.#inStep = gathering.inStep
    this.#wasInStep = wasInStep
    this.#configs = new TopicConfigReader(source, target, log)
  }

  /** Throws when the target cannot be asked at all. */
  async prepare(own: readonly SourceTopic[]): Promise<Map<string, TargetTopic>> {
    this.#failures = new Map()
    this.#madeByOthers = new Map()
    const topics = own.map(topic => ({
      ...topic,
      partitions: Math.max(topic.partitions, this.#gathering.largest(topic.topic))
    }))
    let found = await this.#look(topics)
    const missing = topics.filter(topic => !exists(found.get(topic.topic)))
    const creatable = this.#creation.create
      ? missing.filter(topic => isCreatable(found.get(topic.topic)))
      : []
    await this.#noteFailure(creatable, () => this.#create(creatable))
    const grown = await this.#grow(topics, found)
    const changed = [...creatable, ...grown].filter(({ topic }) => !this.#failures.has(topic))
    if (changed.length > 0) found = await this.#lookUntilVisible(topics, changed)
    const present = topics.filter(topic => exists(found.get(topic.topic)))
    await this.#configs.readTarget(present.map(({ topic }) => topic))
    return new Map(topics.map(topic => [topic.topic, this.#judge(topic, found.get(topic.topic))]))
  }

  async #look(topics: readonly SourceTopic[]): Promise<Map<string, TopicMetadata>> {
    const names = topics.map(({ topic }) => topic)
    const metadata = await this.#target.metadata(names, this.#requestTimeoutMs)
    return new Map(metadata.topics.map(topic => [topic.topic, topic]))
  }

  async #create(topics: readonly SourceTopic[]): Promise<void> {
    if (topics.length === 0) return
    const { brokers } = await this.#target.metadata([], this.#requestTimeoutMs)
    const sourceConfigs = await this.#configs.readSource(topics.map(({ topic }) => topic))
    const asked = this.#creation.replicationFactor
    const replicas = ({ replicationFactor }: SourceTopic) =>
      chooseReplication(replicationFactor, asked, brokers.length)
    const reduced = topics.filter(
      topic => replicas(topic) < Math.max(topic.replicationFactor, asked ?? 0)
    )
    const [first] = reduced
    if (first) {
      this.#log.warn(
        {
          count: reduced.length,
          topics: someNames(reduced),
          sourceReplicas: first.replicationFactor,
          asked,
          replicas: replicas(first),
          targetBrokers: brokers.length
        },
        'target topics get fewer replicas than the source has, or than was asked for'
      )
    }
    const requests = topics.map(topic => ({
      topic: topic.topic,
      partitions: topic.partitions,
      replicationFactor: replicas(topic),
      configs: chooseConfigs(sourceConfigs.get(topic.topic) ?? [], this.#configs.targetDefaults)
    }))
    const done = await this.#inChunks(requests, chunk =>
      this.#target.createTopics(chunk, this.#requestTimeoutMs)
    )
    for (const topic of done) this.#inStep.set(topic, true)
    if (done.length > 0) {
      this.#log.info({ count: done.length, topics: done.slice(0, 10) }, 'target topics created')
    }
  }

  /** Returns the topics that were asked to grow. */
  async #grow(
    topics: readonly SourceTopic[],
    found: ReadonlyMap<string, TopicMetadata>
  ): Promise<SourceTopic[]> {
    const short: SourceTopic[] = []
    for (const topic of topics) {
      const partitions = found.get(topic.topic)?.partitions.length ?? 0
      if (partitions === 0) continue
      if (partitions >= topic.partitions) this.#inStep.set(topic.topic, true)
      else if (!this.#inStep.has(topic.topic)) {
        this.#inStep.set(topic.topic, await this.#wasInStep(topic))
      }
      if (growsWithSource(topic.partitions, partitions, this.#mayGrow(topic.topic))) {
        short.push(topic)
      }
    }
    const requests = short.map(({ topic, partitions }) => ({ topic, total: partitions }))
    const done = await this.#inChunks(requests, chunk =>
      this.#target.createPartitions(chunk, this.#requestTimeoutMs)
    )
    if (done.length > 0) {
      this.#log.info({ count: done.length, topics: done.slice(0, 10) }, 'target topics grown')
    }
    return short
  }

  #mayGrow(topic: string): boolean {
    return this.#creation.grow || this.#inStep.get(topic) === true
  }

  /** Returns the topics for which it was done; the failures of the others are kept. */
  async #inChunks<Request extends { topic: string }>(
    requests: readonly Request[],
    ask: (chunk: Request[]) => Promise<TopicResult[]>
  ): Promise<string[]> {
    const done: string[] = []
    for (let from = 0; from < requests.length; from += topicsPerRequest) {
      const chunk = requests.slice(from, from + topicsPerRequest)
      await this.#noteFailure(chunk, async () => {
        for (const { topic, failure } of await ask(chunk)) {
          if (!failure) done.push(topic)
          // Another member of the group may have been quicker: what is there is judged as it is.
          else if (isMadeByAnother(failure)) this.#madeByOthers.set(topic, failure)
          else this.#failures.set(topic, failure)
        }
      })
    }
    return done
  }

  /** What keeps some topics from being made must not keep others from being mirrored. */
  async #noteFailure(
    topics: readonly { topic: string }[],
    work: () => Promise<void>
  ): Promise<void> {
    try {
      await work()
    } catch (error) {
      const failure = failureOf(error)
      if (!failure) throw error
      for (const { topic } of topics) this.#failures.set(topic, failure)
    }
  }

  async #lookUntilVisible(
    topics: readonly SourceTopic[],
    changed: readonly SourceTopic[]
  ): Promise<Map<string, TopicMetadata>> {
    const until = performance.now() + visibleWithinMs
    for (;;) {
      const found = await this.#look(topics)
      const isVisible = changed.every(topic => isComplete(found.get(topic.topic), topic.partitions))
      if (isVisible || performance.now() >= until) return found
      await delay(lookAgainMs)
    }
  }

  #judge(topic: SourceTopic, found: TopicMetadata | undefined): TargetTopic {
    const unusable = found?.failure
    if (exists(found)) return this.#judgeExisting(topic, found)
    if (!this.#creation.create && isCreatable(found)) {
      return { state: 'refused', ...whyNotCreated(topic.topic, topic.partitions) }
    }
    const failure =
      this.#failures.get(topic.topic) ?? this.#madeByOthers.get(topic.topic) ?? unusable
    if (!failure) return { state: 'later', detail: 'the target does not show the topic yet' }
    if (isWorthRetrying(failure))
      return { state: 'later', detail: `${failure.name}: ${failure.message}` }
    return { state: 'refused', ...whyRefused(topic.topic, failure) }
  }

  #judgeExisting({ topic, partitions }: SourceTopic, metadata: TopicMetadata): TargetTopic {
    const found = metadata.partitions.length
    const behaviour = this.#configs.behaviourOf(topic)
    if (!behaviour) return { state: 'later', detail: 'the target does not tell its configs yet' }
    this.#tellInSync(topic, behaviour, metadata)
    const failure = this.#failures.get(topic)
    const isInStep = this.#inStep.get(topic) === true
    const isRefused = failure !== undefined && !isWorthRetrying(failure)
    if (isRefused && found < partitions) {
      const { name, code, message } = failure
      this.#log.warn({ topic, error: name, code, detail: message }, 'target topic cannot be grown')
    }
    const isGrowing = growsWithSource(partitions, found, this.#mayGrow(topic)) && !isRefused
    return { state: 'ready', id: metadata.id, partitions: found, isInStep, isGrowing, behaviour }
  }

  #tellInSync(
    topic: string,
    { minInSyncReplicas }: TargetBehaviour,
    { partitions }: TopicMetadata
  ): void {
    const replicas = Math.max(0, ...partitions.map(row => row.replicas.length))
    if (minInSyncReplicas <= replicas || replicas === 0 || this.#toldInSync.has(topic)) return
    this.#toldInSync.add(topic)
    this.#log.warn(
      { topic, minInSyncReplicas, replicas },
      'target topic asks for more in-sync replicas than it has: brokers before Kafka 3.7 take no ' +
        'batch until its min.insync.replicas is lowered or replicas are added'
    )
  }
}

function exists(found: TopicMetadata | undefined): found is TopicMetadata {
  return found !== undefined && found.partitions.length > 0
}

function isCreatable(found: TopicMetadata | undefined): boolean {
  return found === undefined || found.failure === undefined || found.failure.code === unknownTopic
}

function isComplete(found: TopicMetadata | undefined, partitions: number): boolean {
  if (!exists(found) || found.partitions.length < partitions) return false
  return found.partitions.every(({ leader }) => leader >= 0)
}

const invalidPartitions = 37

function isMadeByAnother({ code }: KafkaFailure): boolean {
  return code === topicAlreadyExists || code === invalidPartitions
}

function someNames(topics: readonly SourceTopic[]): string[] {
  return topics.slice(0, 10).map(({ topic }) => topic)
}

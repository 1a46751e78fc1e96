// Brings assigned partitions to life: where to start, is the target topic there, then over to the core.
//
// It works in rounds over all lanes that wait. Whatever is not settled in a round stays for the next one,
// and a lane that is taken away meanwhile is passed over: its tenure tells.

import type { Logger } from 'pino'
import { codecNumber } from '../batches/codec.ts'
import { KafkaError } from '../errors.ts'
import {
  type Cluster,
  type CommittedOffset,
  failureOf,
  type Group,
  type Isolation,
  type LaneStart,
  type PartitionOffset,
  type TopicPartition
} from '../native/index.ts'
import type { CodecRules } from '../topics/codec-rules.ts'
import type { SourceTopic, TargetTopic, TargetTopics } from '../topics/create.ts'
import type { TransformPlan } from '../transform/plan.ts'
import { type DecodedCheckpoint, decodeCheckpoint, pathAlgorithm } from './checkpoint.ts'
import type { Commits } from './commits.ts'
import type { DeliveryLevel } from './delivery.ts'
import { FanOut } from './fan-out.ts'
import { type Lane, laneName, type Refusal } from './lane.ts'
import type { LaneOrigin, LaneOrigins } from './lane-origins.ts'
import type { Lanes } from './lanes.ts'
import type { PassedCodecs } from './passed-codecs.ts'
import { otherTopicId, type RecreatedTopics, refuseRecreated } from './recreated-topics.ts'
import type { Repeats } from './repeats.ts'
import { chooseStart } from './start-offset.ts'
import type { AutoOffsetReset } from './types.ts'

const timeoutMs = 10_000

/** Creating the topics of a round takes a broker about a second. */
const lanesPerRound = 1_000

const topicsInCommand = 10

/** A partition without a leader is not found either, and all topics are a large answer. */
const lookAgainMs = 2_000

export interface LaneStarterOptions {
  source: Cluster
  group: Group
  lanes: Lanes
  commits: Commits
  targetTopics: TargetTopics
  /** The source's topics as last seen. */
  topics: ReadonlyMap<string, SourceTopic>
  recreated: RecreatedTopics
  groupId: string
  origins: LaneOrigins
  isolation: Isolation
  transforms: TransformPlan | undefined
  codecs: Pick<CodecRules, 'learn' | 'ruleFor'>
  passedCodecs: Pick<PassedCodecs, 'look'>
  reset: AutoOffsetReset
  log: Logger
  repeats: Repeats
}

/** A lane on its way to the core. */
interface Candidate {
  lane: Lane
  tenure: number
  topic: SourceTopic
  committed: number
  decoded: DecodedCheckpoint
  start: number
  target: TargetTopic & { state: 'ready' }
  origin: LaneOrigin
}

type Planned = Omit<Candidate, 'start' | 'target' | 'origin'>
type Located = Omit<Candidate, 'target' | 'origin'>
type Prepared = Omit<Candidate, 'origin'>

export class LaneStarter {
  readonly #options: LaneStarterOptions
  /** Partitions that were there, without a commit, when the mirror started for the first time. */
  readonly #atFirstStart = new Set<string>()
  /** Ids of topics of which all commits were looked at. */
  readonly #askedForSiblings = new Set<string>()
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: LaneStarterOptions) {
    this.#options = options
  }

  /**
   * To be called before the group is joined. Only `latest` cares: the mirror has never started before when
   * the group has no commit at all, for each lane commits its start position before it begins.
   */
  async noteFirstStart(): Promise<void> {
    const { topics, reset, group } = this.#options
    if (reset !== 'latest') return
    const partitions = [...topics.values()].flatMap(partitionsOf)
    const committed = await group.committed(partitions, timeoutMs)
    const failure = committed.find(entry => entry.failure)?.failure
    if (failure) throw new KafkaError('source: read committed offsets', failure)
    if (committed.some(({ offset }) => offset >= 0)) return
    for (const { topic, partition } of partitions)
      this.#atFirstStart.add(laneName(topic, partition))
  }

  /** Looks at each lane that waits once. */
  async startPending(): Promise<void> {
    const pending = [...this.#options.lanes.pending]
    // The first lanes run while target topics are still made for the last.
    for (let from = 0; from < pending.length; from += lanesPerRound) {
      const lanes = pending.slice(from, from + lanesPerRound).filter(lane => lane.isHeld)
      if (this.#options.lanes.isOpen) await this.#tryRound(lanes)
    }
  }

  /** What goes wrong for some lanes holds the others up for this round only. */
  async #tryRound(lanes: readonly Lane[]): Promise<void> {
    try {
      await this.#round(lanes)
    } catch (error) {
      const failure = failureOf(error)
      if (!failure) throw error
      this.#tellLater(failure.name, { error: failure.name, detail: failure.message })
    }
  }

  async #round(lanes: readonly Lane[]): Promise<void> {
    await this.#options.codecs.learn(lanes.map(({ topic }) => topic))
    const planned = await this.#readCommits(lanes.filter(lane => !this.#isRecreated(lane)))
    const located = this.#still(await this.#locate(planned))
    const prepared = this.#still(await this.#prepareTargets(located))
    const ready = this.#still(await this.#findOrigins(prepared))
    await this.#commitFirstStarts(ready)
    const begun = this.#still(ready).filter(({ lane }) => lane.committed >= 0)
    this.#begin(begun)
    // Those of a handler do not pass.
    const passing = begun.filter(({ lane }) => !this.#options.transforms?.ruleFor(lane.topic))
    await this.#options.passedCodecs.look(
      passing.map(({ lane, start }) => ({ ...partitionOf(lane), offset: start }))
    )
  }

  /** Before anything else: the target's topic is not to be grown or written for such a lane. */
  #isRecreated(lane: Lane): boolean {
    const { recreated, groupId } = this.#options
    const found = recreated.find(lane.topic)
    if (found) this.#refuse({ lane, tenure: lane.tenure }, refuseRecreated(found, groupId))
    return found !== undefined
  }

  async #readCommits(lanes: readonly Lane[]): Promise<Planned[]> {
    const tenures = new Map(lanes.map(lane => [lane, lane.tenure]))
    const committed = await this.#options.group.committed(lanes.map(partitionOf), timeoutMs)
    const planned = committed.flatMap(entry => this.#plan(entry, tenures))
    await this.#askSiblings(planned)
    return planned.filter(({ lane }) => !this.#isRecreated(lane))
  }

  #plan(entry: CommittedOffset, tenures: ReadonlyMap<Lane, number>): Planned | [] {
    const { lanes, topics } = this.#options
    const lane = lanes.find(entry.topic, entry.partition)
    const topic = topics.get(entry.topic)
    if (entry.failure) {
      this.#tellLater(entry.failure.name, { error: entry.failure.name, topic: entry.topic }, lane)
      return []
    }
    // Not listed: it will be, or the group takes it away again.
    if (!lane || !topic || entry.partition >= topic.partitions) return []
    const decoded = decodeCheckpoint(entry.metadata)
    if (this.#wasRecreated(lane, topic, entry)) return []
    const own = this.#ownProgress(lane, entry, decoded)
    lane.committed = decoded.kind === 'own' ? entry.offset : -1
    lane.committedAt = Date.now()
    const tenure = tenures.get(lane) ?? lane.tenure
    const from = own ?? { committed: entry.offset, decoded }
    lane.takeOver(from.decoded)
    lane.algorithm = this.#algorithmOf(lane)
    return { lane, tenure, topic, ...from }
  }

  #algorithmOf({ topic }: Lane): number {
    const { transforms } = this.#options
    const rule = transforms?.ruleFor(topic)
    return (rule && transforms?.facts[rule.chain]?.version) ?? pathAlgorithm
  }

  /** Also while no mirror was running. */
  #wasRecreated(lane: Lane, topic: SourceTopic, commit: CommittedOffset): boolean {
    const was = otherTopicId(topic, [commit])
    if (was === undefined) return false
    this.#options.recreated.noteSince({ topic: topic.topic, was, is: topic.id })
    return this.#isRecreated(lane)
  }

  /** A partition that the topic of before did not have has no commit to tell of it; others of the topic may have. */
  async #askSiblings(planned: readonly Planned[]): Promise<void> {
    const topics = new Set(planned.filter(isUncommitted).map(({ topic }) => topic))
    const unknown = [...topics].filter(
      ({ id, partitions }) => id !== '' && partitions > 1 && !this.#askedForSiblings.has(id)
    )
    if (unknown.length === 0) return
    const committed = await this.#options.group.committed(unknown.flatMap(partitionsOf), timeoutMs)
    for (const topic of unknown) {
      const commits = committed.filter(entry => entry.topic === topic.topic)
      if (commits.every(({ failure }) => !failure)) this.#askedForSiblings.add(topic.id)
      const was = otherTopicId(topic, commits)
      if (was !== undefined) {
        this.#options.recreated.noteSince({ topic: topic.topic, was, is: topic.id })
      }
    }
  }

  /**
   * Where this process had come on a lane that it gave up, or lost with its group session, and has got back:
   * nobody has committed since, so it goes on there instead of at the commit.
   */
  #ownProgress(
    lane: Lane,
    { offset, metadata }: CommittedOffset,
    decoded: DecodedCheckpoint
  ): Pick<Planned, 'committed' | 'decoded'> | undefined {
    const { own, topic, partition } = lane
    if (!own || own.offset < offset || decoded.kind !== 'own') return undefined
    if (!lane.ownCommits.includes(metadata)) return undefined
    const { offset: committed, ...progress } = own
    if (committed > offset) {
      this.#options.log.info(
        { topic, partition, committed: offset, from: committed },
        'lane goes on where this process left it'
      )
    }
    return {
      committed,
      decoded: { kind: 'own', checkpoint: { ...decoded.checkpoint, ...progress } }
    }
  }

  async #locate(planned: readonly Planned[]): Promise<Located[]> {
    const starts = new Map<Lane, number>()
    const fromLogStart: Lane[] = []
    const fromLogEnd: Lane[] = []
    for (const { lane, committed } of planned) {
      const wasThereAtFirstStart = this.#atFirstStart.has(lane.name)
      const point = chooseStart({ committed, reset: this.#options.reset, wasThereAtFirstStart })
      if (point === 'committed') starts.set(lane, committed)
      else if (point === 'log-start') fromLogStart.push(lane)
      else if (point === 'log-end') fromLogEnd.push(lane)
      else this.#refuseNoStart(lane)
    }
    await this.#askOffsets(fromLogStart, -2, starts)
    await this.#askOffsets(fromLogEnd, -1, starts)
    return planned.flatMap(candidate => {
      const start = starts.get(candidate.lane)
      return start === undefined ? [] : { ...candidate, start }
    })
  }

  #refuseNoStart(lane: Lane): void {
    const { lanes, log } = this.#options
    const detail =
      'nothing is committed for it and auto.offset.reset is none: commit an offset for the group, ' +
      'or set earliest or latest'
    if (lane.refusal?.reason !== 'no-start-offset') {
      const { topic, partition } = lane
      log.error({ topic, partition, reason: 'no-start-offset', detail }, 'lane stopped')
    }
    lanes.refuse(lane, { reason: 'no-start-offset', detail })
  }

  async #askOffsets(lanes: readonly Lane[], at: number, starts: Map<Lane, number>): Promise<void> {
    if (lanes.length === 0) return
    const { source, isolation } = this.#options
    const partitions = lanes.map(partitionOf)
    const ask = () => source.listOffsets(partitions, at, isolation, timeoutMs)
    let offsets = await ask()
    if (await this.#hasLearned(offsets)) offsets = await ask()
    for (const { topic, partition, offset, failure } of offsets) {
      const lane = this.#options.lanes.find(topic, partition)
      if (failure) this.#tellLater(failure.name, { error: failure.name, topic, partition }, lane)
      else if (lane && offset >= 0) starts.set(lane, offset)
    }
  }

  /**
   * The discovery asks by the group's client. This one answers that partitions which are new since it last saw
   * their topic do not exist, until it looks itself. True when it has looked.
   */
  async #hasLearned(offsets: readonly PartitionOffset[]): Promise<boolean> {
    const now = performance.now()
    if (now - this.#lookedAt < lookAgainMs) return false
    if (!offsets.some(({ failure }) => failure?.name === '_NOENT')) return false
    this.#lookedAt = now
    await this.#options.source.metadata([], timeoutMs)
    return true
  }

  async #prepareTargets(located: readonly Located[]): Promise<Prepared[]> {
    if (located.length === 0) return []
    const topics = [...new Set(located.map(({ topic }) => topic))]
    const targets = await this.#options.targetTopics.prepare(topics)
    return located.flatMap(candidate => {
      const target = targets.get(candidate.lane.topic)
      return target ? this.#admit(candidate, target) : []
    })
  }

  #admit(candidate: Located, target: TargetTopic): Prepared | [] {
    const { lane, topic } = candidate
    if (target.state === 'later') {
      this.#tellLater(`target ${target.detail}`, { topic: lane.topic, detail: target.detail }, lane)
      return []
    }
    if (target.state === 'refused') {
      this.#refuse(candidate, target)
      return []
    }
    if (lane.partition >= target.partitions && target.isGrowing) {
      const detail = 'the target topic is being grown'
      this.#tellLater('growing', { topic: lane.topic, detail }, lane)
      return []
    }
    if (lane.partition >= target.partitions) {
      const detail =
        `target topic "${lane.topic}" has ${target.partitions} partitions and the source ` +
        `${topic.partitions}: add partitions on the target`
      this.#refuse(candidate, { reason: 'too-few-partitions', detail })
      return []
    }
    lane.isInStep = target.isInStep
    lane.sourceTopicId = topic.id
    lane.targetTopicId = target.id
    lane.targetPartitions = target.partitions
    return { ...candidate, target }
  }

  #refuse({ lane, tenure }: Pick<Located, 'lane' | 'tenure'>, refusal: Refusal): void {
    if (!lane.isHeld || lane.tenure !== tenure) return
    const { lanes, log, repeats } = this.#options
    const isNews = lane.refusal?.reason !== refusal.reason
    const { reason, detail } = refusal
    lanes.refuse(lane, { reason, detail })
    if (!isNews) return
    const { topic, partition } = lane
    repeats.write(`refused ${reason} ${topic}`, count =>
      log.error({ topic, partition, reason, detail, count }, 'lane stopped')
    )
  }

  async #findOrigins(prepared: readonly Prepared[]): Promise<Candidate[]> {
    if (prepared.length === 0) return []
    const answers = await this.#options.origins.find(prepared)
    return prepared.flatMap((candidate, index) => {
      const answer = answers[index]
      if (answer?.kind === 'go') return { ...candidate, origin: answer.origin }
      if (answer?.kind === 'refused') this.#refuse(candidate, answer.refusal)
      else {
        const detail = answer?.detail ?? ''
        this.#tellLater('resume', { topic: candidate.lane.topic, detail }, candidate.lane)
      }
      return []
    })
  }

  /**
   * A first start is one only once, also when the process dies before its first batch; and what was on the
   * target before it is known later. A lane whose commit failed waits for the next round.
   */
  async #commitFirstStarts(ready: readonly Candidate[]): Promise<void> {
    const first = ready.filter(({ origin }) => origin.isFirst)
    if (first.length === 0) return
    // Only the commit that is made now holds for what is sent from here on.
    for (const { lane } of first) lane.committed = -1
    await this.#options.commits.commitFirstStarts(
      first.map(({ lane, start, origin }) => ({ lane, offset: start, origin }))
    )
  }

  #begin(ready: readonly Candidate[]): void {
    if (ready.length === 0) return
    const { lanes, log } = this.#options
    lanes.begin(
      ready.map(candidate => {
        const { lane } = candidate
        return { lane, start: { ...laneStart(candidate), ...this.#openingOf(lane) } }
      })
    )
    for (const { lane, origin } of ready) {
      lane.level = origin.level
      lane.fanOut = origin.resumes ? new FanOut(origin.branches) : undefined
    }
    tellStarted(log, ready)
  }

  #openingOf({ topic }: Lane): Pick<LaneStart, 'opens' | 'forcedCodec'> {
    const { transforms, codecs } = this.#options
    const { codec, isForced } = codecs.ruleFor(topic)
    if (transforms?.ruleFor(topic)) return { opens: 'handler', forcedCodec: 0 }
    if (!isForced || codec === undefined) return { opens: 'none', forcedCodec: 0 }
    return { opens: 'forced', forcedCodec: codecNumber(codec) }
  }

  /** Those that have not been taken away since the round began. */
  #still<Kind extends Planned>(candidates: readonly Kind[]): Kind[] {
    if (!this.#options.lanes.isOpen) return []
    return candidates.filter(({ lane, tenure }) => lane.isHeld && lane.tenure === tenure)
  }

  #tellLater(what: string, fields: Trouble, lane?: Lane): void {
    if (lane) lane.detail = fields.detail ?? fields.error
    this.#options.repeats.write(`later ${what}`, count =>
      this.#options.log.warn({ ...fields, count }, 'lanes cannot start yet; trying again')
    )
  }
}

interface Trouble extends Partial<TopicPartition> {
  error?: string
  detail?: string
}

/** Levels that differ are told apart; what may be doubled is told for each reason. */
function tellStarted(log: Logger, ready: readonly Candidate[]): void {
  const byReason = new Map<string, Candidate[]>()
  for (const candidate of ready) {
    const { deliveryReason } = candidate.origin.level
    byReason.set(deliveryReason, [...(byReason.get(deliveryReason) ?? []), candidate])
  }
  for (const [deliveryReason, candidates] of byReason) {
    const [{ origin }] = candidates as [Candidate]
    const { delivery } = origin.level
    const arrived = candidates.reduce((sum, { origin }) => sum + arrivedOf(origin), 0)
    const facts = { lanes: candidates.length, delivery }
    if (delivery === 'exactly-once') log.info({ ...facts, arrived }, 'lanes started')
    else {
      const fix = fixFor(origin.level, candidates)
      log.warn({ ...facts, deliveryReason, fix }, 'lanes started; a crash may double records')
    }
  }
}

function arrivedOf({ arrived, branches }: LaneOrigin): number {
  return branches.reduce((sum, branch) => sum + branch.arrived, arrived)
}

/** What would let the lanes promise more; undefined when they do anyway from their next start on, or cannot. */
function fixFor({ deliveryReason }: DeliveryLevel, candidates: readonly Candidate[]) {
  if (deliveryReason !== 'no-read-right') return undefined
  const topics = [...new Set(candidates.map(({ lane }) => lane.topic))]
  const named = topics.slice(0, topicsInCommand).map(topic => `--topic ${topic}`)
  const rest = topics.length - named.length
  const more = rest > 0 ? ` (and ${rest} more)` : ''
  return `on the target: kafka-acls --add --allow-principal User:NAME --operation Read ${named.join(' ')}${more}`
}

function laneStart({
  lane,
  start,
  target,
  origin
}: Candidate): Omit<LaneStart, 'opens' | 'forcedCodec'> {
  const { behaviour } = target
  return {
    topic: lane.topic,
    partition: lane.partition,
    sourceTopicId: lane.sourceTopicId,
    targetTopic: lane.topic,
    targetPartition: lane.partition,
    offset: origin.start ?? start,
    leaderEpoch: origin.leaderEpoch,
    targetMaxBatchBytes: behaviour.maxMessageBytes,
    targetAppendTime: behaviour.isAppendTime,
    producerId: origin.producerId,
    producerEpoch: origin.producerEpoch,
    sequence: origin.sequence,
    arrived: origin.toPass,
    targetEnd: origin.targetEnd,
    arrivedEnd: origin.arrivedEnd,
    resumes: origin.resumes
  }
}

function isUncommitted({ decoded }: Planned): boolean {
  return decoded.kind === 'none'
}

function partitionOf({ topic, partition }: Lane): TopicPartition {
  return { topic, partition }
}

function partitionsOf({ topic, partitions }: SourceTopic): TopicPartition[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
}

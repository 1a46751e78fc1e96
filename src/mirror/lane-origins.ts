// How a lane takes up its work on the target: under which producer, from which sequence, and what it can promise.

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { KafkaError } from '../errors.ts'
import type {
  Cluster,
  Isolation,
  KafkaFailure,
  PartitionOffset,
  ProducerIdentity,
  TopicPartition
} from '../native/index.ts'
import type { TransformPlan } from '../transform/plan.ts'
import type { BranchEnd } from './branch-ends.ts'
import { askBranches, type BranchesAnswer } from './branch-resumes.ts'
import type { Checkpoint, DecodedCheckpoint } from './checkpoint.ts'
import { type Arrived, findBehindArrived, readCompaction } from './compacted-arrivals.ts'
import {
  atLeastOnce,
  type DeliveryLevel,
  type DeliveryReason,
  type DeliveryWish,
  exactlyOnce,
  expectDelivery
} from './delivery.ts'
import type { BranchStart } from './fan-out.ts'
import { decideYourself, whyStillStopped } from './kept-stops.ts'
import type { Lane, Refusal } from './lane.ts'
import { claimProducers, type ProducerSource } from './producer-claims.ts'
import { askResumes, type ExactAnswer, type ResumeAnswer } from './resumes.ts'
import { addRecords } from './sequences.ts'

const timeoutMs = 10_000
const endTries = 5
const betweenTriesMs = 100
/** Partitions of compacted topics: each is a read of both sides. */
const foundAtOnce = 4

export interface LaneOrigin {
  /** -1: none, where producers are not idempotent. */
  producerId: number
  producerEpoch: number
  sequence: number
  /** Records found behind the commit. */
  arrived: number
  /** So many of them lie behind the start. */
  toPass: number
  /** Source offset, where that is not the committed one. */
  start?: number
  targetEnd: number
  /** Of the source's record before the start; -1 not known. */
  leaderEpoch: number
  /** Target offset behind the records that arrived; -1 without any. */
  arrivedEnd: number
  resumes: boolean
  level: DeliveryLevel
  /** Other partitions of the target that the lane has written. */
  branches: readonly BranchStart[]
  /** Nothing that is committed holds for it: its start is committed before it begins. */
  isFirst: boolean
}

export type OriginAnswer =
  | { kind: 'go'; origin: LaneOrigin }
  | { kind: 'later'; detail: string }
  | { kind: 'refused'; refusal: Refusal }

export interface OriginsOptions {
  source: Cluster
  target: Cluster
  isolation: Isolation
  link: ProducerSource
  targetClusterId: string
  idempotent: boolean
  wish: DeliveryWish
  transforms: TransformPlan | undefined
  log: Logger
}

export interface Arrival {
  lane: Lane
  decoded: DecodedCheckpoint
  /** -1 when nothing is committed. */
  committed: number
}

export class LaneOrigins {
  readonly #options: OriginsOptions

  constructor(options: OriginsOptions) {
    this.#options = options
  }

  /** In the order of the lanes. Fails when the target cannot be asked. */
  async find(arrivals: readonly Arrival[]): Promise<OriginAnswer[]> {
    const answers = new Map<Arrival, OriginAnswer>()
    const resuming: Resuming[] = []
    const first: FirstStart[] = []
    for (const arrival of arrivals) {
      const verdict = this.#judge(arrival)
      if (verdict.kind === 'resume') resuming.push({ arrival, checkpoint: verdict.checkpoint })
      else if (verdict.kind === 'first') first.push({ arrival, level: verdict.level })
      else answers.set(arrival, verdict)
    }
    const arrived = await askResumes(
      this.#options.target,
      resuming.map(({ arrival: { lane }, checkpoint }) => ({ ...partitionOf(lane), checkpoint })),
      timeoutMs
    )
    const branches = await askBranches(this.#options.target, resuming, timeoutMs)
    const found = await this.#withPoints(resuming, arrived, branches)
    for (const [index, { arrival, checkpoint }] of resuming.entries()) {
      const behind = branches[index] as BranchesAnswer
      const answer = this.#conclude(checkpoint, found[index] as ResumeAnswer, behind)
      if (answer.kind === 'first') first.push({ arrival, level: answer.level })
      else answers.set(arrival, answer)
    }
    await this.#learn(
      found.flatMap((answer, index) => {
        const isMissed = answer.kind === 'later' && answer.failure
        return isMissed ? partitionOf((resuming[index] as Resuming).arrival.lane) : []
      })
    )
    const begun = await this.#begin(first)
    for (const [index, { arrival }] of first.entries()) {
      answers.set(arrival, begun[index] as OriginAnswer)
    }
    return arrivals.map(arrival => answers.get(arrival) as OriginAnswer)
  }

  #judge({ lane, decoded, committed }: Arrival): Judgement {
    const { wish, idempotent, targetClusterId } = this.#options
    const stillStopped = whyStillStopped(decoded)
    if (stillStopped) return { kind: 'refused', refusal: stillStopped }
    const level = expectDelivery({ decoded, committed, idempotent, wish })
    if (level.deliveryReason === 'asked-for') return { kind: 'first', level }
    if (!this.#isDeterministic(lane)) return this.#unproved('handler')
    const refusal = whyNotOurs(decoded, targetClusterId, lane.targetTopicId)
    if (refusal) return { kind: 'refused', refusal }
    if (level.deliveryReason !== '') return this.#unproved(level.deliveryReason)
    return decoded.kind === 'own'
      ? { kind: 'resume', checkpoint: decoded.checkpoint }
      : { kind: 'first', level }
  }

  #isDeterministic({ topic }: TopicPartition): boolean {
    const { transforms } = this.#options
    const rule = transforms?.ruleFor(topic)
    return rule === undefined || transforms?.facts[rule.chain]?.isDeterministic !== false
  }

  /** With the point behind what has arrived, where no count can tell it. */
  async #withPoints(
    resuming: readonly Resuming[],
    found: readonly ResumeAnswer[],
    branches: readonly BranchesAnswer[]
  ): Promise<ResumeAnswer[]> {
    const { source, transforms } = this.#options
    const answers = [...found]
    const asked = resuming.flatMap(({ arrival: { lane, committed }, checkpoint }, index) => {
      const answer = found[index]
      if (answer?.kind !== 'exact') return []
      if (answer.arrived === 0 && !branches[index]?.hasArrived) return []
      if (checkpoint.algorithm !== lane.algorithm) {
        answers[index] = { kind: 'unproved', reason: 'algorithm-changed' }
        return []
      }
      return { index, answer, ...partitionOf(lane), from: committed, checkpoint }
    })
    if (asked.length === 0) return answers
    const topics = asked.map(({ topic }) => topic)
    const isCompacted = await readCompaction(source, topics, timeoutMs)
    const compacted = asked.filter(({ topic }) => isCompacted(topic)).values()
    const findThem = async () => {
      for (const { index, answer, ...where } of compacted) {
        // What a handler made of records cannot be told from what it would make of others.
        if (transforms?.ruleFor(where.topic)) {
          answers[index] = { kind: 'unproved', reason: 'resync-unknown' }
          continue
        }
        const { arrived, arrivedEnd } = answer
        answers[index] = await this.#withPoint(answer, { ...where, arrived, arrivedEnd })
      }
    }
    await Promise.all(Array.from({ length: foundAtOnce }, findThem))
    return answers
  }

  async #withPoint(answer: ExactAnswer, asked: Arrived): Promise<ResumeAnswer> {
    const { source, target, isolation } = this.#options
    try {
      const found = await findBehindArrived(source, target, isolation, asked)
      if (found.kind === 'behind') return { ...answer, behind: found.point }
      return found.kind === 'later' ? found : { kind: 'unproved', reason: 'resync-unknown' }
    } catch (error) {
      // One partition that cannot be read holds no other up.
      if (error instanceof KafkaError) return { kind: 'later', failure: error.failure }
      throw error
    }
  }

  #conclude(
    checkpoint: Checkpoint,
    answer: ResumeAnswer,
    branches: BranchesAnswer
  ): OriginAnswer | First {
    switch (answer.kind) {
      case 'exact': {
        if (branches.later) return notYet('what has arrived', branches.later.failure)
        if (branches.lost) return wentBack(lostBranch(branches.lost))
        const level = branches.isUnproved ? atLeastOnce('resync-unknown') : exactlyOnce
        const refusal = whyUnproved(level, this.#options.wish)
        if (refusal) return { kind: 'refused', refusal }
        return {
          kind: 'go',
          origin: { ...resumed(checkpoint, answer), branches: branches.starts, level }
        }
      }
      case 'fresh':
        return { kind: 'first', level: exactlyOnce }
      case 'later':
        return notYet('what has arrived', answer.failure)
      case 'unproved':
        return this.#unproved(answer.reason)
      case 'went-back':
        return wentBack(
          `the target lost records that it had acknowledged: its log ends at ${answer.highWatermark}, ` +
            `and what was acknowledged ended at ${checkpoint.targetEnd}`
        )
      case 'replaced':
        return wentBack(
          `at offset ${checkpoint.targetEnd - 1} the target has another record than the one that it ` +
            'acknowledged there: the topic was deleted and made anew, or its log was cut and others wrote on'
        )
    }
  }

  #unproved(reason: DeliveryReason): Refused | First {
    const level = atLeastOnce(reason)
    const refusal = whyUnproved(level, this.#options.wish)
    return refusal ? { kind: 'refused', refusal } : { kind: 'first', level }
  }

  /** New work, under a producer id that has not written to the partition yet. */
  async #begin(starts: readonly FirstStart[]): Promise<OriginAnswer[]> {
    if (starts.length === 0) return []
    const { link, idempotent, wish } = this.#options
    const resumes = idempotent && wish !== 'at-least-once'
    const ends = await this.#readEnds(starts.map(({ arrival }) => partitionOf(arrival.lane)))
    // Without it nobody could tell after a crash what of the target's log is this lane's.
    const isReady = ({ offset }: PartitionOffset) => offset >= 0 || !resumes
    const ready = ends.filter(isReady).map(partitionOf)
    this.#tellFilled(starts, ends)
    const producers = idempotent
      ? await claimProducers(link, ready, timeoutMs)
      : ready.map(() => noProducer)
    const claims = producers.values()
    return ends.map((end, index) => {
      if (!isReady(end)) return notYet('where its log ends', end.failure)
      const producer = claims.next().value
      if (!producer) return noIdYet
      const { level, arrival } = starts[index] as FirstStart
      const place = { targetEnd: end.offset, arrivedEnd: -1, leaderEpoch: -1 }
      const position = { sequence: 0, arrived: 0, toPass: 0, ...place }
      return {
        kind: 'go',
        origin: {
          ...producer,
          ...position,
          resumes: resumes && this.#isDeterministic(arrival.lane),
          branches: [],
          level,
          isFirst: true
        }
      }
    })
  }

  /** Kafka deletes a group's commits along with a topic: one that was made anew meanwhile looks like a first start. */
  #tellFilled(starts: readonly FirstStart[], ends: readonly PartitionOffset[]): void {
    const filled = starts.filter(({ arrival }, index) => {
      return arrival.committed < 0 && (ends[index]?.offset ?? 0) > 0
    })
    if (filled.length === 0) return
    const topics = [...new Set(filled.map(({ arrival }) => arrival.lane.topic))].slice(0, 10)
    this.#options.log.warn(
      { lanes: filled.length, topics },
      'nothing is committed for these lanes and their target partitions hold records: what is mirrored comes behind ' +
        'them. Was the source topic made anew, or were the commits deleted?'
    )
  }

  /** A partition that was made a moment ago may not have its leader yet. */
  async #readEnds(partitions: readonly TopicPartition[]): Promise<PartitionOffset[]> {
    const { target } = this.#options
    for (let tries = 1; ; tries++) {
      const ends = await target.listOffsets(partitions, -1, 'read_uncommitted', timeoutMs)
      const missed = ends.filter(({ offset }) => offset < 0)
      if (missed.length === 0 || tries === endTries) return ends
      await this.#learn(missed)
      await delay(betweenTriesMs)
    }
  }

  /** The client does not know where a topic is that was made a moment ago, until it looks. */
  async #learn(missed: readonly TopicPartition[]): Promise<void> {
    if (missed.length === 0) return
    const topics = new Set(missed.map(({ topic }) => topic))
    await this.#options.target.metadata([...topics], timeoutMs)
  }
}

type Resuming = { arrival: Arrival; checkpoint: Checkpoint }
type First = { kind: 'first'; level: DeliveryLevel }
type FirstStart = { arrival: Arrival; level: DeliveryLevel }
type Refused = Extract<OriginAnswer, { kind: 'refused' }>
type Judgement = First | Refused | { kind: 'resume'; checkpoint: Checkpoint }

const noProducer: ProducerIdentity = { producerId: -1, producerEpoch: -1 }

const noIdYet: OriginAnswer = {
  kind: 'later',
  detail: 'the target does not grant another producer id yet'
}

function notYet(what: string, failure: KafkaFailure | undefined): OriginAnswer {
  const why = failure ? `${failure.name}: ${failure.message}` : 'its end is not replicated'
  return { kind: 'later', detail: `the target does not tell ${what} yet: ${why}` }
}

function lostBranch({ topic, partition, targetEnd }: BranchEnd): string {
  return (
    `handlers had sent records to partition ${partition} of "${topic}", and the target has lost what it had ` +
    `acknowledged of them: they ended at ${targetEnd}`
  )
}

function wentBack(what: string): Refused {
  return {
    kind: 'refused',
    refusal: { reason: 'target-went-back', detail: `${what}. ${decideYourself}` }
  }
}

/** Who asks for exactly once gets no less without saying so. */
export function whyUnproved(
  { delivery, deliveryReason }: DeliveryLevel,
  wish: DeliveryWish
): Refusal | undefined {
  if (wish !== 'exactly-once' || delivery === 'exactly-once') return undefined
  const detail = `--delivery exactly-once, and it cannot be proved: ${deliveryReason}. ${decideYourself}`
  return { reason: 'delivery-unproved', detail }
}

/** Why a commit with our metadata is none to go on from. */
export function whyNotOurs(
  decoded: DecodedCheckpoint,
  targetClusterId: string,
  targetTopicId: string
): Refusal | undefined {
  const refuse = (what: string): Refusal => ({
    reason: 'identity-mismatch',
    detail: `${what}. ${decideYourself}`
  })
  if (decoded.kind === 'newer') {
    return refuse(`its commit has form ${decoded.version}, which a newer heliostat wrote`)
  }
  if (decoded.kind !== 'own') return undefined
  const { checkpoint } = decoded
  if (checkpoint.targetClusterId !== targetClusterId) {
    return refuse(
      `its commit was made for target cluster ${checkpoint.targetClusterId}, and this one is ` +
        `${targetClusterId}: earlier records may be missing here`
    )
  }
  const isKnown = checkpoint.targetTopicId !== '' && targetTopicId !== ''
  if (!isKnown || checkpoint.targetTopicId === targetTopicId) return undefined
  return refuse(
    `its commit was made for a target topic with id ${checkpoint.targetTopicId}, and the one of that name ` +
      `has ${targetTopicId} now: it was deleted and made anew, and earlier records are missing in it`
  )
}

/** It passes over what arrived, or begins behind it where that is known. */
function resumed(checkpoint: Checkpoint, { arrived, arrivedEnd, behind }: ExactAnswer): LaneOrigin {
  const { producerId, producerEpoch, nextSequence, targetEnd, leaderEpoch } = checkpoint
  const place = behind
    ? {
        start: behind.offset,
        leaderEpoch: behind.leaderEpoch,
        sequence: addRecords(nextSequence, arrived),
        toPass: 0,
        targetEnd: arrivedEnd
      }
    : { leaderEpoch, sequence: nextSequence, toPass: arrived, targetEnd }
  return {
    producerId,
    producerEpoch,
    ...place,
    arrived,
    arrivedEnd,
    resumes: true,
    branches: [],
    level: exactlyOnce,
    isFirst: false
  }
}

function partitionOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

// Finds out from the target what arrived of each lane after its last commit.

import {
  type BatchHeader,
  type Cluster,
  decideResume,
  type KafkaFailure,
  type PartitionHeaders,
  type PartitionProducers,
  type TargetFacts,
  type TopicPartition
} from '../native/index.ts'
import { type Checkpoint, pathAlgorithm } from './checkpoint.ts'
import type { DeliveryReason } from './delivery.ts'

/** A partition of the target, and what was committed for the lane into it. */
export interface ResumeQuestion extends TopicPartition {
  checkpoint: Checkpoint
}

export type ResumeAnswer =
  /** Pass over so many records behind the committed offset, and go on under the same producer id. */
  | { kind: 'exact'; arrived: number }
  /** Nothing was sent before the crash: as a first start. */
  | { kind: 'fresh' }
  /** Ask again soon. */
  | { kind: 'later'; failure?: KafkaFailure }
  /** Records may be doubled from the committed offset on. */
  | { kind: 'unproved'; reason: DeliveryReason }
  /** The target lost records that it had acknowledged. */
  | { kind: 'went-back'; highWatermark: number }

/** Most batches of other writers that are looked at, newest first, for the lane's own. */
const mostSteps = 64
const headerBytes = 4_096

/** Answers in the order of the questions. */
export async function askResumes(
  target: Cluster,
  questions: readonly ResumeQuestion[],
  timeoutMs: number
): Promise<ResumeAnswer[]> {
  if (questions.length === 0) return []
  const searches = questions.map(question => new Search(question))
  const ends = await target.listOffsets([...questions], -1, 'read_uncommitted', timeoutMs)
  for (const [index, { offset, failure }] of ends.entries()) searches[index]?.begin(offset, failure)
  await readTails(target, searches, timeoutMs)
  // In this order: what is written in between is then seen by the leader's answer.
  const known = searches.filter(search => search.needsLeader)
  const producers = await target.describeProducers(
    known.map(({ question }) => question),
    timeoutMs
  )
  for (const [index, found] of producers.entries()) known[index]?.noteLeader(found)
  return searches.map(search => search.answer())
}

async function readTails(
  target: Cluster,
  searches: readonly Search[],
  timeoutMs: number
): Promise<void> {
  for (let step = 0; step < mostSteps; step++) {
    const open = searches.filter(search => search.wants !== undefined)
    if (open.length === 0) return
    const found = await target.readHeaders(
      open.map(({ question, wants = 0 }) => ({ ...partitionOf(question), offset: wants })),
      headerBytes,
      'read_uncommitted',
      timeoutMs
    )
    for (const [index, headers] of found.entries()) open[index]?.noteHeaders(headers)
  }
}

/** What has been found out for one question. */
class Search {
  readonly question: ResumeQuestion
  #facts: TargetFacts = { logStart: 0, highWatermark: -1, isTailKnown: false }
  /** Decided without looking at more. */
  #decided: ResumeAnswer | undefined
  /** Offset of the target whose batch is to be looked at next. */
  wants: number | undefined

  constructor(question: ResumeQuestion) {
    this.question = question
  }

  get needsLeader(): boolean {
    return this.#decided === undefined
  }

  begin(highWatermark: number, failure: KafkaFailure | undefined): void {
    const { algorithm, producerId, targetEnd } = this.question.checkpoint
    this.#facts = { ...this.#facts, highWatermark }
    if (failure || highWatermark < 0) this.#decided = { kind: 'later', ...(failure && { failure }) }
    else if (algorithm !== pathAlgorithm) this.#decided = unproved('algorithm-changed')
    else if (producerId < 0) {
      this.#decided = highWatermark === targetEnd ? { kind: 'fresh' } : unproved('no-producer-id')
    } else if (highWatermark <= targetEnd) this.#facts.isTailKnown = true
    else this.wants = highWatermark - 1
  }

  noteHeaders({ batches, logStartOffset, failure }: PartitionHeaders): void {
    const [batch] = batches
    const offset = this.wants as number
    this.wants = undefined
    if (failure) {
      this.#decided = isRight(failure) ? unproved('no-read-right') : { kind: 'later', failure }
      return
    }
    this.#facts.logStart = Math.max(0, logStartOffset)
    // The log's end moved back in between, or a hole of compaction: nothing can be said by this way.
    if (!batch || batch.baseOffset > offset) return
    if (this.#isOwn(batch)) {
      this.#facts.tailSequence = lastSequence(batch)
      return
    }
    const from = Math.max(this.question.checkpoint.targetEnd, this.#facts.logStart)
    if (batch.baseOffset <= from) this.#facts.isTailKnown = true
    else this.wants = batch.baseOffset - 1
  }

  noteLeader({ producers, failure }: PartitionProducers): void {
    const { producerId, producerEpoch } = this.question.checkpoint
    const state = producers.find(
      row => row.producerId === producerId && row.producerEpoch === producerEpoch
    )
    if (state) this.#facts.leaderSequence = state.lastSequence
    // Brokers before 2.8 cannot tell; their log can.
    if (!failure || failure.name === '_UNSUPPORTED_FEATURE') return
    this.#decided = isRight(failure) ? unproved('no-read-right') : { kind: 'later', failure }
  }

  answer(): ResumeAnswer {
    if (this.#decided) return this.#decided
    const { verdict, arrived } = decideResume(this.question.checkpoint, this.#facts)
    switch (verdict) {
      case 'exact':
        return { kind: 'exact', arrived }
      case 'wait':
        return { kind: 'later' }
      case 'went-back':
        return { kind: 'went-back', highWatermark: this.#facts.highWatermark }
      case 'look-on':
      case 'unknown':
        return unproved('resync-unknown')
    }
  }

  #isOwn({ producerId, producerEpoch }: BatchHeader): boolean {
    const { checkpoint } = this.question
    return producerId === checkpoint.producerId && producerEpoch === checkpoint.producerEpoch
  }
}

function lastSequence({ baseSequence, baseOffset, lastOffset }: BatchHeader): number {
  return (baseSequence + (lastOffset - baseOffset)) % 2 ** 31
}

const topicAuthorizationFailed = 29

function isRight({ code }: KafkaFailure): boolean {
  return code === topicAuthorizationFailed
}

function unproved(reason: DeliveryReason): ResumeAnswer {
  return { kind: 'unproved', reason }
}

function partitionOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

// Finds out from the target what arrived of each lane after its last commit.

import {
  type BatchHeader,
  type Cluster,
  decideResume,
  type KafkaFailure,
  type PartitionHeaders,
  type PartitionOffset,
  type PartitionProducers,
  type TargetFacts,
  type TopicPartition
} from '../native/index.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { SourcePoint } from './compacted-arrivals.ts'
import type { DeliveryReason } from './delivery.ts'
import { type ReplicatedEnd, readReplicatedEnds } from './replicated-ends.ts'
import { addRecords, isAhead } from './sequences.ts'

/** A partition of the target, and what was committed for the lane into it. */
export interface ResumeQuestion extends TopicPartition {
  checkpoint: Pick<Checkpoint, 'producerId' | 'producerEpoch' | 'nextSequence' | 'targetEnd'>
}

/**
 * Pass over so many records behind the committed offset, and go on under the same producer id. They end on the target
 * at `arrivedEnd`; -1 without any.
 */
export interface ExactAnswer {
  kind: 'exact'
  arrived: number
  arrivedEnd: number
  /** Where it goes on behind them, where a source that is compacted may have less of them by now. */
  behind?: SourcePoint
}

export type ResumeAnswer =
  | ExactAnswer
  /** Nothing was sent before the crash: as a first start. */
  | { kind: 'fresh' }
  /** Ask again soon. */
  | { kind: 'later'; failure?: KafkaFailure }
  /** Records may be doubled from the committed offset on. */
  | { kind: 'unproved'; reason: DeliveryReason }
  /** The target lost records that it had acknowledged. */
  | { kind: 'went-back'; highWatermark: number }
  /** The target's log is another one: what was acknowledged last is not there, and something else is. */
  | { kind: 'replaced' }

/**
 * The newest batch is the lane's own unless others write the partition too. Then the log is looked through
 * backwards, in windows that grow, and forwards within each; a partition that takes more steps is given up.
 */
const mostSteps = 256
const newestBytes = 4_096
const windowBytes = 262_144
const firstWindow = 2_000
const windowGrowth = 4

/** Answers in the order of the questions. */
export async function askResumes(
  target: Cluster,
  questions: readonly ResumeQuestion[],
  timeoutMs: number
): Promise<ResumeAnswer[]> {
  if (questions.length === 0) return []
  const searches = questions.map(question => new Search(question))
  const partitions = questions.map(partitionOf)
  const [starts, ends] = await Promise.all([
    target.listOffsets(partitions, -2, 'read_uncommitted', timeoutMs),
    readReplicatedEnds(target, partitions, timeoutMs)
  ])
  for (const [index, search] of searches.entries()) search.begin(starts?.[index], ends?.[index])
  await readTails(target, searches, timeoutMs)
  // In this order: what is written in between is then seen by the leader's answer.
  const known = searches.filter(search => search.needsLeader)
  const producers = await target.describeProducers(
    known.map(({ question }) => question),
    timeoutMs
  )
  for (const [index, found] of producers.entries()) known[index]?.noteLeader(found)
  await readAnchors(target, searches, timeoutMs)
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
      step === 0 ? newestBytes : windowBytes,
      'read_uncommitted',
      timeoutMs
    )
    for (const [index, headers] of found.entries()) open[index]?.noteHeaders(headers)
  }
  for (const search of searches) search.giveUpTail()
}

/** A log in which nothing of the lane was found at all may not be the one that it was sent to. */
async function readAnchors(
  target: Cluster,
  searches: readonly Search[],
  timeoutMs: number
): Promise<void> {
  const lost = searches.filter(search => search.needsAnchor)
  if (lost.length === 0) return
  const found = await target.readHeaders(
    lost.map(({ question }) => ({ ...partitionOf(question), offset: anchorOf(question) })),
    newestBytes,
    'read_uncommitted',
    timeoutMs
  )
  for (const [index, headers] of found.entries()) lost[index]?.noteAnchor(headers)
}

/** Where the last record lies that was acknowledged before the commit. */
function anchorOf({ checkpoint }: ResumeQuestion): number {
  return checkpoint.targetEnd - 1
}

/** What has been found out for one question. */
class Search {
  readonly question: ResumeQuestion
  #facts: TargetFacts = { logStart: 0, highWatermark: -1, isTailKnown: false }
  /** Decided without looking at more. */
  #decided: ResumeAnswer | undefined
  /** Offset of the target from which batches are to be looked at next. */
  wants: number | undefined
  /** The leader's log goes on behind the high watermark. */
  #isBehind = false
  /** The window: what lies from its end on has been looked at. */
  #from = 0
  #to = 0

  constructor(question: ResumeQuestion) {
    this.question = question
  }

  get needsLeader(): boolean {
    return this.#decided === undefined
  }

  begin(start: PartitionOffset | undefined, end: ReplicatedEnd | undefined): void {
    const { producerId, targetEnd } = this.question.checkpoint
    const failure = start?.failure ?? end?.failure
    const [logStart, highWatermark] = [start?.offset ?? -1, end?.highWatermark ?? -1]
    if (failure || logStart < 0 || highWatermark < 0) {
      this.#decided = { kind: 'later', ...(failure && { failure }) }
      return
    }
    this.#facts = { ...this.#facts, logStart, highWatermark }
    this.#isBehind = end?.isBehind === true
    if (producerId < 0) {
      const isUntouched = highWatermark === targetEnd && !this.#isBehind
      this.#decided = isUntouched ? { kind: 'fresh' } : unproved('no-producer-id')
    } else this.#lookBelow(highWatermark, 1)
  }

  /** What is new on the target lies from the pair's end on, and what was deleted cannot be read. */
  #lookBelow(to: number, length: number): void {
    const oldest = Math.max(this.question.checkpoint.targetEnd, this.#facts.logStart)
    this.#facts.isTailKnown = to <= oldest
    this.wants = to <= oldest ? undefined : Math.max(oldest, to - length)
    this.#from = this.wants ?? to
    this.#to = to
  }

  noteHeaders({ batches, failure }: PartitionHeaders): void {
    if (failure) {
      this.wants = undefined
      this.#decided = isRight(failure) ? unproved('no-read-right') : { kind: 'later', failure }
      return
    }
    for (const batch of batches) {
      if (batch.baseOffset < this.#to && this.#isOwn(batch)) {
        this.#facts.tailSequence = lastSequence(batch)
        this.#facts.tailEnd = batch.lastOffset + 1
      }
    }
    const last = batches.at(-1)
    const next = last ? last.lastOffset + 1 : this.#to
    if (next < this.#to) this.wants = next
    else if (this.#facts.tailSequence !== undefined) this.wants = undefined
    else {
      const looked = Math.min(this.#from, batches[0]?.baseOffset ?? this.#from)
      this.#lookBelow(looked, Math.max(firstWindow, (this.#to - this.#from) * windowGrowth))
    }
  }

  /** In a window that was not read to its end the newest batch may not have been seen. */
  giveUpTail(): void {
    if (this.wants !== undefined) delete this.#facts.tailSequence
    this.wants = undefined
  }

  noteLeader({ producers, failure }: PartitionProducers): void {
    const { producerId, producerEpoch } = this.question.checkpoint
    const state = producers.find(
      row => row.producerId === producerId && row.producerEpoch === producerEpoch
    )
    if (state) this.#facts.leaderSequence = state.lastSequence
    // It speaks for what lies beyond the high watermark; without it that may be the lane's own.
    else if (!failure && this.#isBehind) this.#decided = { kind: 'later' }
    // Brokers before 2.8 cannot tell; their log can.
    if (!failure || failure.name === '_UNSUPPORTED_FEATURE') return
    this.#decided = isRight(failure) ? unproved('no-read-right') : { kind: 'later', failure }
  }

  /**
   * Under this producer something was sent before the commit, the newer log shows nothing of it, and the leader does
   * not say that it is the newest.
   */
  get needsAnchor(): boolean {
    const { leaderSequence, tailSequence, isTailKnown, logStart, highWatermark } = this.#facts
    const { nextSequence, targetEnd } = this.question.checkpoint
    const isNewest = leaderSequence === addRecords(nextSequence, 2 ** 31 - 1)
    const isUnseen = isTailKnown && tailSequence === undefined && !isNewest
    const isReadable = anchorOf(this.question) >= logStart && highWatermark >= targetEnd
    return this.#decided === undefined && isUnseen && isReadable && nextSequence > 0
  }

  noteAnchor({ batches, failure }: PartitionHeaders): void {
    const [batch] = batches
    if (failure) this.#decided = { kind: 'later', failure }
    // Compaction may have taken it.
    if (!batch || batch.baseOffset > anchorOf(this.question)) return
    const { nextSequence } = this.question.checkpoint
    if (this.#isOwn(batch) && !isAhead(lastSequence(batch), nextSequence)) return
    this.#decided = { kind: 'replaced' }
  }

  answer(): ResumeAnswer {
    if (this.#decided) return this.#decided
    const { verdict, arrived } = decideResume(this.question.checkpoint, this.#facts)
    const { tailEnd = -1 } = this.#facts
    switch (verdict) {
      case 'exact':
        return { kind: 'exact', arrived, arrivedEnd: arrived > 0 ? tailEnd : -1 }
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
  return addRecords(baseSequence, lastOffset - baseOffset)
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

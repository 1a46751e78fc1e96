// One source partition as this process mirrors it: whether it is ours, where it started, what is committed.

import type { OffsetToCommit, ProducerIdentity } from '../native/index.ts'
import { addBatchPaths, batchPathsOf } from './batch-paths.ts'
import type { BranchEnd } from './branch-ends.ts'
import { type DecodedCheckpoint, type LaneDeeds, pathAlgorithm } from './checkpoint.ts'
import { type DeliveryLevel, exactlyOnce } from './delivery.ts'
import type { FanOut } from './fan-out.ts'
import { Gaps } from './gaps.ts'
import type { KeptStop } from './kept-stops.ts'
import type { LaneCounts } from './lane-counts.ts'
import type { PlanReason } from './types.ts'

export interface Refusal {
  reason: PlanReason
  detail: string
}

/** How far this process had come with a lane. */
export interface OwnProgress extends ProducerIdentity {
  offset: number
  nextSequence: number
  targetEnd: number
  leaderEpoch: number
  deeds: LaneDeeds
  branches: readonly BranchEnd[]
}

const noDeeds: LaneDeeds = { paths: {}, lost: 0 }

export class Lane {
  readonly topic: string
  readonly partition: number
  readonly name: string
  /** Assigned to us now. */
  isHeld = false
  /** Grows with each assignment: work begun for an earlier one must not touch a later one. */
  tenure = 0
  /** The native core's number of the lane; 0 while the core does not have it. */
  id = 0
  start = -1
  committed = -1
  committedAt = 0
  /** What that commit keeps. */
  committedStop: KeptStop | undefined
  /** The last commit of this process that was taken; a source that deletes the topic deletes it too. */
  lastCommit: OffsetToCommit | undefined
  /** Metadata of the commits that this process sent last, the newest first: how it knows its own commit again. */
  ownCommits: readonly string[] = []
  /** What was acknowledged when this process gave the lane up last. */
  own: OwnProgress | undefined
  /** When the lane had to be begun anew lately, and where it was then. */
  resumes: readonly { at: number; offset: number }[] = []
  level: DeliveryLevel = exactlyOnce
  /** Why the core is not given the lane. */
  refusal: Refusal | undefined
  /** What the core said when the lane stopped; before it is begun, what it waits for. */
  detail: string | undefined
  isInStep = false
  /** Of the topics that it was begun on, as in `TopicMetadata`. */
  sourceTopicId = ''
  targetTopicId = ''
  /** Of the target topic. */
  targetPartitions = 1
  /** What decides the order and number of the records that are sent, as commits tell it. */
  algorithm = pathAlgorithm
  /** Other partitions of the target that it writes; undefined where they are written without a producer. */
  fanOut: FanOut | undefined
  /** Also of lanes of this partition that were given up. */
  readonly gaps = new Gaps()
  /** How long an open transaction has held it back; 0 when none has for long. */
  heldBackMs = 0
  /** Counts of lanes of this partition that were given up. */
  past: LaneCounts | undefined
  /** Before the lane was begun last, by any process. What it lost in this process is not counted. */
  #before: LaneDeeds = noDeeds

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
    this.name = laneName(topic, partition)
  }

  /** To be called with the commit from which the lane is begun. */
  takeOver(decoded: DecodedCheckpoint): void {
    const { paths, lost } = (decoded.kind === 'own' && decoded.checkpoint.deeds) || noDeeds
    this.#before = { paths, lost: Math.max(0, lost - this.gaps.offsets) }
  }

  branchesAt(offset: number): readonly BranchEnd[] {
    return this.fanOut?.at(offset) ?? []
  }

  /** With what has been counted since it was begun. */
  deedsWith(counts: LaneCounts): LaneDeeds {
    const { paths, lost } = this.#before
    return {
      paths: addBatchPaths([paths, batchPathsOf(counts)]),
      lost: lost + this.gaps.offsets
    }
  }
}

export function laneName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

// One source partition as this process mirrors it: whether it is ours, where it started, what is committed.

import type { ProducerIdentity } from '../native/index.ts'
import { type DeliveryLevel, exactlyOnce } from './delivery.ts'
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
}

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
  /** Metadata of the commits that this process sent last, the newest first: how it knows its own commit again. */
  ownCommits: readonly string[] = []
  /** What was acknowledged when this process gave the lane up last. */
  own: OwnProgress | undefined
  /** When the lane had to be begun anew lately, and where it was then. */
  resumes: readonly { at: number; offset: number }[] = []
  level: DeliveryLevel = exactlyOnce
  /** Why the core is not given the lane. */
  refusal: Refusal | undefined
  /** What the core said when the lane stopped. */
  detail: string | undefined
  isInStep = false
  /** Counts of lanes of this partition that were given up. */
  past: LaneCounts | undefined

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
    this.name = laneName(topic, partition)
  }
}

export function laneName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

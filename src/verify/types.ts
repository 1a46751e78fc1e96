// What a verification is asked, what it compares, and what it says.

import type { TopicPartition } from '../native/index.ts'
import type { DifferenceClass, DifferenceCounts } from './differences.ts'

/** One source partition against what is to be of it in its target partition. */
export interface LaneTask extends TopicPartition {
  /** Index of the source. */
  source: number
  alias: string
  logStart: number
  /** First offset that is compared, and the one behind the last. */
  from: number
  end: number
  /** What is before it has to be on the target. -1: nothing is committed. */
  committed: number
  /** Offset of the target behind the last record before `committed`; undefined: not known. */
  committedTargetEnd: number | undefined
  /** The mirror may have begun behind the source's first record. */
  mayHaveBegunLate: boolean
  /** What is to be said of it whatever the comparison finds. */
  remarks: readonly Remark[]
}

/** A target partition with the lanes that lead into it: several when topics of several sources come together. */
export interface TargetTask extends TopicPartition {
  logStart: number
  from: number
  end: number
  lanes: readonly LaneTask[]
  isCompacted: boolean
  /** The target puts its own time on records. */
  isAppendTime: boolean
  /** How long a tombstone is kept at least. */
  deleteRetentionMs: number
}

/** A lane that cannot be compared, or whose verdict needs no record. */
export interface Hopeless {
  lane: LaneTask
  state: 'different' | 'not-compared'
  why: string
  /** Records that the target lacks. */
  missing: number
}

export type LaneState = 'equal' | 'different' | 'not-compared'

export interface SideVerdict {
  /** Offsets that were compared: from the first on, up to the end without it. */
  from: number
  end: number
  records: number
  /**
   * SHA-256 over what was compared, in order: batches as they are stored where both sides have the same bytes, digests of records where
   * not. The same on both sides, the same content; of two runs only where the batches were the same in both.
   */
  digest: string
}

export interface FirstDifference {
  class: DifferenceClass
  /** Null: the record is on the other side alone. */
  sourceOffset: number | null
  targetOffset: number | null
  /** The difference as a sentence. */
  text: string
}

export interface Remark {
  kind:
    | 'beyond-commit'
    | 'begins-later-target'
    | 'begins-later-source'
    | 'began-late'
    | 'compacted'
    | 'append-time'
    | 'nothing-committed'
    | 'not-aligned'
    | 'since'
    | 'sample'
    | 'gathered'
    | 'began-anew'
    | 'counts'
  text: string
}

export interface LaneVerdict extends TopicPartition {
  sourceCluster: string
  targetTopic: string
  state: LaneState
  /** Why it was not compared; empty otherwise. */
  why: string
  /** Records that are the same on both sides. */
  matched: number
  source: SideVerdict | null
  target: SideVerdict | null
  counts: DifferenceCounts
  first: FirstDifference | null
  /** The first of each class. */
  firstOfClass: FirstDifference[]
  /** Source records behind the commit that are not on the target. */
  beyondCommit: number
  remarks: Remark[]
}

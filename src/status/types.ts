// What the clusters tell about a link, and what `status` makes of it.

import type { BatchPaths } from '../mirror/batch-paths.ts'
import type {
  BrokerMetadata,
  ClusterMetadata,
  CommittedOffset,
  GroupDescription,
  Isolation,
  KafkaFailure,
  PartitionHeaders,
  PartitionOffset
} from '../native/index.ts'

/** Everything that was read for one link. What was committed was read before the ends of the logs. */
export interface LinkFacts {
  group: string
  isolation: Isolation
  /** Milliseconds since the epoch, just before the timestamps are compared with it. */
  readAt: number
  committed: readonly CommittedOffset[]
  description: GroupDescription | KafkaFailure
  metadata: ClusterMetadata
  /** The lanes looked at, sorted by name. */
  topics: readonly string[]
  /** End of what the mirror may read now: the last stable offset under read_committed. */
  readableEnds: readonly PartitionOffset[]
  highWatermarks: readonly PartitionOffset[]
  /** The batches at the committed offsets of lanes that lag. */
  headers: readonly PartitionHeaders[]
  target: TargetFacts | undefined
}

export type TargetFacts =
  | {
      isReached: true
      clusterId: string
      metadata: ClusterMetadata
      ends: readonly PartitionOffset[]
    }
  | { isReached: false; why: string }

export interface Owner {
  clientId: string
  /** As the broker saw it connect. */
  host: string
  memberId: string
}

/** What keeps a lane's figures from being whole, or an operator should know. */
export type LaneTrouble =
  | 'not-committed'
  | 'commit-unreadable'
  | 'topic-missing'
  | 'partition-missing'
  | 'no-leader'
  | 'end-unknown'
  | 'beyond-end'
  | 'records-gone'
  | 'not-readable'
  | 'age-unknown'
  | 'open-transaction'
  | 'target-missing'
  | 'target-end-unknown'
  | 'other-target'
  | 'newer-format'
  | 'still-stopped'

export interface LaneStatus {
  topic: string
  partition: number
  targetTopic: string
  committed: number | undefined
  /** Readable end, as the mirror sees it. */
  logEnd: number | undefined
  highWatermark: number | undefined
  /** Records: the readable end less the committed offset. */
  lag: number | undefined
  /** Age of the first batch that is not mirrored yet; 0 when none is waiting. */
  lagMs: number | undefined
  targetEnd: number | undefined
  leader: BrokerMetadata | undefined
  owner: Owner | undefined
  delivery: 'exactly-once' | 'at-least-once' | undefined
  deliveryReason: string | undefined
  /** Since the group's first commit, as of the last; undefined where the commit does not tell. */
  batches: BatchPaths | undefined
  /** Source offsets that were deleted before they were mirrored. */
  lost: number | undefined
  troubles: readonly LaneTrouble[]
}

export interface Totals {
  topics: number
  lanes: number
  /** Sum over the lanes whose lag is known. */
  lag: number
  /** The oldest batch that waits; undefined while no lane knows. */
  lagMs: number | undefined
  lanesBehind: number
  lanesUnknown: number
  /** Sums over the lanes that tell. */
  batches: BatchPaths
  lost: number
}

export interface GroupStatus {
  /** Kafka's name of the state; undefined when the group could not be described. */
  state: string | undefined
  assignor: string | undefined
  members: number | undefined
  coordinator: BrokerMetadata | undefined
}

export interface LinkStatus {
  source: string
  target: string | undefined
  group: string
  isolation: Isolation
  groupStatus: GroupStatus
  lanes: readonly LaneStatus[]
  totals: Totals
  /** Sentences for an operator. */
  notes: readonly string[]
  /** Something that was asked for could not be read: exit code 1. */
  isIncomplete: boolean
}

/** A link whose source did not answer. */
export interface LinkFailure {
  source: string
  target: string | undefined
  group: string
  error: string
}

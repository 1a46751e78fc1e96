// The native surface of the mirror, typed.
//
// Nothing here hands over a record or a batch: JavaScript configures, commits and reports, and reads
// snapshots (typed arrays) and events (small lists that it drains). No call blocks the event loop;
// what must wait returns a promise that a libuv worker thread fulfils.

import { loadAddon } from './load.ts'

/** librdkafka configuration properties by librdkafka's own names. */
export type Properties = Readonly<Record<string, string>>

/** What librdkafka or a broker said, from librdkafka's own predicates. Thrown values carry it as `failure`. */
export interface KafkaFailure {
  code: number
  /** Kafka's error name (`NOT_LEADER_OR_FOLLOWER`), librdkafka's with a leading `_` (`_TRANSPORT`). */
  name: string
  message: string
  retriable: boolean
  fatal: boolean
}

export interface TopicPartition {
  topic: string
  partition: number
}

export interface BrokerMetadata {
  id: number
  host: string
  port: number
}

export interface PartitionMetadata {
  partition: number
  /** -1 while there is none. */
  leader: number
  replicas: number[]
  inSyncReplicas: number[]
  failure?: KafkaFailure
}

export interface TopicMetadata {
  topic: string
  /** 32 hex digits; empty where the broker tells none (before 2.8). */
  id: string
  partitions: PartitionMetadata[]
  failure?: KafkaFailure
}

export interface ClusterMetadata {
  brokers: BrokerMetadata[]
  topics: TopicMetadata[]
}

export interface ConfigEntry {
  name: string
  value: string | null
  isDefault: boolean
  isSensitive: boolean
}

export interface TopicConfigs {
  topic: string
  entries: ConfigEntry[]
  failure?: KafkaFailure
}

export interface NewTopic {
  topic: string
  partitions: number
  replicationFactor: number
  configs: Readonly<Record<string, string>>
}

/** Result of an admin call for one topic; `failure` is absent when it was done. */
export interface TopicResult {
  topic: string
  failure?: KafkaFailure
}

export interface PartitionOffset extends TopicPartition {
  /** -1 when the cluster has no such offset. */
  offset: number
  /** Of the record there, or of the leader for the end of the log; absent where the broker does not tell. */
  leaderEpoch?: number
  failure?: KafkaFailure
}

export type ClusterEvent =
  | { type: 'error'; failure: KafkaFailure }
  | { type: 'log'; level: number; facility: string; message: string }

export interface GroupMember {
  memberId: string
  /** Empty for a dynamic member. */
  instanceId: string
  clientId: string
  /** As the broker saw it connect: `/10.0.0.7`. */
  host: string
  partitions: TopicPartition[]
}

export interface GroupDescription {
  /** Kafka's name of the state: `Stable`, `Empty`, `PreparingRebalance`, `Dead` when there is no such group. */
  state: string
  /** How partitions are assigned, e.g. `cooperative-sticky`. */
  assignor: string
  coordinator?: BrokerMetadata
  members: GroupMember[]
}

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CodecName = (typeof codecs)[number] | 'unknown'

/** What the header of a batch says; formats before 2 (Kafka 0.11) tell only offset, size and magic. */
export interface BatchHeader {
  baseOffset: number
  lastOffset: number
  /** -1 in formats before 2. */
  records: number
  /** Size of the whole batch on the wire. */
  bytes: number
  magic: number
  codec: CodecName
  /** Milliseconds since the epoch; -1 not known. */
  firstTimestamp: number
  maxTimestamp: number
  isAppendTime: boolean
  isTransactional: boolean
  isControl: boolean
  producerId: number
  producerEpoch: number
  baseSequence: number
}

/** Batches of one partition as they came, for those who look into records. */
export interface PartitionBatches extends TopicPartition {
  logStartOffset: number
  highWatermark: number
  lastStableOffset: number
  /** Transactions that end in an abort: batches of these producers from these offsets on, up to their markers. */
  aborted: { producerId: number; firstOffset: number }[]
  /** Whole batches in log order; the first may begin before the offset asked for. Empty at the end of the log. */
  bytes: ArrayBuffer
  failure?: KafkaFailure
}

/** Whom the target is to take a batch from, and which sequence its first record has. */
export interface ProducerStamp extends ProducerIdentity {
  baseSequence: number
}

export interface NewBatch extends TopicPartition {
  bytes: Uint8Array
  stamp?: ProducerStamp
}

export interface ProducerIdentity {
  producerId: number
  producerEpoch: number
}

/** What was committed of a lane: where its sequence and the target were. */
export interface CommittedPair {
  nextSequence: number
  targetEnd: number
}

/** What the target tells of a lane's partition and producer. */
export interface TargetFacts {
  logStart: number
  highWatermark: number
  /** Last sequence in the newest batch of the producer below the high watermark; undefined while none was found. */
  tailSequence?: number
  /** Target offset behind that batch. */
  tailEnd?: number
  /** Everything from the pair's target end up to the high watermark was looked at. */
  isTailKnown: boolean
  /** Last sequence that the leader remembers, replicated or not. */
  leaderSequence?: number
}

export interface Resume {
  /**
   * `exact`: pass over `arrived` records and go on. `wait`: records are not replicated yet. `look-on`: older
   * batches of the target are needed. `unknown`: it cannot be known any more. `went-back`: the target lost
   * records that it had acknowledged.
   */
  verdict: 'exact' | 'wait' | 'look-on' | 'unknown' | 'went-back'
  arrived: number
}

export interface ProducerState {
  producerId: number
  producerEpoch: number
  /** Of the last record appended, be it replicated or not. */
  lastSequence: number
  /** Offset of the first record of its open transaction; -1 without one. */
  transactionStart: number
}

export interface PartitionProducers extends TopicPartition {
  producers: ProducerState[]
  failure?: KafkaFailure
}

export interface PartitionHeaders extends TopicPartition {
  logStartOffset: number
  highWatermark: number
  lastStableOffset: number
  /** Batches from the one that holds the offset asked for, as many as came whole; empty at the end of the log. */
  batches: BatchHeader[]
  failure?: KafkaFailure
}

/**
 * One librdkafka handle on one cluster: admin calls, and the connections of the links that use it.
 * The constructor throws when librdkafka refuses a property; it does not wait for a connection.
 */
export interface Cluster {
  /** The cluster's id; undefined when it could not be had within the time. */
  clusterId(timeoutMs: number): Promise<string | undefined>
  /** Newest Fetch that one of its brokers has; -1 while none is connected. Before 4 (Kafka 0.11) it brings formats 0 and 1 alone. */
  fetchVersion(): number
  /** All topics, or only those named. Never creates a topic. */
  metadata(topics: readonly string[] | undefined, timeoutMs: number): Promise<ClusterMetadata>
  /** `at`: -2 log start, -1 log end (last stable offset under read_committed), else a time in ms. */
  listOffsets(
    partitions: readonly TopicPartition[],
    at: number,
    isolation: Isolation,
    timeoutMs: number
  ): Promise<PartitionOffset[]>
  createTopics(topics: readonly NewTopic[], timeoutMs: number): Promise<TopicResult[]>
  /** Grows topics to a total number of partitions. */
  createPartitions(
    topics: readonly { topic: string; total: number }[],
    timeoutMs: number
  ): Promise<TopicResult[]>
  /** Everything that is committed for the group; it need not have members. */
  groupOffsets(group: string, timeoutMs: number): Promise<CommittedOffset[]>
  describeGroup(group: string, timeoutMs: number): Promise<GroupDescription>
  /**
   * Fetches a little of each partition from its offset on and returns the headers of the batches found.
   * `maxBytes` is per partition; a batch that does not fit is returned too, by its header alone.
   */
  readHeaders(
    partitions: readonly (TopicPartition & { offset: number })[],
    maxBytes: number,
    isolation: Isolation,
    timeoutMs: number
  ): Promise<PartitionHeaders[]>
  /**
   * Fetches whole batches of each partition from its offset on, about `maxBytes` of each and one batch at
   * least. Leaders are looked up once and again when they have moved. In the order asked.
   */
  readBatches(
    partitions: readonly (TopicPartition & { offset: number })[],
    maxBytes: number,
    isolation: Isolation,
    timeoutMs: number
  ): Promise<PartitionBatches[]>
  /**
   * What the partitions' leaders know of those who wrote them, in the order asked. Brokers before 2.8 fail
   * with `_UNSUPPORTED_FEATURE`. Needs READ on the topics.
   */
  describeProducers(
    partitions: readonly TopicPartition[],
    timeoutMs: number
  ): Promise<PartitionProducers[]>
  /**
   * Where the leaders' logs end, replicated or not, in the order asked; asked under the epochs that `listOffsets`
   * told for the log ends. Brokers before 2.1 fail with `_UNSUPPORTED_FEATURE`.
   */
  logEnds(
    partitions: readonly (TopicPartition & { leaderEpoch: number })[],
    timeoutMs: number
  ): Promise<PartitionOffset[]>
  /**
   * Writes one whole batch (format 2, base offset 0) to each partition, each partition once. One without a stamp that
   * is sent again may be there twice. Tells the offsets that they got, in the order asked.
   */
  appendBatches(batches: readonly NewBatch[], timeoutMs: number): Promise<PartitionOffset[]>
  /** New connections log in with these; for SASL PLAIN and SCRAM. */
  setCredentials(username: string, password: string): void
  describeTopicConfigs(topics: readonly string[], timeoutMs: number): Promise<TopicConfigs[]>
  /** What holds at the broker: its own settings, the cluster's and the defaults. Needs DESCRIBE_CONFIGS on the cluster. */
  describeBrokerConfigs(broker: number, timeoutMs: number): Promise<ConfigEntry[]>
  deleteTopics(topics: readonly string[], timeoutMs: number): Promise<TopicResult[]>
  /** Errors and logs since the last call, at most 1,000; drain it once a second. */
  drainEvents(): ClusterEvent[]
  /** Ends the handle off the event loop. Links on it are closed before. Idempotent. */
  close(): Promise<void>
}

export interface CommittedOffset extends TopicPartition {
  /** -1 when nothing is committed. */
  offset: number
  metadata: string
  failure?: KafkaFailure
}

export interface OffsetToCommit extends TopicPartition {
  offset: number
  metadata: string
}

export type GroupEvent =
  | { type: 'assign'; partitions: TopicPartition[] }
  /** `lost`: the group has given them to others already; nothing can be committed for them. */
  | { type: 'revoke'; partitions: TopicPartition[]; lost: boolean }
  | { type: 'error'; failure: KafkaFailure }
  | { type: 'log'; level: number; facility: string; message: string }

/**
 * Membership of a consumer group on a source cluster. It never fetches. Assignment is always incremental
 * (cooperative). After an `assign` event call `assign`, after a `revoke` event `unassign`: the group waits
 * for it.
 */
export interface Group {
  /** Replaces the subscription: plain topic names. */
  subscribe(topics: readonly string[]): void
  /** Events since the last call; never blocks. To be called at least every 100 ms or so. */
  poll(): GroupEvent[]
  assign(): void
  unassign(): void
  /** All topics. The same answer tells the member of new partitions, which no other request of it asks for. */
  metadata(timeoutMs: number): Promise<ClusterMetadata>
  setCredentials(username: string, password: string): void
  /** Member id within the group; empty before the first join. */
  memberId(): string
  committed(partitions: readonly TopicPartition[], timeoutMs: number): Promise<CommittedOffset[]>
  /** Commits in chunks below the request limit and returns one result per offset. */
  commit(offsets: readonly OffsetToCommit[]): Promise<PartitionOffset[]>
  /** Leaves the group (a static member stays in it) and ends the handle. Idempotent. */
  close(): Promise<void>
}

export type Isolation = 'read_committed' | 'read_uncommitted'

export interface LinkOptions {
  /** Connections per source broker. */
  streams: number
  /** Connections per target broker. A lane stays on one, so its order holds. */
  producers: number
  isolation: Isolation
  fetchMinBytes: number
  /** Most bytes one Fetch may ask for; the size asked for adapts below it. */
  fetchMaxBytes: number
  /** Most bytes of a partition in one Fetch, and about as many wait in its lane; 1 MiB at most while the source answers within 20 ms. */
  maxPartitionFetchBytes: number
  fetchMaxWaitMs: number
  /** Bytes of fetched responses the link may hold, in flight ones included. */
  budgetBytes: number
  /** Aimed-at size of a Produce request; one larger batch is sent alone. */
  maxRequestBytes: number
  /** Batches of one lane in flight, 1 to 5. */
  maxInFlight: number
  /** Produce's own time-out field; kept below the socket's. */
  requestTimeoutMs: number
  /** Without a producer id a batch whose answer was lost may be on the target twice; one batch a lane flies. */
  idempotent: boolean
  /** Records that the link may hold beside the byte budget; 0 for no limit. */
  maxHeldRecords: number
  /** A lane whose position the source has deleted goes on at the log's start instead of stopping (`source-gap`). */
  skipGaps: boolean
  /** Small batches that wait for a far target are merged (`tiny-batches`), if anybody rebuilds batches. */
  merge: boolean
  clientRack: string
  /** How long the target remembers a producer after its last batch: its producer.id.expiration.ms. */
  producerExpiryMs: number
}

/** A batch of the source that has to be rebuilt before it can be sent. */
export interface BatchToReseal {
  lane: number
  ticket: number
  /** `topic-partition`, for messages. */
  source: string
  reason: LaneReason
  /** One batch, or messages of formats before 2 that lie together; several batches with `tiny-batches`. */
  bytes: ArrayBuffer
  /** Records below this source offset are left out. */
  fromOffset: number
  /** Of the records from there on so many are on the target already: they are left out too. */
  skipRecords: number
  targetAppendTime: boolean
  targetMaxBatchBytes: number
  /** What is rebuilt is split into batches of so many bytes; a single record may be larger, up to the target's limit. */
  aimBytes: number
  /** The target takes no zstd (before Kafka 2.1). */
  avoidsZstd: boolean
}

export interface ResealedBatch {
  /** A v2 batch with dense offset deltas from 0. */
  bytes: Uint8Array
  recordCount: number
  /** Source offsets of its first and last record. */
  firstOffset: number
  lastOffset: number
  maxTimestamp: number
}

export interface LaneStart extends TopicPartition {
  /** As in `TopicMetadata`: a topic made anew under the name is not read. Empty: not known. */
  sourceTopicId: string
  targetTopic: string
  targetPartition: number
  /** Source offset of the first record to mirror. */
  offset: number
  /** Of the record before `offset`, by which the source tells whether its log was cut since; -1 not known. */
  leaderEpoch: number
  /** Batches larger than this stop the lane (`too-large`): the target topic's max.message.bytes. */
  targetMaxBatchBytes: number
  /** Whether the target topic has message.timestamp.type=LogAppendTime. */
  targetAppendTime: boolean
  /** Batches that could pass are opened too: `handler`, all of them; `forced`, those of another codec; `none`. */
  opens: 'none' | 'forced' | 'handler'
  /** By its number; with `forced` alone. */
  forcedCodec: number
  /** -1: the link gets a fresh one for the lane, and its sequence begins at 0. */
  producerId: number
  producerEpoch: number
  /** Of the record at `offset`. */
  sequence: number
  /** Records from `offset` on that the target has already: they are passed over. */
  arrived: number
  /** Target offset behind the last record known to be there; -1 not known. */
  targetEnd: number
  /** Target offset behind the last of the records that arrived; -1 not known. */
  arrivedEnd: number
  /** When the target forgets the sequence the lane ends in `lane-needs-resume` instead of maybe doubling records. */
  resumes: boolean
}

/** In snapshots a state is an index into this list. */
export const laneStates = [
  'starting',
  'running',
  'caught-up',
  'backing-off',
  'draining',
  'drained',
  'stopped'
] as const
export type LaneState = (typeof laneStates)[number]

/** Why a lane backs off or is stopped. In snapshots a reason is an index into this list. */
export const laneReasons = [
  'none',
  'no-leader',
  'unknown-topic',
  'not-leader',
  'connection',
  'throttled',
  'not-enough-replicas',
  'broker-error',
  'not-allowed',
  'malformed',
  'bad-crc',
  'old-format',
  'old-broker',
  'head-trim',
  'holes',
  'append-time',
  'too-large',
  'codec-unsupported',
  'timestamp-range',
  'refused',
  'fenced',
  'source-gap',
  'source-diverged',
  'order-lost',
  'worker-failed',
  'target-went-back',
  'topic-recreated',
  'forced',
  'handler',
  'handler-failed',
  'tiny-batches'
] as const
export type LaneReason = (typeof laneReasons)[number]

/** Columns of one lane's row in a snapshot; all numbers, -1 for an offset or time not known. */
export const laneColumns = [
  'id',
  'state',
  'reason',
  /** Kafka's code behind the reason, 0 when there is none. */
  'errorCode',
  /** Source offset that is safe to commit: the end of the last batch whose predecessors are all acknowledged. */
  'checkpoint',
  /** Leader epoch of the source's record before the checkpoint. */
  'leaderEpoch',
  'fetchOffset',
  'highWatermark',
  'lastStableOffset',
  'logStartOffset',
  /** Readable end when the first Fetch was answered: what --until-caught-up mirrors up to. */
  'endAtStart',
  /** 1 once the checkpoint has reached endAtStart, or an empty Fetch below its byte limit showed the end. */
  'reachedEnd',
  'records',
  'bytes',
  'batchesShallow',
  /** Batches sent rebuilt, by reason. */
  'resealHeadTrim',
  'resealHoles',
  'resealOldFormat',
  'resealAppendTime',
  'resealTooLarge',
  'resealRefused',
  'resealCodecUnsupported',
  'resealForced',
  /** Batches that a handler has seen, sent or not. */
  'transformed',
  'resealOldBroker',
  /** Source batches that were sent merged with others. */
  'batchesMerged',
  'skippedControl',
  'skippedAborted',
  'skippedEmpty',
  /** Batches that the target had already when the lane began. */
  'skippedArrived',
  'firstSource',
  'lastSource',
  'firstTarget',
  'lastTarget',
  'producerId',
  'producerEpoch',
  /** Sequence the record at the checkpoint gets. */
  'nextSequence',
  /** Target offset just after the last acknowledged record. */
  'targetEnd',
  'inFlight',
  'queuedBytes',
  /** Batches sent again under a fresh producer id: the target may hold them twice. */
  'maybeDoubled',
  /** maxTimestamp (ms) of the newest acknowledged batch. */
  'lastTimestamp',
  'sourceBroker',
  'targetBroker'
] as const
export type LaneColumn = (typeof laneColumns)[number]

/** Totals of a link since its start. */
export const linkColumns = [
  'fetchRequests',
  'fetchResponseBytes',
  'produceRequests',
  'produceRequestBytes',
  'produceErrors',
  'fetchErrors',
  'retriedBatches',
  'batchesAcknowledged',
  'recordsAcknowledged',
  'bytesAcknowledged',
  'discardedBytes',
  'budgetUsedBytes',
  /** Milliseconds that the link was sampled while it had work, by what held it back. */
  'boundBySourceMs',
  'boundByTargetMs',
  'boundByBudgetMs',
  /** The part of boundByBudgetMs in which maxHeldRecords was the limit. */
  'boundByQueueSizeMs',
  'throttledMs',
  'connections'
] as const
export type LinkColumn = (typeof linkColumns)[number]

/** `lanes` holds one row of `laneColumns.length` numbers per live lane; `link` is one row of `linkColumns`. */
export interface LinkSnapshot {
  lanes: Float64Array
  link: Float64Array
}

export type LinkEvent =
  /** `detail` says what was found, where and what to do about it. */
  | { type: 'lane-stopped'; lane: number; reason: LaneReason; code: number; detail: string }
  | { type: 'lane-backing-off'; lane: number; reason: LaneReason; code: number; detail: string }
  | { type: 'lane-recovered'; lane: number }
  /**
   * The source deleted offsets [from, to) before they were mirrored. Once a gap; before `lane-stopped` when it is
   * not skipped.
   */
  | { type: 'source-gap'; lane: number; from: number; to: number; isSkipped: boolean }
  /** The target forgot the lane's sequence; source offsets [from, to) may be on the target twice. */
  | { type: 'producer-id-reset'; lane: number; from: number; to: number; code: number }
  /** The lane does nothing more: it is to be removed and begun anew at what the target tells. */
  | { type: 'lane-needs-resume'; lane: number; code: number }
  /** The source refuses the lane's position: it waits for `setRange`. */
  | { type: 'lane-needs-range'; lane: number }

/**
 * All lanes from one source cluster to one target cluster. Native threads move the batches from the
 * moment a lane is added until it is drained or removed.
 */
export interface Link {
  /** Gets the producer id. Fails when the target cannot be reached within the time or grants none. */
  start(timeoutMs: number): Promise<void>
  /**
   * The link's producer id for each target partition; -1 for one that it has written under that id before,
   * where its sequence would not begin at 0.
   */
  claimProducers(partitions: readonly TopicPartition[]): ProducerIdentity[]
  /**
   * Calls `wake` when batches wait that cannot pass unchanged. Before any lane is added; without it such a
   * batch stops its lane.
   */
  rebuildBy(wake: () => void): void
  /** Batches that wait, up to about so many bytes. What is left is to be taken when there is room again. */
  takeReseals(mostBytes: number, mostBatches: number): BatchToReseal[]
  /** The records that were left out as asked are `skipped`. What comes too late does nothing. The bytes are gone then. */
  giveResealed(
    lane: number,
    ticket: number,
    skipped: number,
    batches: readonly ResealedBatch[]
  ): void
  /** The batch passes as it came: nothing was left out, its offsets are dense, and the target takes it. */
  giveUnchanged(lane: number, ticket: number): void
  /** A copy of its bytes once more, for another try; undefined when the lane is gone. */
  retakeReseal(lane: number, ticket: number): ArrayBuffer | undefined
  /** Stops the lane at this batch. */
  failReseal(lane: number, ticket: number, reason: LaneReason): void
  /** Returns the ids of the lanes, in order; an id is never used twice. */
  addLanes(lanes: readonly LaneStart[]): number[]
  /** Stops fetching; what is queued is sent. The lanes end in `drained` (or `stopped`). */
  drainLanes(lanes: readonly number[]): void
  /** Forgets lanes; batches in flight may still be written, nothing is acknowledged for them any more. */
  removeLanes(lanes: readonly number[]): void
  /** What is in flight is still answered; then the lanes are over, with this reason. */
  stopLanes(lanes: readonly number[], reason: LaneReason): void
  /** What the source's log holds now, for a lane that has asked. */
  setRange(lane: number, logStart: number, logEnd: number): void
  /** Lanes that skipped a gap wait until the checkpoint behind it is committed. */
  readOn(lanes: readonly number[]): void
  snapshot(): LinkSnapshot
  drainEvents(): LinkEvent[]
  /** Stops the threads of the link and gives its buffers back. Idempotent. */
  close(): Promise<void>
}

/** librdkafka's embedded mock cluster: for demo and tests. It keeps about 5 MB per partition. */
export interface MockCluster {
  readonly bootstrapServers: string
  createTopic(topic: string, partitions: number, replicationFactor: number): void
  setLeader(topic: string, partition: number, broker: number): void
  /** Takes a broker down (connections drop) or up again. */
  setBrokerUp(broker: number, up: boolean): void
  setRoundTripMs(broker: number, milliseconds: number): void
  /** The next requests of this API (protocol key) are answered with these codes, in order. */
  pushErrors(apiKey: number, codes: readonly number[]): void
  close(): void
}

export interface NativeVersion {
  librdkafka: string
  /** librdkafka's `builtin.features`, e.g. `gzip`, `ssl`, `sasl_scram`. */
  features: string[]
}

interface Addon {
  Cluster: new (properties: Properties) => Cluster
  Group: new (properties: Properties) => Group
  Link: new (source: Cluster, target: Cluster, options: LinkOptions) => Link
  MockCluster: new (brokers: number) => MockCluster
  version(): NativeVersion
  decideResume(pair: CommittedPair, facts: TargetFacts): Resume
  exitAtOnce(code: number): never
}

const addon = loadAddon<Addon>()

export const Cluster = addon.Cluster
export const Group = addon.Group
export const Link = addon.Link
export const MockCluster = addon.MockCluster
export const nativeVersion = addon.version
export const decideResume = addon.decideResume

/** Ends the process without waiting for calls under way, which `process.exit` does. Logs are written by then. */
export const exitAtOnce: (code: number) => never = addon.exitAtOnce

/** Reads one column of one lane's row. */
export function laneValue(lanes: Float64Array, row: number, column: LaneColumn): number {
  return lanes[row * laneColumns.length + laneColumns.indexOf(column)] ?? Number.NaN
}

/** Reads one total of a link. */
export function linkValue(link: Float64Array, column: LinkColumn): number {
  return link[linkColumns.indexOf(column)] ?? Number.NaN
}

/** The failure behind an error thrown by the addon, if it is one of Kafka's. */
export function failureOf(error: unknown): KafkaFailure | undefined {
  return error instanceof Error && 'failure' in error ? (error.failure as KafkaFailure) : undefined
}

/** Whether the brokers are too old for what was asked. */
export function isUnsupported(failure: KafkaFailure | undefined): boolean {
  return failure?.name === '_UNSUPPORTED_FEATURE'
}

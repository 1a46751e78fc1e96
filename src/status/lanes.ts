// Decides which lanes `status` shows and what each of them looks like, from what was read.

import type {
  BatchHeader,
  BrokerMetadata,
  ClusterMetadata,
  CommittedOffset,
  GroupDescription,
  KafkaFailure,
  PartitionHeaders,
  PartitionMetadata,
  PartitionOffset,
  TopicPartition
} from '../native/index.ts'
import { describeDelivery } from './delivery.ts'
import { LaneIndex } from './lane-index.ts'
import type { LaneStatus, LaneTrouble, LinkFacts, Owner, TargetFacts } from './types.ts'

const offsetOutOfRange = 1
const topicAuthorizationFailed = 29

/** Topics that the group has committed, or that its members hold. */
export function topicsOfGroup(
  committed: readonly CommittedOffset[],
  description: LinkFacts['description']
): string[] {
  const held = isDescribed(description)
    ? description.members.flatMap(({ partitions }) => partitions)
    : []
  return [...new Set([...committed, ...held].map(({ topic }) => topic))]
}

export function isDescribed(
  description: GroupDescription | KafkaFailure
): description is GroupDescription {
  return 'members' in description
}

/** All partitions of the topics, and those that only the commits know any more. */
export function listLanes(
  topics: readonly string[],
  metadata: ClusterMetadata,
  committed: readonly CommittedOffset[]
): TopicPartition[] {
  const listed = indexPartitions(metadata)
  const commits = LaneIndex.of(committed)
  return topics.flatMap(topic => {
    const partitions = new Set([...listed.partitions(topic), ...commits.partitions(topic)])
    return [...partitions].sort((a, b) => a - b).map(partition => ({ topic, partition }))
  })
}

/** Asking for others as well would only wait for leaders that are not there. */
export function withLeader(
  lanes: readonly TopicPartition[],
  metadata: ClusterMetadata
): TopicPartition[] {
  const listed = indexPartitions(metadata)
  return lanes.filter(lane => (listed.get(lane)?.leader ?? -1) >= 0)
}

/** Where to look for the first batch that waits, the longest queue first. */
export function lanesToRead(
  committed: readonly CommittedOffset[],
  ends: readonly PartitionOffset[]
): (TopicPartition & { offset: number })[] {
  const commits = LaneIndex.of(committed)
  return ends
    .flatMap(end => {
      const offset = commits.get(end)?.offset ?? -1
      const lag = end.offset - offset
      return offset >= 0 && lag > 0 ? { lag, at: { ...partitionOf(end), offset } } : []
    })
    .sort((a, b) => b.lag - a.lag)
    .map(({ at }) => at)
}

export function describeLanes(facts: LinkFacts): LaneStatus[] {
  const { committed, metadata, readableEnds, highWatermarks, headers, topics } = facts
  const index: Index = {
    listed: indexPartitions(metadata),
    existing: new Set(metadata.topics.filter(isThere).map(({ topic }) => topic)),
    brokers: new Map(metadata.brokers.map(broker => [broker.id, broker])),
    commits: LaneIndex.of(committed),
    ends: LaneIndex.of(readableEnds),
    highWatermarks: LaneIndex.of(highWatermarks),
    headers: LaneIndex.of(headers),
    owners: indexOwners(facts.description),
    target: indexTarget(facts.target),
    readAt: facts.readAt
  }
  return listLanes(topics, metadata, committed).map(lane => describeLane(lane, index))
}

interface Index {
  listed: LaneIndex<PartitionMetadata>
  existing: ReadonlySet<string>
  brokers: ReadonlyMap<number, BrokerMetadata>
  commits: LaneIndex<CommittedOffset>
  ends: LaneIndex<PartitionOffset>
  highWatermarks: LaneIndex<PartitionOffset>
  headers: LaneIndex<PartitionHeaders>
  owners: LaneIndex<Owner>
  target:
    | { clusterId: string; listed: LaneIndex<PartitionMetadata>; ends: LaneIndex<PartitionOffset> }
    | undefined
  readAt: number
}

function describeLane(lane: TopicPartition, index: Index): LaneStatus {
  const troubles: LaneTrouble[] = []
  const commit = index.commits.get(lane)
  const committed = readCommit(commit, troubles)
  const delivery =
    commit && committed !== undefined
      ? describeDelivery(commit.metadata, index.target?.clusterId)
      : undefined
  if (delivery?.trouble) troubles.push(delivery.trouble)
  const leader = index.brokers.get(index.listed.get(lane)?.leader ?? -1)
  const logEnd = readEnd(lane, index, troubles)
  const highWatermark = known(index.highWatermarks.get(lane))
  if (logEnd !== undefined && (highWatermark ?? 0) > logEnd) troubles.push('open-transaction')
  const lag = measureLag({ committed, logEnd, highWatermark }, troubles)
  return {
    ...partitionOf(lane),
    targetTopic: lane.topic,
    committed,
    logEnd,
    highWatermark,
    lag,
    lagMs: measureAge(lag, index.headers.get(lane), index.readAt, troubles),
    targetEnd: readTargetEnd(lane, index, troubles),
    leader,
    owner: index.owners.get(lane),
    delivery: delivery?.delivery,
    deliveryReason: delivery?.deliveryReason,
    batches: delivery?.deeds?.paths,
    lost: delivery?.deeds?.lost,
    troubles
  }
}

function readCommit(
  commit: CommittedOffset | undefined,
  troubles: LaneTrouble[]
): number | undefined {
  if (commit?.failure) troubles.push('commit-unreadable')
  else if (commit === undefined || commit.offset < 0) troubles.push('not-committed')
  else return commit.offset
  return undefined
}

function readEnd(
  lane: TopicPartition,
  { existing, listed, brokers, ends }: Index,
  troubles: LaneTrouble[]
): number | undefined {
  const partition = listed.get(lane)
  const end = known(ends.get(lane))
  if (end !== undefined) return end
  if (!existing.has(lane.topic)) troubles.push('topic-missing')
  else if (!partition) troubles.push('partition-missing')
  else if (!brokers.has(partition.leader)) troubles.push('no-leader')
  else troubles.push('end-unknown')
  return undefined
}

interface Offsets {
  committed: number | undefined
  logEnd: number | undefined
  highWatermark: number | undefined
}

/**
 * A commit between the readable end and the high watermark was made by somebody who reads uncommitted; one
 * beyond both, by somebody who knew another log.
 */
function measureLag(
  { committed, logEnd, highWatermark }: Offsets,
  troubles: LaneTrouble[]
): number | undefined {
  if (committed === undefined || logEnd === undefined) return undefined
  if (committed <= (highWatermark ?? logEnd)) return Math.max(0, logEnd - committed)
  troubles.push('beyond-end')
  return undefined
}

/** 0 when nothing waits; undefined when what waits does not tell its time. */
function measureAge(
  lag: number | undefined,
  read: PartitionHeaders | undefined,
  now: number,
  troubles: LaneTrouble[]
): number | undefined {
  if (lag === undefined || lag === 0) return lag
  const at = timeOf(read?.batches[0])
  if (at !== undefined) return Math.max(0, now - at)
  troubles.push(ageTroubles.get(read?.failure?.code ?? 0) ?? 'age-unknown')
  return undefined
}

const ageTroubles = new Map<number, LaneTrouble>([
  [offsetOutOfRange, 'records-gone'],
  [topicAuthorizationFailed, 'not-readable']
])

/** A broker that stamps arrival leaves the first timestamp as the producer had it. */
function timeOf(batch: BatchHeader | undefined): number | undefined {
  if (!batch) return undefined
  const at = batch.isAppendTime ? batch.maxTimestamp : batch.firstTimestamp
  return at < 0 ? undefined : at
}

function readTargetEnd(
  lane: TopicPartition,
  { target }: Index,
  troubles: LaneTrouble[]
): number | undefined {
  if (!target) return undefined
  const end = known(target.ends.get(lane))
  if (end === undefined) {
    troubles.push(target.listed.get(lane) ? 'target-end-unknown' : 'target-missing')
  }
  return end
}

function known(end: PartitionOffset | undefined): number | undefined {
  return end === undefined || end.failure || end.offset < 0 ? undefined : end.offset
}

function indexPartitions(metadata: ClusterMetadata): LaneIndex<PartitionMetadata> {
  const index = new LaneIndex<PartitionMetadata>()
  for (const { topic, partitions } of metadata.topics) {
    for (const row of partitions) index.set({ topic, partition: row.partition }, row)
  }
  return index
}

function indexOwners(description: LinkFacts['description']): LaneIndex<Owner> {
  const index = new LaneIndex<Owner>()
  if (!isDescribed(description)) return index
  for (const { clientId, host, memberId, partitions } of description.members) {
    // The broker writes addresses the way Java prints them.
    const owner = { clientId, host: host.replace(/^\//, ''), memberId }
    for (const partition of partitions) index.set(partition, owner)
  }
  return index
}

function indexTarget(target: TargetFacts | undefined): Index['target'] {
  if (!target?.isReached) return undefined
  const { clusterId, metadata, ends } = target
  return { clusterId, listed: indexPartitions(metadata), ends: LaneIndex.of(ends) }
}

function isThere({ partitions }: ClusterMetadata['topics'][number]): boolean {
  return partitions.length > 0
}

function partitionOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

// Reads everything about a link from its clusters, in as few requests as there are kinds of answers.

import { setTimeout as delay } from 'node:timers/promises'
import { KafkaError } from '../errors.ts'
import type {
  Cluster,
  ClusterMetadata,
  GroupDescription,
  Isolation,
  KafkaFailure,
  PartitionHeaders,
  PartitionOffset,
  TopicPartition
} from '../native/index.ts'
import { asked, orFailure } from './answers.ts'
import { isDescribed, lanesToRead, listLanes, topicsOfGroup, withLeader } from './lanes.ts'
import { type ReachedTarget, readTargetEnds } from './target.ts'
import type { LinkFacts } from './types.ts'

const logEnd = -1

/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR. */
const notReady = new Set([14, 15, 16])
const notReadyPauseMs = 200

/** Time for the batches at the committed offsets of all lanes: what comes later is left out. */
const headersWithinMs = 3_000
/** Each reading begins with a metadata request; a later one may find the time over. */
const lanesPerHeaderRead = 2_000
/** A broker sends whole batches alone: this much holds one of a producer with the usual batch.size. */
const headerBytes = 20_000

export interface GatherOptions {
  source: Cluster
  /** What the source said of its topics. */
  metadata: ClusterMetadata
  target: ReachedTarget | undefined
  group: string
  isolation: Isolation
  /** Chooses from the names of the source's topics and those of the group. */
  chooseTopics(all: readonly string[], ofGroup: readonly string[]): Promise<string[]>
  /** For each cluster's answer to each question. */
  limitMs: number
}

/** The first question, whose answer tells that the source can be reached. */
export function readTopics(source: Cluster, limitMs: number): Promise<ClusterMetadata> {
  return asked(source, 'read metadata', source.metadata(undefined, limitMs))
}

/** Fails with a KafkaError when the source does not show what is committed, or where its logs end. */
export async function gatherLink(options: GatherOptions): Promise<LinkFacts> {
  const { source, metadata, target, group, isolation, limitMs } = options
  const { committed, description } = await readGroup(options)
  const names = metadata.topics.map(({ topic }) => topic)
  const chosen = await options.chooseTopics(names, topicsOfGroup(committed, description))
  const topics = chosen.sort()
  const lanes = listLanes(topics, metadata, committed)
  const targetFacts = target && readTargetEnds(target, lanes, limitMs)
  // What is committed is known by now. The other way round, a mirror that commits meanwhile would be
  // ahead of the end.
  const askable = withLeader(lanes, metadata)
  const [readableEnds, highWatermarks] = await readEnds(source, askable, isolation, limitMs)
  const readAt = Date.now()
  const headers = await readHeaders(source, lanesToRead(committed, readableEnds), isolation)
  return {
    group,
    isolation,
    readAt,
    committed,
    description,
    metadata,
    topics,
    readableEnds,
    highWatermarks,
    headers,
    target: await targetFacts
  }
}

async function readGroup({
  source,
  group,
  limitMs
}: GatherOptions): Promise<Pick<LinkFacts, 'committed' | 'description'>> {
  const what = `read what group "${group}" has committed`
  const description = await describeWhenReady(source, group, limitMs)
  // The client library does not survive a coordinator that is not ready when it is asked for offsets.
  if (!isDescribed(description) && notReady.has(description.code)) {
    throw new KafkaError(what, description)
  }
  const committed = await orFailure(source.groupOffsets(group, limitMs))
  if (Array.isArray(committed)) return { committed, description }
  throw new KafkaError(what, committed)
}

/** A cluster makes its coordinators ready when the first group is asked for, or one has moved. */
async function describeWhenReady(
  source: Cluster,
  group: string,
  limitMs: number
): Promise<GroupDescription | KafkaFailure> {
  const until = performance.now() + limitMs
  for (;;) {
    const description = await orFailure(source.describeGroup(group, limitMs))
    if (isDescribed(description) || !notReady.has(description.code)) return description
    if (performance.now() > until) return description
    await delay(notReadyPauseMs)
  }
}

async function readEnds(
  source: Cluster,
  lanes: readonly TopicPartition[],
  isolation: Isolation,
  limitMs: number
): Promise<[PartitionOffset[], PartitionOffset[]]> {
  if (lanes.length === 0) return [[], []]
  const read = (level: Isolation) =>
    asked(source, 'read log ends', source.listOffsets(lanes, logEnd, level, limitMs))
  if (isolation === 'read_committed') {
    return Promise.all([read('read_committed'), read('read_uncommitted')])
  }
  const ends = await read('read_uncommitted')
  return [ends, ends]
}

/** As many as the time allows; the timestamps are worth little waiting. */
async function readHeaders(
  source: Cluster,
  lanes: readonly (TopicPartition & { offset: number })[],
  isolation: Isolation
): Promise<PartitionHeaders[]> {
  const until = performance.now() + headersWithinMs
  const read: PartitionHeaders[] = []
  for (let from = 0; from < lanes.length; from += lanesPerHeaderRead) {
    const leftMs = Math.round(until - performance.now())
    if (leftMs <= 0) break
    const chunk = lanes.slice(from, from + lanesPerHeaderRead)
    const answer = await orFailure(source.readHeaders(chunk, headerBytes, isolation, leftMs))
    if (!Array.isArray(answer)) break
    read.push(...answer)
  }
  return read
}

// Asks both clusters what there is to compare: topics, ends, commits, and the configs that decide how.

import { KafkaError } from '../errors.ts'
import { type DecodedCheckpoint, decodeCheckpoint } from '../mirror/checkpoint.ts'
import { ClusterIds } from '../mirror/cluster-ids.ts'
import { isUsable } from '../mirror/discovery.ts'
import { laneName } from '../mirror/lane.ts'
import type { LinkConfig, TargetConfig } from '../mirror/types.ts'
import type {
  Cluster,
  CommittedOffset,
  ConfigEntry,
  Isolation,
  TopicMetadata,
  TopicPartition
} from '../native/index.ts'
import { reachWithin } from '../plan/clusters.ts'
import { isKnown, type Offsets } from '../plan/facts.ts'
import { askGroup, asking, listOffsets, readConfigs, timeoutMs } from '../plan/questions.ts'
import type { TopicSelector } from '../topics/select.ts'
import type { Since } from './since.ts'

export interface OpenSource {
  own: LinkConfig
  cluster: Cluster
}

export interface OpenTarget {
  config: TargetConfig
  cluster: Cluster
}

export interface SourceFacts {
  alias: string
  group: string
  topics: ReadonlyMap<string, TopicMetadata>
  /** By lane name, with what their metadata says. */
  commits: ReadonlyMap<string, { offset: number; decoded: DecodedCheckpoint }>
  logStarts: Offsets
  ends: Offsets
  /** Offsets of the time to begin at; none where there is no record since. */
  sinceOffsets: Offsets
  configs: ReadonlyMap<string, readonly ConfigEntry[]>
  beginsAtEnd: boolean
}

export interface TargetFacts {
  clusterId: string
  topics: ReadonlyMap<string, TopicMetadata>
  logStarts: Offsets
  ends: Offsets
  sinceOffsets: Offsets
  configs: ReadonlyMap<string, readonly ConfigEntry[]>
}

export interface VerifyFacts {
  sources: SourceFacts[]
  target: TargetFacts
}

export interface GatherOptions {
  selector: TopicSelector
  since: Since
  /** On the target; each source has its own. */
  isolation: Isolation
}

/**
 * In this order: commits, the target's ends, the sources' ends. What is committed is then below the target's end, and what the target
 * has below the source's, while a mirror is running.
 */
export async function gatherFacts(
  sources: readonly OpenSource[],
  target: OpenTarget,
  options: GatherOptions
): Promise<VerifyFacts> {
  const [targetId, ...sourceIds] = await Promise.all([
    reachWithin(target.cluster, 'target', target.config),
    ...sources.map(({ own, cluster }) => reachWithin(cluster, 'source', own.source))
  ])
  const ids = new ClusterIds()
  for (const [index, { own }] of sources.entries()) {
    ids.add(own.source.alias, sourceIds[index] as string, targetId)
  }
  const outlines = await Promise.all(sources.map(source => outline(source, options)))
  const names = [...new Set(outlines.flatMap(({ topics }) => [...topics.keys()]))]
  const targetFacts = await askTarget(target.cluster, targetId, names, options)
  const found = sources.map(async ({ own, cluster }, index) => {
    const facts = outlines[index] as Outline
    const side = sideOf(own)
    const partitions = ledPartitions(facts.topics)
    const { isolation } = own.link
    const asked = { ...options, isolation }
    const [logStarts, ends, sinceOffsets] = await askOffsets(cluster, side, partitions, asked)
    return { ...facts, logStarts, ends, sinceOffsets }
  })
  return { sources: await Promise.all(found), target: targetFacts }
}

type Outline = Omit<SourceFacts, 'logStarts' | 'ends' | 'sinceOffsets'>

async function outline(
  { own, cluster }: OpenSource,
  { selector }: GatherOptions
): Promise<Outline> {
  const side = sideOf(own)
  const metadata = await asking(`${side}: read metadata`, () =>
    cluster.metadata(undefined, timeoutMs)
  )
  const listed = new Map(metadata.topics.filter(isUsable).map(topic => [topic.topic, topic]))
  const { selected } = await selector.select([...listed.keys()])
  const names = selected.sort()
  const group = own.source.group['group.id'] ?? ''
  const [configs, membership] = await Promise.all([
    readConfigs(cluster, names),
    askGroup(cluster, group)
  ])
  if (!isKnown(membership.committed)) {
    throw new KafkaError(`${side}: read offsets of group "${group}"`, membership.committed.failure)
  }
  return {
    alias: own.source.alias,
    group,
    topics: new Map(names.map(name => [name, listed.get(name) as TopicMetadata])),
    commits: new Map([...membership.committed].flatMap(readCommit)),
    configs: configs.entries,
    beginsAtEnd: own.autoOffsetReset === 'latest'
  }
}

function readCommit([name, { offset, metadata, failure }]: [string, CommittedOffset]): [
  string,
  { offset: number; decoded: DecodedCheckpoint }
][] {
  if (failure || offset < 0) return []
  return [[name, { offset, decoded: decodeCheckpoint(metadata) }]]
}

async function askTarget(
  cluster: Cluster,
  clusterId: string,
  names: readonly string[],
  options: GatherOptions
): Promise<TargetFacts> {
  const metadata = await asking('target: read metadata', () => cluster.metadata(names, timeoutMs))
  const topics = new Map(metadata.topics.filter(isUsable).map(topic => [topic.topic, topic]))
  const [configs, [logStarts, ends, sinceOffsets]] = await Promise.all([
    readConfigs(cluster, [...topics.keys()]),
    askOffsets(cluster, 'target', ledPartitions(topics), options)
  ])
  return { clusterId, topics, configs: configs.entries, logStarts, ends, sinceOffsets }
}

async function askOffsets(
  cluster: Cluster,
  side: string,
  partitions: readonly TopicPartition[],
  { since, isolation }: GatherOptions
): Promise<[logStarts: Offsets, ends: Offsets, since: Offsets]> {
  return Promise.all([
    listOffsets(cluster, side, partitions, -2, 'read_uncommitted'),
    listOffsets(cluster, side, partitions, -1, isolation),
    since.kind === 'time'
      ? listOffsets(cluster, side, partitions, since.ms, isolation)
      : new Map<string, number>()
  ])
}

function sideOf(own: LinkConfig): string {
  return `source "${own.source.alias}"`
}

/** One without a leader would hold up the answer for all. */
function ledPartitions(topics: ReadonlyMap<string, TopicMetadata>): TopicPartition[] {
  return [...topics.values()].flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partition, leader }) => (leader >= 0 ? { topic, partition } : []))
  )
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return laneName(topic, partition)
}

// Asks both clusters all that a plan is decided from. It changes nothing and waits for no answer for ever.

import type { Codec } from '../batches/codec.ts'
import { ClusterIds } from '../mirror/cluster-ids.ts'
import { isUsable, readTopic } from '../mirror/discovery.ts'
import { laneName } from '../mirror/lane.ts'
import { isDoneWithin } from '../mirror/limited.ts'
import { openCluster } from '../mirror/open-client.ts'
import { askExpiry } from '../mirror/producer-expiry.ts'
import type { CreationPolicy, LinkConfig, TargetConfig } from '../mirror/types.ts'
import type { Cluster, ClusterMetadata, TopicMetadata, TopicPartition } from '../native/index.ts'
import { CodecRules, type CodecSettings } from '../topics/codec-rules.ts'
import type { TopicSelector } from '../topics/select.ts'
import type { Transforms } from '../transform/rules.ts'
import { freshSince, memoryOf, type ProducerMemory } from './age.ts'
import { reachWithin } from './clusters.ts'
import type { Facts, SourceFacts, TargetFacts } from './facts.ts'
import { isFirstStart } from './plan.ts'
import { choosePositions } from './positions.ts'
import {
  askGroup,
  asking,
  listOffsets,
  listSince,
  orUnknown,
  readConfigs,
  timeoutMs
} from './questions.ts'

export interface Subject {
  links: readonly LinkConfig[]
  target: TargetConfig
  topics: TopicSelector
  creation: CreationPolicy
  /** Without them batches keep their codec. */
  codecs?: CodecSettings | undefined
  /** Without it no handler sees a record. */
  transforms?: Transforms | undefined
}

/** A client that hangs on a dead broker must not hold up the answer. */
const closeWithinMs = 2_000
const headerBytes = 16_384

type SourceOutline = Omit<SourceFacts, 'headers'>

interface OpenSource {
  own: LinkConfig
  cluster: Cluster
  clusterId: string
}

export async function gatherFacts(subject: Subject): Promise<Facts> {
  const open: Cluster[] = []
  try {
    const sources = subject.links.map(own => {
      const cluster = openCluster(`source "${own.source.alias}"`, own.source.connection)
      open.push(cluster)
      return { own, cluster }
    })
    const target = openCluster('target', subject.target.connection)
    open.push(target)
    return await askBoth(subject, sources, target)
  } finally {
    await isDoneWithin(Promise.all(open.map(cluster => cluster.close())), closeWithinMs)
  }
}

async function askBoth(
  { target: targetConfig, topics: selector, creation, codecs, transforms }: Subject,
  sources: readonly Omit<OpenSource, 'clusterId'>[],
  target: Cluster
): Promise<Facts> {
  const [targetId, ...sourceIds] = await Promise.all([
    reachWithin(target, 'target', targetConfig),
    ...sources.map(({ own, cluster }) => reachWithin(cluster, 'source', own.source))
  ])
  const ids = new ClusterIds()
  for (const [index, { own }] of sources.entries()) {
    ids.add(own.source.alias, sourceIds[index] as string, targetId)
  }
  const memory = memoryOf((await askExpiry(target)).expiryMs)
  const outlines = await Promise.all(
    sources.map((source, index) =>
      outline({ ...source, clusterId: sourceIds[index] as string }, selector, memory, {
        codecs,
        transforms
      })
    )
  )
  const names = [...new Set(outlines.flatMap(({ topics }) => topics.map(({ topic }) => topic)))]
  const [targetFacts, ...headers] = await Promise.all([
    askTarget(target, targetConfig, targetId, names, memory),
    ...outlines.map((facts, index) =>
      readHeaders(sources[index]?.cluster as Cluster, facts, targetId)
    )
  ])
  return {
    sources: outlines.map((facts, index) => ({
      ...facts,
      headers: headers[index] as SourceFacts['headers']
    })),
    target: targetFacts,
    creation,
    now: Date.now()
  }
}

async function outline(
  { own, cluster, clusterId }: OpenSource,
  selector: TopicSelector,
  memory: ProducerMemory,
  { codecs, transforms }: Pick<Subject, 'codecs' | 'transforms'>
): Promise<SourceOutline> {
  const side = `source "${own.source.alias}"`
  const metadata = await asking(`${side}: read metadata`, () =>
    cluster.metadata(undefined, timeoutMs)
  )
  const listed = new Map(metadata.topics.filter(isUsable).map(topic => [topic.topic, topic]))
  const { selected, leftOut } = await selector.select([...listed.keys()])
  const found = selected.sort().map(name => listed.get(name) as TopicMetadata)
  const partitions = ledPartitions(found)
  const group = own.source.group['group.id'] ?? ''
  const { isolation } = own.link
  const since = freshSince(memory, Date.now())
  const [configs, membership, logStarts, logEnds, readableEnds, freshFrom] = await Promise.all([
    readConfigs(cluster, selected),
    askGroup(cluster, group),
    listOffsets(cluster, side, partitions, -2, 'read_uncommitted'),
    listOffsets(cluster, side, partitions, -1, 'read_uncommitted'),
    listOffsets(cluster, side, partitions, -1, isolation),
    listSince(cluster, side, partitions, since, isolation)
  ])
  return {
    ...describeCluster(own.source, clusterId, metadata),
    own,
    fetchVersion: cluster.fetchVersion(),
    topics: found.map(readTopic),
    forcedCodecs: await findForced(codecs, selected),
    isHandled: topic => transforms?.ruleFor(topic) !== undefined,
    leftOut: leftOut.sort((a, b) => (a.topic < b.topic ? -1 : 1)),
    notMatched: listed.size - selected.length - leftOut.length,
    leaders: leadersOf(found),
    configs,
    ...membership,
    logStarts,
    logEnds,
    readableEnds,
    freshFrom
  }
}

async function findForced(
  settings: CodecSettings | undefined,
  topics: readonly string[]
): Promise<Map<string, Codec>> {
  const codecs = new CodecRules(settings)
  try {
    await codecs.learn(topics)
    const rules = topics.map(topic => [topic, codecs.ruleFor(topic)] as const)
    return new Map(
      rules.flatMap(([topic, { codec, isForced }]) => (codec && isForced ? [[topic, codec]] : []))
    )
  } finally {
    await codecs.close()
  }
}

async function askTarget(
  cluster: Cluster,
  config: TargetConfig,
  clusterId: string,
  names: readonly string[],
  memory: ProducerMemory
): Promise<TargetFacts> {
  const metadata = await asking('target: read metadata', () => cluster.metadata(names, timeoutMs))
  const topics = new Map(metadata.topics.map(topic => [topic.topic, topic]))
  const present = metadata.topics.filter(isUsable)
  const partitions = ledPartitions(present)
  const [configs, logStarts, logEnds] = await Promise.all([
    readConfigs(
      cluster,
      present.map(({ topic }) => topic)
    ),
    listOffsets(cluster, 'target', partitions, -2, 'read_uncommitted'),
    listOffsets(cluster, 'target', partitions, -1, 'read_uncommitted')
  ])
  const described = describeCluster(config, clusterId, metadata)
  return { ...described, topics, configs, logStarts, logEnds, memory }
}

function describeCluster(
  { alias, connection }: TargetConfig,
  clusterId: string,
  { brokers }: ClusterMetadata
): Pick<TargetFacts, 'alias' | 'clusterId' | 'bootstrapServers' | 'principal' | 'brokers'> {
  return {
    alias,
    clusterId,
    bootstrapServers: connection['bootstrap.servers'] ?? '',
    principal: `User:${connection['sasl.username'] ?? 'NAME'}`,
    brokers
  }
}

async function readHeaders(
  cluster: Cluster,
  source: SourceOutline,
  targetClusterId: string
): Promise<SourceFacts['headers']> {
  const positions = choosePositions(source, targetClusterId, isFirstStart(source))
  if (positions.length === 0) return new Map()
  const found = await orUnknown(
    cluster.readHeaders(positions, headerBytes, source.own.link.isolation, timeoutMs)
  )
  if (!Array.isArray(found)) return found
  return new Map(found.map(entry => [laneName(entry.topic, entry.partition), entry]))
}

function leadersOf(topics: readonly TopicMetadata[]): Map<string, number> {
  return new Map(
    topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, leader }) => [laneName(topic, partition), leader] as const)
    )
  )
}

/** Those that somebody can answer for: one without a leader would hold up the answer for all. */
function ledPartitions(topics: readonly TopicMetadata[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partition, leader }) => (leader >= 0 ? { topic, partition } : []))
  )
}

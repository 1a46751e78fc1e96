// The plan of a run: what would be done with each topic of each source, and what to know before.

import { decodeCheckpoint } from '../mirror/checkpoint.ts'
import { type DeliveryLevel, expectDelivery } from '../mirror/delivery.ts'
import { laneName } from '../mirror/lane.ts'
import { isOldSource } from '../mirror/source-age.ts'
import type { ConfigEntry } from '../native/index.ts'
import { learnDefaults } from '../topics/configs.ts'
import type { SourceTopic } from '../topics/create.ts'
import type { LeftOut } from '../topics/select.ts'
import { inspectAge } from './age.ts'
import { estimateSeconds } from './estimate.ts'
import { type Facts, isKnown, type SourceFacts, type TargetFacts } from './facts.ts'
import { type Finding, groupBy, mergeFindings, type Warning } from './findings.ts'
import type { LaneOutcome } from './lane-plan.ts'
import { inspectLink } from './link-findings.ts'
import { explainConfigs } from './missing-rights.ts'
import { planTargetTopic, type TargetTopicPlan } from './target-topic.ts'
import { planTopic, type TopicPlan } from './topic-plan.ts'

export interface ClusterSummary {
  alias: string
  clusterId: string
  brokers: number
}

export interface LinkPlan {
  source: ClusterSummary
  target: ClusterSummary
  group: string
  groupState: string | null
  /** Of the group now. */
  members: { memberId: string; clientId: string; host: string; partitions: number }[]
  isolation: string
  autoOffsetReset: string
  delivery: DeliveryLevel['delivery']
  deliveryReason: string
  /** Topics that the pattern matches and that are never mirrored. */
  leftOut: readonly LeftOut[]
  notMatched: number
  /** Matched although they begin with two underscores, as topics of other programs often do. */
  underscored: string[]
  topics: TopicPlan[]
}

export interface PlanTotals {
  topics: number
  topicsByAction: Record<TargetTopicPlan['action'], number>
  lanes: number
  lanesByOutcome: Record<LaneOutcome, number>
  records: number
  /** Of these, in lanes that would stop or wait. */
  heldRecords: number
  /** Of these, such as go one batch at a time since the target forgets their producers. */
  agedRecords: number
  bytes: number
  /** At the assumed rate, over all links. */
  seconds: number
  /** Lanes whose records or bytes are not known and not in the sums. */
  lanesNotCounted: number
}

export interface Plan {
  assumedMegabytesPerSecond: number
  links: LinkPlan[]
  totals: PlanTotals
  warnings: Warning[]
}

export function buildPlan(facts: Facts, megabytesPerSecond: number): Plan {
  const targets = planTargets(facts)
  const planned = facts.sources.map(source => planLink(facts, source, targets, megabytesPerSecond))
  const links = planned.map(({ link }) => link)
  const findings = [
    ...explainConfigs({ side: 'target', ...facts.target }, facts.target.configs.refused),
    ...planned.flatMap(row => row.findings),
    ...[...targets.values()].flatMap(target => target.findings)
  ]
  return {
    assumedMegabytesPerSecond: megabytesPerSecond,
    links,
    totals: addUp(links, targets, megabytesPerSecond),
    warnings: mergeFindings(findings)
  }
}

interface Owner {
  source: SourceFacts
  topic: SourceTopic
}

/** By topic; several sources with a topic of one name share its target topic. */
function planTargets({ sources, target, creation }: Facts): Map<string, TargetTopicPlan> {
  const targetDefaults = new Map<string, string>()
  for (const entries of target.configs.entries.values()) learnDefaults(entries, targetDefaults)
  const owned = sources.flatMap(source => source.topics.map((topic): Owner => ({ source, topic })))
  const byTopic = groupBy(owned, owner => owner.topic.topic)
  return new Map(
    [...byTopic].map(([topic, owners]) => [
      topic,
      planTargetTopic({
        topic,
        partitions: Math.max(...owners.map(owner => owner.topic.partitions)),
        replicationFactor: Math.max(...owners.map(owner => owner.topic.replicationFactor)),
        sourceConfigs: firstConfigs(owners),
        hasOldSources: owners.every(({ source }) => isOldSource(source.fetchVersion)),
        found: target.topics.get(topic),
        targetConfigs: target.configs.entries.get(topic),
        targetBrokers: target.brokers.length,
        targetDefaults,
        wasInStep: owners.some(owner => wasInStep(owner, target)),
        creation
      })
    ])
  )
}

function firstConfigs(owners: readonly Owner[]): readonly ConfigEntry[] | undefined {
  for (const { source, topic } of owners) {
    const entries = source.configs.entries.get(topic.topic)
    if (entries) return entries
  }
  return undefined
}

/** Commits tell whether an earlier run has seen the target with all partitions of the topic. */
function wasInStep({ source, topic }: Owner, target: TargetFacts): boolean {
  const { committed } = source
  if (!isKnown(committed)) return false
  return Array.from({ length: topic.partitions }, (_, partition) => {
    const decoded = decodeCheckpoint(
      committed.get(laneName(topic.topic, partition))?.metadata ?? ''
    )
    return (
      decoded.kind === 'own' &&
      decoded.checkpoint.isInStep &&
      decoded.checkpoint.targetClusterId === target.clusterId
    )
  }).includes(true)
}

function planLink(
  { target, now }: Facts,
  source: SourceFacts,
  targets: ReadonlyMap<string, TargetTopicPlan>,
  megabytesPerSecond: number
): { link: LinkPlan; findings: Finding[] } {
  const isFirst = isFirstStart(source)
  const topics = source.topics.map(topic =>
    planTopic({
      topic,
      source,
      target,
      targetTopic: targets.get(topic.topic) as TargetTopicPlan,
      isFirstStart: isFirst,
      megabytesPerSecond,
      now
    })
  )
  const { own, group } = source
  const link: LinkPlan = {
    source: summarize(source),
    target: summarize(target),
    group: own.source.group['group.id'] ?? '',
    groupState: isKnown(group) ? group.state : null,
    members: isKnown(group)
      ? group.members.map(({ memberId, clientId, host, partitions }) => ({
          memberId,
          clientId,
          host,
          partitions: partitions.length
        }))
      : [],
    isolation: own.link.isolation,
    autoOffsetReset: own.autoOffsetReset,
    ...expectDelivery({
      decoded: { kind: 'none' },
      committed: -1,
      idempotent: own.link.idempotent,
      wish: own.delivery
    }),
    leftOut: source.leftOut,
    notMatched: source.notMatched,
    underscored: source.topics.flatMap(({ topic }) => (topic.startsWith('__') ? topic : [])),
    topics
  }
  const findings = [...inspectLink(source, target, topics), ...inspectAge(topics, target, now)]
  return { link, findings }
}

/** Nothing is committed for the group, so a run would be the mirror's first on these topics. */
export function isFirstStart({ committed, topics }: Omit<SourceFacts, 'headers'>): boolean {
  if (!isKnown(committed)) return false
  return topics.every(({ topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) =>
      committed.get(laneName(topic, partition))
    ).every(entry => (entry?.offset ?? -1) < 0)
  )
}

function summarize({ alias, clusterId, brokers }: SourceFacts | TargetFacts): ClusterSummary {
  return { alias, clusterId, brokers: brokers.length }
}

function addUp(
  links: readonly LinkPlan[],
  targets: ReadonlyMap<string, TargetTopicPlan>,
  megabytesPerSecond: number
): PlanTotals {
  const topicsByAction = { create: 0, exists: 0, grow: 0, 'too-small': 0, missing: 0, refused: 0 }
  for (const { action } of targets.values()) topicsByAction[action]++
  const lanesByOutcome = { copies: 0, idle: 0, stops: 0, waits: 0, unknown: 0 }
  const totals = {
    lanes: 0,
    records: 0,
    heldRecords: 0,
    agedRecords: 0,
    bytes: 0,
    lanesNotCounted: 0
  }
  for (const { lanes } of links.flatMap(({ topics }) => topics)) {
    for (const { outcome, records, bytes, agedRecords } of lanes) {
      lanesByOutcome[outcome]++
      totals.lanes++
      totals.records += records ?? 0
      if (outcome === 'stops' || outcome === 'waits') totals.heldRecords += records ?? 0
      totals.agedRecords += agedRecords ?? 0
      totals.bytes += bytes ?? 0
      if (records === null || bytes === null) totals.lanesNotCounted++
    }
  }
  const seconds = estimateSeconds(totals.bytes, megabytesPerSecond) ?? 0
  return { topics: targets.size, topicsByAction, lanesByOutcome, ...totals, seconds }
}

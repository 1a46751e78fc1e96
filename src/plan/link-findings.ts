// What to know about a link before its run: its group, what cannot be read, and what its start would repeat.

import { againstGaps } from '../mirror/gaps.ts'
import { isOldSource, oldSource } from '../mirror/source-age.ts'
import { isKnown, type SourceFacts, type TargetFacts } from './facts.ts'
import type { Finding } from './findings.ts'
import { inspectGroup } from './group-findings.ts'
import type { LanePlan } from './lane-plan.ts'
import { explainConfigs, explainGroup, explainReading, isRefusedRight } from './missing-rights.ts'
import type { TopicPlan } from './topic-plan.ts'

export function inspectLink(
  source: SourceFacts,
  target: TargetFacts,
  topics: readonly TopicPlan[]
): Finding[] {
  return [
    ...inspectAge(source),
    ...inspectSelection(source),
    ...inspectRights(source),
    ...inspectMembership(source),
    ...topics.flatMap(topic => inspectTopic(topic, target))
  ]
}

function inspectAge({ fetchVersion }: SourceFacts): Finding[] {
  return isOldSource(fetchVersion) ? [{ kind: 'old-source', ...oldSource }] : []
}

function inspectSelection({ alias, topics }: SourceFacts): Finding[] {
  if (topics.length > 0) return []
  return [
    {
      kind: 'nothing-matched',
      text: `no topic of the source "${alias}" would be mirrored: the pattern matches none, or only such as are never mirrored`,
      fix: 'mind that a pattern has to match the whole name, and that the user needs DESCRIBE on a topic to see it'
    }
  ]
}

function inspectRights(source: SourceFacts): Finding[] {
  const side = { side: 'source', ...source } as const
  const group = source.own.source.group['group.id'] ?? ''
  const unknown = [source.committed, source.group].find(fact => !isKnown(fact))
  return [
    ...explainConfigs(side, source.configs.refused),
    ...(unknown && !isKnown(unknown) ? [explainGroup(side, group, unknown.failure)] : []),
    ...inspectHeaders(source)
  ]
}

function inspectHeaders(source: SourceFacts): Finding[] {
  const { headers } = source
  const failures = isKnown(headers)
    ? [...headers.values()].flatMap(({ topic, failure }) => (failure ? { topic, failure } : []))
    : source.topics.map(({ topic }) => ({ topic, failure: headers.failure }))
  const [refused, others] = [true, false].map(isRight =>
    failures.filter(({ failure }) => isRefusedRight(failure) === isRight)
  )
  return [
    ...explainReading({ side: 'source', ...source }, [
      ...new Set((refused ?? []).map(({ topic }) => topic))
    ]),
    ...(others ?? []).map(({ topic, failure }) => ({
      kind: 'not-looked-into',
      topic,
      text: `batches cannot be looked into (${failure.name}): expected paths and bytes are not known`
    }))
  ]
}

function inspectMembership({ own, group, leaders }: SourceFacts): Finding[] {
  if (!isKnown(group)) return []
  const lanesByLeader = new Map<number, number>()
  for (const leader of leaders.values()) {
    lanesByLeader.set(leader, (lanesByLeader.get(leader) ?? 0) + 1)
  }
  return inspectGroup({
    group: own.source.group['group.id'] ?? '',
    description: group,
    instanceId: own.source.group['group.instance.id'],
    isAssignedByBroker: own.source.group['group.protocol'] === 'consumer',
    streams: own.link.streams,
    lanesByLeader
  })
}

function inspectTopic({ topic, lanes, target: found }: TopicPlan, target: TargetFacts): Finding[] {
  const findings: Finding[] = []
  if (lanes.some(({ start }) => start.by === 'heliostat-other-target')) {
    findings.push({
      kind: 'other-target',
      topic,
      text: `the committed offsets were made for another target than "${target.alias}": earlier records may be missing on this one`,
      fix: 'set another group.id to copy from the start'
    })
  }
  const lost = lanes.reduce((sum, lane) => sum + lane.lost, 0)
  if (lost > 0) {
    findings.push({
      kind: 'source-gap',
      topic,
      text: `${lost} source offsets were deleted before they were mirrored: they would be skipped (--on-gap skip)`,
      fix: againstGaps
    })
  }
  if (lanes.some(({ heldBack }) => heldBack > 0)) {
    findings.push({
      kind: 'open-transaction',
      topic,
      text: 'an open transaction holds back the newest records; they follow when it ends'
    })
  }
  if ((found.records ?? 0) > 0 && lanes.some(isCopiedFromStart)) {
    findings.push({
      kind: 'target-not-empty',
      topic,
      text: 'the target topic holds records already, and nothing of this group says how far they came: what is copied comes behind them',
      fix: 'delete the topic on the target first if it holds an earlier copy'
    })
  }
  return findings
}

function isCopiedFromStart({ start, records }: LanePlan): boolean {
  return start.from === 'log-start' && (records ?? 0) > 0
}

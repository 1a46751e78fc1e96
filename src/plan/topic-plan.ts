// What would be done with one source topic: its target topic, its lanes, and what they come to.

import { laneName } from '../mirror/lane.ts'
import { isOldSource } from '../mirror/source-age.ts'
import type { ConfigEntry, PartitionHeaders } from '../native/index.ts'
import type { SourceTopic } from '../topics/create.ts'
import { type BatchSample, type SampleTarget, summarizeSample } from './batch-sample.ts'
import { type ConfigDifference, compareConfigs } from './config-differences.ts'
import { estimateBytes, estimateSeconds, sumKnown } from './estimate.ts'
import { isKnown, type SourceFacts, type TargetFacts } from './facts.ts'
import { type LaneOutcome, type LanePlan, planLane } from './lane-plan.ts'
import { planStart } from './lane-start.ts'
import type { TargetAction, TargetTopicPlan } from './target-topic.ts'

export interface TopicPlan {
  topic: string
  targetTopic: string
  partitions: number
  replicationFactor: number
  target: {
    action: TargetAction
    partitions: number
    partitionsAfter: number
    replicationFactor: number
    /** Set when the topic is created. */
    configs: Readonly<Record<string, string>>
    /** Records that it holds already. */
    records: number | null
  }
  configDifferences: ConfigDifference[]
  records: number | null
  bytes: number | null
  /** At the assumed rate. */
  seconds: number | null
  /** Of the records, those that go one batch at a time since the target forgets their producers. */
  agedRecords: number | null
  /** Of the batches that were looked at; milliseconds since the epoch. */
  oldestTimestamp: number | null
  codecs: string[]
  lanesByOutcome: Record<LaneOutcome, number>
  lanes: LanePlan[]
}

export interface TopicPlanFacts {
  topic: SourceTopic
  source: SourceFacts
  target: TargetFacts
  targetTopic: TargetTopicPlan
  /** The group has no commit at all, so these partitions were there before the mirror. */
  isFirstStart: boolean
  megabytesPerSecond: number
  now: number
}

export function planTopic(facts: TopicPlanFacts): TopicPlan {
  const { topic, source, target, targetTopic, megabytesPerSecond } = facts
  const { samples, lanes } = planLanes(facts)
  const bytes = sumKnown(lanes.map(lane => lane.bytes))
  const { action, partitions, partitionsAfter, replicationFactor, configs } = targetTopic
  const sourceConfigs = source.configs.entries.get(topic.topic)
  const targetConfigs = target.configs.entries.get(topic.topic)
  return {
    topic: topic.topic,
    targetTopic: topic.topic,
    partitions: topic.partitions,
    replicationFactor: topic.replicationFactor,
    target: {
      action,
      partitions,
      partitionsAfter,
      replicationFactor,
      configs,
      records: countTarget(topic.topic, partitions, target)
    },
    configDifferences:
      sourceConfigs && targetConfigs ? compareConfigs(sourceConfigs, targetConfigs) : [],
    records: sumKnown(lanes.map(lane => lane.records)),
    bytes,
    seconds: estimateSeconds(bytes, megabytesPerSecond),
    agedRecords: sumKnown(lanes.map(lane => lane.agedRecords)),
    oldestTimestamp: lanes.reduce<number | null>(
      (oldest, lane) => earlier(oldest, lane.oldestTimestamp),
      null
    ),
    codecs: [...new Set([...samples.values()].flatMap(({ codecs }) => codecs))],
    lanesByOutcome: countOutcomes(lanes),
    lanes
  }
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.min(a, b)
}

function planLanes(facts: TopicPlanFacts): {
  samples: Map<number, BatchSample>
  lanes: LanePlan[]
} {
  const { topic, source } = facts
  const samples = new Map<number, BatchSample>()
  const sampleTarget = describeTarget(facts)
  const lanes = Array.from({ length: topic.partitions }, (_, partition) => {
    const name = laneName(topic.topic, partition)
    const headers = isKnown(source.headers) ? source.headers.get(name) : undefined
    if (headers && headers.batches.length > 0) samples.set(partition, summarizeSample(headers))
    return planOne(facts, partition, headers, sampleTarget)
  })
  return { samples, lanes: estimateBytes(lanes, samples) }
}

function planOne(
  facts: TopicPlanFacts,
  partition: number,
  headers: PartitionHeaders | undefined,
  sampleTarget: SampleTarget
): LanePlan {
  const { topic, source, target, targetTopic, isFirstStart, now } = facts
  const name = laneName(topic.topic, partition)
  const readableEnd = source.readableEnds.get(name)
  const logEnd = source.logEnds.get(name)
  return planLane({
    topic: topic.topic,
    partition,
    start: startOf(
      source,
      name,
      target.clusterId,
      isFirstStart,
      target.topics.get(topic.topic)?.id
    ),
    readableEnd,
    logEnd,
    freshFrom: source.freshFrom.get(name),
    leader: source.leaders.get(name) ?? -1,
    headers,
    hasOldBrokers: isOldSource(source.fetchVersion),
    target: targetTopic,
    sampleTarget,
    now
  })
}

/** Where a lane would begin; also decides from where its batches are looked at. */
export function startOf(
  source: Omit<SourceFacts, 'headers'>,
  name: string,
  targetClusterId: string,
  isFirstStart: boolean,
  targetTopicId = ''
): ReturnType<typeof planStart> {
  const { committed, own } = source
  return planStart({
    committed: isKnown(committed) ? committed.get(name) : undefined,
    isCommittedKnown: isKnown(committed),
    reset: own.autoOffsetReset,
    idempotent: own.link.idempotent,
    wish: own.delivery,
    skipGaps: own.link.skipGaps,
    wasThereAtFirstStart: isFirstStart,
    targetClusterId,
    targetTopicId,
    logStart: source.logStarts.get(name),
    readableEnd: source.readableEnds.get(name),
    logEnd: source.logEnds.get(name)
  })
}

function describeTarget({ topic, source, target, targetTopic }: TopicPlanFacts): SampleTarget {
  const configs = target.configs.entries.get(topic.topic) ?? []
  const forcedCodec = source.forcedCodecs?.get(topic.topic)
  return {
    ...targetTopic.behaviour,
    ...(forcedCodec && { forcedCodec }),
    isHandled: source.isHandled(topic.topic),
    mostPastMs: limitOf(configs, 'message.timestamp.before.max.ms'),
    mostFutureMs: limitOf(configs, 'message.timestamp.after.max.ms')
  }
}

function limitOf(configs: readonly ConfigEntry[], name: string): number {
  const value = configs.find(entry => entry.name === name)?.value
  return value === undefined || value === null ? Number.POSITIVE_INFINITY : Number(value)
}

function countTarget(
  topic: string,
  partitions: number,
  { logStarts, logEnds }: TargetFacts
): number | null {
  const counts = Array.from({ length: partitions }, (_, partition) => {
    const name = laneName(topic, partition)
    const [start, end] = [logStarts.get(name), logEnds.get(name)]
    return start === undefined || end === undefined ? null : end - start
  })
  return sumKnown(counts)
}

function countOutcomes(lanes: readonly LanePlan[]): Record<LaneOutcome, number> {
  const counts = { copies: 0, idle: 0, stops: 0, waits: 0, unknown: 0 }
  for (const { outcome } of lanes) counts[outcome]++
  return counts
}

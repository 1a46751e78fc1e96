// What the command line hands to the mirror, and what the mirror shows of itself.

import type { LaneReason, LaneState, LinkColumn, LinkOptions, Properties } from '../native/index.ts'
import type { CodecSettings } from '../topics/codec-rules.ts'
import type { TopicSelector } from '../topics/select.ts'
import type { TransformPlan } from '../transform/plan.ts'
import type { DeliveryLevel, DeliveryReason, DeliveryWish } from './delivery.ts'
import type { Gap } from './gaps.ts'

export type AutoOffsetReset = 'earliest' | 'latest' | 'none'

export interface SourceConfig {
  /** Name of the cluster in logs, metrics and the report. */
  alias: string
  /** librdkafka properties of every client of this cluster. */
  connection: Properties
  /** Properties of group membership alone: a Group gets `{ ...connection, ...group }`. */
  group: Properties
}

export interface TargetConfig {
  alias: string
  connection: Properties
}

/** What the configuration says of a link; the target tells the rest. */
export type LinkSettings = Omit<LinkOptions, 'producerExpiryMs'>

/** One source and how it is mirrored. */
export interface LinkConfig {
  source: SourceConfig
  link: LinkSettings
  autoOffsetReset: AutoOffsetReset
  commitIntervalMs: number
  delivery: DeliveryWish
}

/** What the mirror may change about the topics of the target. */
export interface CreationPolicy {
  /** Topics that the target lacks are created. */
  create: boolean
  /** Replicas of created topics; undefined: as many as the source's, at most one a target broker. */
  replicationFactor: number | undefined
  /** Topics that had fewer partitions from the start are grown too. */
  grow: boolean
}

export interface MirrorConfig {
  /** At least one; each has its own group and producer id. */
  links: readonly LinkConfig[]
  target: TargetConfig
  topics: TopicSelector
  creation: CreationPolicy
  /** Without them batches keep their codec. */
  codecs?: CodecSettings
  /** Without it no handler sees a record. */
  transforms?: TransformPlan
  /** Limit of requests that change or describe topics of the target. */
  adminTimeoutMs: number
  /** Mirror up to the ends seen at start, then drain and end. */
  untilCaughtUp: boolean
  /** End with exit code 1 at the first batch that the target refuses for good. */
  abortOnSendFailure: boolean
  drainTimeoutMs: number
  /** How often both sides are looked at for new topics and partitions. */
  discoveryIntervalMs: number
}

export type MirrorPhase = 'connecting' | 'joining' | 'mirroring' | 'draining' | 'ended'

/** Why a lane is stopped before the native core has seen it. */
export type PlanReason =
  | 'too-few-partitions'
  | 'target-topic-missing'
  | 'target-topic-refused'
  | 'no-start-offset'
  /** The commit was made for another target, or by a version that knows more. */
  | 'identity-mismatch'
  | 'target-went-back'
  | 'delivery-unproved'
  | 'resume-loop'
  | 'topic-recreated'

/** One source partition as this process has mirrored it; the counts add up over all its lanes. */
export interface LaneView {
  topic: string
  partition: number
  targetTopic: string
  /** `revoked`: not ours any more; its counts stay in totals and report. */
  state: LaneState | 'revoked'
  reason: LaneReason | PlanReason
  /** Kafka's code behind the reason, 0 when there is none. */
  errorCode: number
  /** One sentence for an operator, when there is more to say than the reason. */
  detail?: string
  /** Source offset that is safe to commit; -1 when not known. */
  checkpoint: number
  /** Offset of the last good commit; -1 before the first. */
  committed: number
  /** Readable end of the source partition less the checkpoint; undefined while one is not known. */
  lag: number | undefined
  /** How long an open transaction has held it back; 0 when none has for long. */
  heldBackMs?: number
  records: number
  bytes: number
  batchesShallow: number
  resealHeadTrim: number
  resealHoles: number
  resealOldFormat: number
  resealOldBroker: number
  resealAppendTime: number
  resealTooLarge: number
  resealRefused: number
  resealCodecUnsupported: number
  resealForced: number
  transformed: number
  batchesMerged: number
  skippedControl: number
  skippedAborted: number
  skippedEmpty: number
  skippedArrived: number
  /** First and last mirrored offsets on both sides; -1 when there is none. */
  firstSource: number
  lastSource: number
  firstTarget: number
  lastTarget: number
  maybeDoubled: number
  /** Source offsets that were deleted before they were mirrored, skipped or not. */
  lost: number
  /** Where they were; of very many the newest. */
  gaps: readonly Gap[]
  delivery: DeliveryLevel['delivery']
  deliveryReason: DeliveryReason
}

/** Of the native link since its start, lanes that were given up included. */
export type LinkTotals = Readonly<Record<LinkColumn, number>>

export interface LinkState {
  source: string
  target: string
  totals: LinkTotals
  /** Lanes this process holds now, by state. */
  lanesByState: Readonly<Record<LaneState, number>>
  topics: number
  /** Sum over lanes; undefined until one lane knows its own. */
  lag: number | undefined
  /** With --until-caught-up: records between the start and the ends seen then, and those done. */
  goal?: { records: number; done: number }
  commits: { ok: number; failed: number; lastOkAt?: number }
  rebalances: { assigned: number; revoked: number; lost: number }
  lastDiscoveryAt?: number
  /** Built when asked for: once a scrape or a report, never on a timer. */
  lanes(): LaneView[]
}

/** A condition of readiness, for /readyz. */
export interface Check {
  name: string
  ok: boolean
  detail: string
}

/** How reading the configuration again went, the last time. */
export interface ReloadState {
  /** All that was read is in use. */
  ok: boolean
  /** Milliseconds since the epoch. */
  at: number
  lastOkAt?: number
}

export interface MirrorState {
  /** Milliseconds since the epoch. */
  startedAt: number
  phase: MirrorPhase
  /** All checks hold and no drain runs. A stopped lane does not change it. */
  ready: boolean
  checks: Check[]
  budgetBytes: number
  links: LinkState[]
  /** Absent before the first; the command that reads the files fills it in. */
  lastReload?: ReloadState
}

export interface MirrorResult {
  /** 0 done or drained, 1 failed or a lane stopped in a bounded run, 4 drain ran out of time. */
  exitCode: 0 | 1 | 4
  /** One sentence: the last log line of `run`. */
  reason: string
  /** State at the end, for the report. */
  state: MirrorState
}

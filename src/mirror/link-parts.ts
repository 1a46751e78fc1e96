// The parts of a link and how they hang together.

import { availableParallelism } from 'node:os'
import type { Logger } from 'pino'
import { BatchPool } from '../batches/pool.ts'
import { type Cluster, type Group, type KafkaFailure, Link } from '../native/index.ts'
import { CodecRules } from '../topics/codec-rules.ts'
import { type SourceTopic, TargetTopics } from '../topics/create.ts'
import type { Gathering } from '../topics/gathering.ts'
import { TransformPool } from '../transform/pool.ts'
import { Assignment } from './assignment.ts'
import { decodeCheckpoint } from './checkpoint.ts'
import { ClientLog } from './client-log.ts'
import { Commits } from './commits.ts'
import { Discovery } from './discovery.ts'
import { FanOutWriter } from './fan-out-writer.ts'
import { Handling } from './handling.ts'
import { LaneOrigins } from './lane-origins.ts'
import { LaneStarter } from './lane-starter.ts'
import { Lanes } from './lanes.ts'
import { openGroup } from './open-client.ts'
import { OtherPartitions } from './other-partitions.ts'
import { PassedCodecs } from './passed-codecs.ts'
import { Rebuilding } from './rebuilding.ts'
import type { RecreatedTopic } from './recreated-topics.ts'
import { Repeats } from './repeats.ts'
import { Reseals } from './reseals.ts'
import { SkippedGaps } from './skipped-gaps.ts'
import { SourceRanges } from './source-ranges.ts'
import type { LinkConfig, MirrorConfig } from './types.ts'

export interface LinkPartsOptions {
  /** This link's own part of the configuration. */
  own: LinkConfig
  config: MirrorConfig
  gathering: Gathering
  source: Cluster
  target: Cluster
  targetClusterId: string
  /** How long the target remembers a producer. */
  producerExpiryMs: number
  log: Logger
  /** A topic of the source was deleted and made anew. */
  onRecreated(topic: RecreatedTopic): void
  /** A client cannot go on. */
  onFatal(failure: KafkaFailure): void
  onError(error: unknown): void
}

export interface LinkParts {
  link: Link
  group: Group
  lanes: Lanes
  discovery: Discovery
  commits: Commits
  assignment: Assignment
  starter: LaneStarter
  clientLog: ClientLog
  repeats: Repeats
  pools: readonly Closing[]
  ranges: SourceRanges
  skippedGaps: SkippedGaps
}

interface Closing {
  close(): Promise<void>
}

const committedTimeoutMs = 10_000

export function openLink(options: LinkPartsOptions): LinkParts {
  const { own, config, gathering, source, target, targetClusterId, log, onFatal, onError } = options
  const { onRecreated } = options
  const { isolation } = own.link
  const { producerExpiryMs } = options
  const group = openGroup('source group', {
    ...own.source.connection,
    ...own.source.group
  })
  const link = new Link(source, target, { ...own.link, producerExpiryMs })
  const lanes = new Lanes(link, isolation)
  const repeats = new Repeats()
  const threads = threadsPerLink(config.links.length)
  const pool = new BatchPool({ maxThreads: threads })
  const codecs = new CodecRules(config.codecs)
  const { transforms } = config
  const handlers = transforms && new TransformPool({ ...transforms, maxThreads: threads })
  const { alias } = own.source
  const others = new OtherPartitions({
    target,
    creation: config.creation,
    timeoutMs: config.adminTimeoutMs,
    log,
    repeats
  })
  const commits = new Commits({ group, lanes, log, repeats, targetClusterId, onFatal })
  new Reseals({
    link,
    threads,
    rebuilding: new Rebuilding({ pool, codecs, lanes }),
    handling:
      handlers &&
      new Handling({
        pool: handlers,
        transforms,
        codecs,
        source: alias,
        lanes,
        others,
        fanOut: new FanOutWriter({
          lanes,
          log,
          target,
          link,
          commits,
          others,
          wish: own.delivery,
          timeoutMs: config.adminTimeoutMs
        }),
        log,
        repeats
      }),
    log,
    repeats,
    onError
  })
  const { connection } = own.source
  const clientLog = new ClientLog(log, repeats, {
    source: connection,
    target: config.target.connection,
    group: connection
  })
  const discovery = new Discovery({
    group,
    selector: config.topics,
    log,
    onTopics: sizes => gathering.note(own.source.alias, sizes),
    onRecreated
  })
  const shared = { group, link, lanes, log, repeats }
  const assignment = new Assignment({
    ...shared,
    commits,
    clientLog,
    drainTimeoutMs: config.drainTimeoutMs,
    isBounded: config.untilCaughtUp,
    onFatal,
    onError
  })
  const wasInStep = (topic: SourceTopic) => readWasInStep(group, topic, targetClusterId)
  const starter = new LaneStarter({
    ...shared,
    source,
    commits,
    targetTopics: new TargetTopics({
      source,
      target,
      log,
      gathering,
      creation: config.creation,
      requestTimeoutMs: config.adminTimeoutMs,
      wasInStep
    }),
    topics: discovery.topics,
    recreated: discovery.recreated,
    groupId: own.source.group['group.id'] ?? '',
    origins: new LaneOrigins({
      source,
      target,
      isolation,
      link,
      targetClusterId,
      idempotent: own.link.idempotent,
      wish: own.delivery,
      transforms,
      log
    }),
    isolation,
    transforms,
    codecs,
    passedCodecs: new PassedCodecs({ source, codecs, isolation, log }),
    reset: own.autoOffsetReset
  })
  const ranges = new SourceRanges({ source, link, log, repeats })
  const skippedGaps = new SkippedGaps({ link, lanes, commits, idempotent: own.link.idempotent })
  return {
    pools: handlers ? [pool, codecs, handlers, others] : [pool, codecs],
    link,
    group,
    lanes,
    discovery,
    ranges,
    skippedGaps,
    commits,
    assignment,
    starter,
    clientLog,
    repeats
  }
}

/** The links of a process share its cores. */
function threadsPerLink(links: number): number {
  return Math.max(1, Math.ceil(availableParallelism() / links))
}

/** Commits say whether an earlier run had seen the target with all partitions of the topic. */
async function readWasInStep(
  group: Group,
  { topic, partitions }: SourceTopic,
  targetClusterId: string
): Promise<boolean> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const committed = await group.committed(all, committedTimeoutMs)
  return committed.some(({ metadata }) => {
    const decoded = decodeCheckpoint(metadata)
    if (decoded.kind !== 'own' || !decoded.checkpoint.isInStep) return false
    return decoded.checkpoint.targetClusterId === targetClusterId
  })
}

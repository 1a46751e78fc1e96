// Mirrors the scratch topic once with so many connections on both sides: the same code that a run uses.

import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { RunError } from '../errors.ts'
import { Mirror } from '../mirror/mirror.ts'
import type { LinkState, MirrorConfig, MirrorResult } from '../mirror/types.ts'
import { TopicSelector } from '../topics/select.ts'
import { type KeptLog, keepLog } from './kept-log.ts'
import type { Meter } from './meter.ts'
import { describeStall } from './refusals.ts'
import type { Subject } from './types.ts'

export interface MirroringOptions {
  subject: Subject
  topic: string
  /** On the source's topic. */
  records: number
  /** A new one: it begins at the start of the topic. */
  group: string
  connections: number
  meter: Meter
  stop: AbortSignal
}

// Often enough that begin and end of a second are known to a hundredth.
const lookMs = 10
const stallMs = 60_000

/** Fails with a RunError when a lane stops or nothing moves. */
export async function mirrorOnce(options: MirroringOptions): Promise<void> {
  const { topic, meter, stop } = options
  const topics = new TopicSelector({ include: topic })
  const done = new AbortController()
  const log = keepLog()
  try {
    const mirror = new Mirror(mirrorConfig(options, topics), log.logger)
    const running = mirror.run({ stop: AbortSignal.any([stop, done.signal]) })
    try {
      await Promise.race([
        untilMoved(mirror, options, log),
        running.then(result => failEarly(result, stop, log))
      ])
    } finally {
      meter.stop()
      done.abort()
      await Promise.allSettled([running])
    }
    judge(await running)
  } finally {
    await topics.close()
  }
}

async function untilMoved(
  mirror: Mirror,
  { subject, records, meter, stop }: MirroringOptions,
  log: KeptLog
): Promise<void> {
  let hasBegun = false
  let movedAt = performance.now()
  for (;;) {
    stop.throwIfAborted()
    const [totals] = mirror.totals()
    const { fetchRequests = 0, recordsAcknowledged = 0, bytesAcknowledged = 0 } = totals ?? {}
    // Joining a group takes seconds and moves nothing.
    hasBegun ||= fetchRequests > 0
    if (!hasBegun) meter.begin()
    const now = performance.now()
    if (recordsAcknowledged > meter.records) movedAt = now
    meter.reach(recordsAcknowledged, bytesAcknowledged)
    if (recordsAcknowledged >= records) return meter.stop()
    const stopped = mirror.state().links.flatMap(link => stoppedLane(link) ?? [])
    if (stopped[0] !== undefined) throw new RunError(stopped[0])
    if (now - movedAt > stallMs) {
      // Before the first fetch it is the source that keeps it waiting: its topics and its group.
      const [side, { alias }] = hasBegun
        ? (['target', subject.target] as const)
        : (['source', subject.own.source] as const)
      throw new RunError(describeStall({ side, alias }, 'mirror', stallMs, log.last()))
    }
    await delay(lookMs, undefined, { signal: stop })
  }
}

/** The sentence for a lane that stopped, if one did. */
function stoppedLane(link: LinkState): string | undefined {
  if (link.lanesByState.stopped === 0) return undefined
  const lane = link.lanes().find(({ state }) => state === 'stopped')
  if (!lane) return 'mirror: a lane stopped'
  const detail = lane.detail === undefined ? '' : `: ${lane.detail}`
  return `mirror: lane ${lane.topic}-${lane.partition} stopped: ${lane.reason}${detail}`
}

/** The mirror ends by itself only when it failed. */
function failEarly(result: MirrorResult, stop: AbortSignal, log: KeptLog): never {
  stop.throwIfAborted()
  const last = log.last()
  throw new RunError(`mirror: it ended early: ${result.reason}${last ? ` (last: ${last})` : ''}`)
}

function judge({ exitCode, reason }: MirrorResult): void {
  if (exitCode !== 0) throw new RunError(`mirror: ${reason}`)
}

function mirrorConfig(
  { subject, group, connections }: MirroringOptions,
  topics: TopicSelector
): MirrorConfig {
  const { own, target, codecs, adminTimeoutMs } = subject
  // Under the name of a static member the group would have a member after the end.
  const { 'group.instance.id': _, ...membership } = own.source.group
  return {
    links: [
      {
        ...own,
        source: { ...own.source, group: { ...membership, 'group.id': group } },
        link: { ...own.link, streams: connections, producers: connections },
        autoOffsetReset: 'earliest'
      }
    ],
    target,
    topics,
    codecs,
    creation: { create: false, replicationFactor: undefined, grow: false },
    adminTimeoutMs,
    untilCaughtUp: false,
    abortOnSendFailure: true,
    drainTimeoutMs: 10_000,
    discoveryIntervalMs: 3_000
  }
}

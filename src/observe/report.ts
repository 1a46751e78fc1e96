// The report of a run: JSON for machines, a few lines for people.

import { renameSync, writeFileSync } from 'node:fs'
import { batchPathsOf, countResealed, countSkipped } from '../mirror/batch-paths.ts'
import { countOffsets } from '../mirror/gaps.ts'
import type { LaneView, LinkState, MirrorResult } from '../mirror/types.ts'
import { type BoundBy, formatBoundBy, measureBoundBy } from './bound-by.ts'
import { formatCount, formatDuration, formatMegabytes } from './units.ts'

export interface PartitionReport {
  partition: number
  records: number
  bytes: number
  batches: { shallow: number; reseal: number; merge: number; transform: number; skipped: number }
  reasons: Record<string, number>
  source: { first: number; last: number }
  target: { first: number; last: number }
  delivery: string
  deliveryReason: string
  state: string
  reason: string
  detail?: string
  lag: number | undefined
  committed: number
  maybeDoubled: number
  lost: LostOffsets[]
}

/** Source offsets from..to-1 that were deleted before they were mirrored. */
export interface LostOffsets {
  from: number
  to: number
  offsets: number
  /** Otherwise the lane is stopped there. */
  isSkipped: boolean
}

export interface LostFromTopic extends LostOffsets {
  source: string
  topic: string
  partition: number
}

export interface TopicReport {
  topic: string
  targetTopic: string
  partitions: PartitionReport[]
}

export interface RunReport {
  version: string
  startedAt: string
  durationMs: number
  exitCode: number
  reason: string
  records: number
  bytes: number
  mbPerSecond: number
  cpuSeconds: number
  cpuSecondsPerGb: number
  peakRssBytes: number
  boundBy: BoundBy
  /** In all; `lost` lists where they were, of a lane with very many gaps the newest. */
  lostOffsets: number
  lost: LostFromTopic[]
  links: { source: string; target: string; topics: TopicReport[] }[]
}

/** Figures of the process itself, taken at its edge. */
export interface ProcessFigures {
  version: string
  endedAt: number
  cpuSeconds: number
  peakRssBytes: number
}

export function buildReport(result: MirrorResult, figures: ProcessFigures): RunReport {
  const { state } = result
  const durationMs = figures.endedAt - state.startedAt
  const links = state.links.map(link => ({
    source: link.source,
    target: link.target,
    topics: topicReports(link)
  }))
  const partitions = links.flatMap(link => link.topics.flatMap(topic => topic.partitions))
  const records = partitions.reduce((sum, partition) => sum + partition.records, 0)
  const bytes = partitions.reduce((sum, partition) => sum + partition.bytes, 0)
  return {
    version: figures.version,
    startedAt: new Date(state.startedAt).toISOString(),
    durationMs,
    exitCode: result.exitCode,
    reason: result.reason,
    records,
    bytes,
    mbPerSecond: round(bytes / 1e3 / Math.max(1, durationMs), 3),
    cpuSeconds: round(figures.cpuSeconds, 3),
    cpuSecondsPerGb: bytes === 0 ? 0 : round(figures.cpuSeconds / (bytes / 1e9), 3),
    peakRssBytes: figures.peakRssBytes,
    boundBy: measureBoundBy(state.links),
    ...describeLoss(state.links),
    links
  }
}

function topicReports(link: LinkState): TopicReport[] {
  const topics = new Map<string, TopicReport>()
  for (const lane of link.lanes()) {
    const { topic, targetTopic } = lane
    const report = topics.get(topic) ?? { topic, targetTopic, partitions: [] }
    report.partitions.push(partitionReport(lane))
    topics.set(topic, report)
  }
  for (const topic of topics.values()) {
    topic.partitions.sort((left, right) => left.partition - right.partition)
  }
  return [...topics.values()].sort((left, right) => (left.topic < right.topic ? -1 : 1))
}

function describeLoss(links: readonly LinkState[]): Pick<RunReport, 'lostOffsets' | 'lost'> {
  const losers = links.flatMap(link =>
    link
      .lanes()
      .filter(({ lost }) => lost > 0)
      .map(lane => ({ source: link.source, lane }))
  )
  return {
    lostOffsets: losers.reduce((sum, { lane }) => sum + lane.lost, 0),
    lost: losers.flatMap(({ source, lane }) =>
      lostOffsets(lane).map(lost => ({
        source,
        topic: lane.topic,
        partition: lane.partition,
        ...lost
      }))
    )
  }
}

function lostOffsets({ gaps }: LaneView): LostOffsets[] {
  return gaps.map(({ from, to, isSkipped }) => ({
    from,
    to,
    offsets: countOffsets({ from, to }),
    isSkipped
  }))
}

function partitionReport(lane: LaneView): PartitionReport {
  return {
    partition: lane.partition,
    records: lane.records,
    bytes: lane.bytes,
    batches: {
      shallow: lane.batchesShallow,
      reseal: countResealed(lane),
      merge: lane.batchesMerged,
      transform: lane.transformed,
      skipped: countSkipped(lane)
    },
    reasons: batchPathsOf(lane),
    source: { first: lane.firstSource, last: lane.lastSource },
    target: { first: lane.firstTarget, last: lane.lastTarget },
    delivery: lane.delivery,
    deliveryReason: lane.deliveryReason,
    state: lane.state,
    reason: lane.reason,
    ...(lane.detail === undefined ? {} : { detail: lane.detail }),
    lag: lane.lag,
    committed: lane.committed,
    maybeDoubled: lane.maybeDoubled,
    lost: lostOffsets(lane)
  }
}

/** Written under another name first, so that nobody reads half a report. */
export function writeReport(path: string, report: RunReport): void {
  const draft = `${path}.${process.pid}.tmp`
  writeFileSync(draft, `${JSON.stringify(report, null, 2)}\n`)
  renameSync(draft, path)
}

export function summarize(report: RunReport): string[] {
  const { records, bytes, durationMs, mbPerSecond, cpuSeconds, peakRssBytes } = report
  const lines = [
    `mirrored ${formatCount(records)} records, ${formatMegabytes(bytes)} in ${formatDuration(durationMs)}: ` +
      `${mbPerSecond.toFixed(1)} MB/s, ${cpuSeconds.toFixed(1)} CPU-seconds, ` +
      `${formatMegabytes(peakRssBytes)} peak memory`,
    `held back by ${formatBoundBy(report.boundBy)}`
  ]
  for (const { topic, partition, from, to, offsets, isSkipped } of report.lost) {
    lines.push(
      `lost: ${topic}-${partition}: ${formatCount(offsets)} source offsets from ${from} up to before ${to} were deleted ` +
        `before they were mirrored${isSkipped ? ', and skipped' : ''}`
    )
  }
  for (const { topics } of report.links) {
    for (const { topic, partitions } of topics) {
      for (const { partition, state, reason, detail } of partitions) {
        if (state !== 'stopped') continue
        lines.push(`stopped: ${topic}-${partition}: ${reason}${detail ? `: ${detail}` : ''}`)
      }
    }
  }
  return lines
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

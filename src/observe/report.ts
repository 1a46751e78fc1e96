// The report of a run: JSON for machines, a few lines for people.

import { renameSync, writeFileSync } from 'node:fs'
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
  lost: []
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

export function countResealed(lane: LaneView): number {
  const { resealHeadTrim, resealHoles, resealOldFormat, resealAppendTime, resealTooLarge } = lane
  return resealHeadTrim + resealHoles + resealOldFormat + resealAppendTime + resealTooLarge
}

function partitionReport(lane: LaneView): PartitionReport {
  const reasons = {
    shallow: lane.batchesShallow,
    'head-trim': lane.resealHeadTrim,
    holes: lane.resealHoles,
    'old-format': lane.resealOldFormat,
    'append-time': lane.resealAppendTime,
    'too-large': lane.resealTooLarge,
    control: lane.skippedControl,
    aborted: lane.skippedAborted,
    empty: lane.skippedEmpty,
    'already-there': lane.skippedArrived
  }
  return {
    partition: lane.partition,
    records: lane.records,
    bytes: lane.bytes,
    batches: {
      shallow: lane.batchesShallow,
      reseal: countResealed(lane),
      merge: 0,
      transform: 0,
      skipped: lane.skippedControl + lane.skippedAborted + lane.skippedEmpty + lane.skippedArrived
    },
    reasons: Object.fromEntries(Object.entries(reasons).filter(([, count]) => count > 0)),
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
    lost: []
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

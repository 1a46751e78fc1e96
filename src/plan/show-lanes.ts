// Lanes of a plan as a person reads them: those that would not copy, and all of them as a table.

import { type Column, formatTable } from '../observe/table.ts'
import { formatBytes, formatCount } from '../observe/units.ts'
import { groupBy } from './findings.ts'
import type { LanePlan } from './lane-plan.ts'
import type { CommittedBy } from './lane-start.ts'
import type { TopicPlan } from './topic-plan.ts'

/** Lanes of one topic with one trouble share a line. */
export function showHeldLanes(topics: readonly TopicPlan[]): string[] {
  return topics.flatMap(({ topic, lanes }) => {
    const held = lanes.filter(({ outcome }) => outcome !== 'copies' && outcome !== 'idle')
    const groups = groupBy(
      held,
      ({ outcome, reason, detail }) => `${outcome}\n${reason}\n${detail}`
    )
    return [...groups.values()].map(group => {
      const { outcome, reason, detail } = group[0] as LanePlan
      const partitions = describePartitions(group.map(({ partition }) => partition))
      return `  ${topic} ${partitions} ${verbs[outcome]} (${reason}): ${detail}`
    })
  })
}

const verbs: Readonly<Record<LanePlan['outcome'], string>> = {
  copies: 'copies',
  idle: 'has nothing to copy',
  stops: 'would stop',
  waits: 'would wait',
  unknown: 'cannot be foreseen'
}

/** `[0-3,7]` */
export function describePartitions(partitions: readonly number[]): string {
  const runs: [number, number][] = []
  for (const partition of partitions) {
    const last = runs.at(-1)
    if (last && last[1] === partition - 1) last[1] = partition
    else runs.push([partition, partition])
  }
  return `[${runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',')}]`
}

const laneColumns: readonly Column[] = [
  { title: '  TOPIC' },
  { title: 'PARTITION', align: 'right' },
  { title: 'START', align: 'right', priority: 1 },
  { title: 'FROM', priority: 3 },
  { title: 'END', align: 'right', priority: 2 },
  { title: 'RECORDS', align: 'right' },
  { title: 'BYTES', align: 'right', priority: 6 },
  { title: 'PATH', priority: 4 },
  { title: 'REASON' },
  { title: 'DELIVERY', priority: 5 }
]

export function showLanes(topics: readonly TopicPlan[], width: number): string[] {
  const rows = topics.flatMap(({ topic, lanes }) => lanes.map(lane => laneRow(topic, lane)))
  return rows.length > 0 ? formatTable(laneColumns, rows, width) : []
}

function laneRow(topic: string, lane: LanePlan): string[] {
  return [
    `  ${topic}`,
    String(lane.partition),
    // Offsets are never shortened, nor grouped: they are copied into other commands.
    lane.start.offset === null ? '?' : String(lane.start.offset),
    describeStart(lane.start),
    lane.end === null ? '?' : String(lane.end),
    lane.records === null ? '?' : formatCount(lane.records),
    lane.bytes === null ? '?' : formatBytes(lane.bytes),
    lane.path === 'none' ? '-' : lane.path,
    lane.outcome === 'stops' || lane.outcome === 'waits'
      ? `${lane.outcome}: ${lane.reason}`
      : lane.reason,
    lane.delivery
  ]
}

function describeStart({ from, by }: LanePlan['start']): string {
  return by === undefined ? from : `${from} by ${committers[by]}`
}

const committers: Readonly<Record<CommittedBy, string>> = {
  heliostat: 'heliostat',
  'heliostat-other-target': 'heliostat for another target',
  'heliostat-newer': 'a newer heliostat',
  other: 'another program'
}

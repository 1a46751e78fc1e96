// The status as text: a block of lines for each part of each link.

import type { BatchPaths } from '../mirror/batch-paths.ts'
import { type Column, formatTable } from '../observe/table.ts'
import { formatCount, formatDuration } from '../observe/units.ts'
import { sortByLag } from './totals.ts'
import type { GroupStatus, LaneStatus, LinkFailure, LinkStatus, Totals } from './types.ts'

export interface Block {
  lines: readonly string[]
  /** Its rows may be left out where there is no room for all. */
  isTable: boolean
}

export interface TextOptions {
  width: number
  sort: 'name' | 'lag'
}

interface Cell extends Column {
  show(lane: LaneStatus): string
}

// The names that Kafka's own tool gives the same figures.
const columns: readonly Cell[] = [
  { title: 'TOPIC', show: ({ topic }) => topic },
  { title: 'PARTITION', align: 'right', show: ({ partition }) => String(partition) },
  { title: 'CURRENT-OFFSET', align: 'right', show: ({ committed }) => showNumber(committed) },
  { title: 'LOG-END-OFFSET', align: 'right', show: ({ logEnd }) => showNumber(logEnd) },
  { title: 'LAG', align: 'right', show: ({ lag }) => showNumber(lag) },
  { title: 'TIME-LAG', align: 'right', priority: 1, show: ({ lagMs }) => showAge(lagMs) },
  {
    title: 'TARGET-END',
    align: 'right',
    priority: 4,
    show: ({ targetEnd }) => showNumber(targetEnd)
  },
  { title: 'LEADER', priority: 5, show: showLeader },
  { title: 'OWNER', priority: 2, show: ({ owner }) => owner?.clientId ?? '-' },
  { title: 'HOST', priority: 3, show: ({ owner }) => owner?.host ?? '-' },
  { title: 'DELIVERY', priority: 6, show: ({ delivery }) => delivery ?? '-' },
  { title: 'REASON', priority: 7, show: ({ deliveryReason }) => deliveryReason ?? '-' },
  { title: 'BATCHES', priority: 8, show: ({ batches }) => (batches ? showBatches(batches) : '-') }
]

const howTimeLagIsMeasured =
  'TIME-LAG: age of the first batch that is not mirrored yet, by the timestamp in its header'

export function writeText(
  answers: readonly (LinkStatus | LinkFailure)[],
  options: TextOptions
): Block[] {
  return answers.flatMap((answer, index) => [
    ...(index === 0 ? [] : [plain([''])]),
    ...('error' in answer ? [writeFailure(answer)] : writeLink(answer, options))
  ])
}

function writeFailure({ source, target, group, error }: LinkFailure): Block {
  return plain([nameLink(source, target, group), `error: ${error}`])
}

function writeLink(link: LinkStatus, { width, sort }: TextOptions): Block[] {
  const { source, target, group, groupStatus, totals } = link
  const notes = link.notes.map(note => `note: ${note}`)
  const head = `${nameLink(source, target, group)}${showGroup(groupStatus)}`
  if (link.lanes.length === 0) return [plain([head, ...notes])]
  const shown = columns.filter(({ title }) => title !== 'TARGET-END' || target !== undefined)
  const lanes = sort === 'lag' ? sortByLag(link.lanes) : link.lanes
  const rows = lanes.map(lane => shown.map(({ show }) => show(lane)))
  return [
    plain([head]),
    { lines: formatTable(shown, rows, width), isTable: true },
    plain([
      showTotals(totals),
      ...(totals.lanesBehind > 0 ? [howTimeLagIsMeasured] : []),
      ...(link.lanes.some(({ batches }) => batches)
        ? [`batches since the first commit: ${showBatches(totals.batches)}`]
        : []),
      ...notes
    ])
  ]
}

function plain(lines: readonly string[]): Block {
  return { lines, isTable: false }
}

function nameLink(source: string, target: string | undefined, group: string): string {
  return target === undefined ? `group ${group}` : `${source} -> ${target}, group ${group}`
}

/** ` (Stable, 2 members, cooperative-sticky, coordinator kafka-1:9092)`, as far as it is known. */
function showGroup({ state, members, assignor, coordinator }: GroupStatus): string {
  if (state === undefined) return ''
  const parts = [
    state,
    `${members} member${members === 1 ? '' : 's'}`,
    assignor,
    coordinator && `coordinator ${coordinator.host}:${coordinator.port}`
  ]
  return ` (${parts.filter(part => part !== undefined).join(', ')})`
}

function showTotals({ topics, lanes, lag, lagMs, lanesBehind, lanesUnknown }: Totals): string {
  const parts = [
    `total: ${count(lanes, 'lane')} of ${count(topics, 'topic')}`,
    lanesBehind === 0
      ? `lag ${formatCount(lag)}`
      : `lag ${count(lag, 'record')} in ${count(lanesBehind, 'lane')}`,
    ...(lanesBehind > 0 && lagMs !== undefined ? [`oldest ${showAge(lagMs)}`] : []),
    ...(lanesUnknown > 0 ? [`lag not known in ${count(lanesUnknown, 'lane')}`] : [])
  ]
  return parts.join(', ')
}

/** `120 shallow, 3 holes`. */
function showBatches(batches: BatchPaths): string {
  const parts = Object.entries(batches).map(([path, number]) => `${formatCount(number)} ${path}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}

function count(number: number, noun: string): string {
  return `${formatCount(number)} ${noun}${number === 1 ? '' : 's'}`
}

/** Never shortened: people copy offsets. */
function showNumber(value: number | undefined): string {
  return value === undefined ? '-' : String(value)
}

function showAge(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '-'
  return milliseconds === 0 ? '0s' : formatDuration(milliseconds)
}

function showLeader({ leader, troubles }: LaneStatus): string {
  if (leader) return `${leader.host}:${leader.port} (${leader.id})`
  return troubles.includes('no-leader') ? 'none' : '-'
}

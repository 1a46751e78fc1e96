// Shows lanes and links as the observing side wants them: built when asked for, from the newest snapshot.

import {
  type LaneState,
  type LinkColumn,
  laneReasons,
  laneStates,
  linkColumns
} from '../native/index.ts'
import { column } from './columns.ts'
import type { Lane } from './lane.ts'
import { addCounts, noCounts, readCounts } from './lane-counts.ts'
import type { Lanes } from './lanes.ts'
import type { LaneView } from './types.ts'

export function viewLanes(lanes: Lanes): LaneView[] {
  const rows = new Map<Lane, { rows: Float64Array; at: number }>()
  lanes.eachRow((lane, values, at) => rows.set(lane, { rows: values, at }))
  return [...lanes.all()].map(lane => {
    const row = rows.get(lane)
    return row ? viewRow(lane, row.rows, row.at, lanes.readableEnd) : viewIdle(lane)
  })
}

function viewRow(lane: Lane, rows: Float64Array, at: number, readableEnd: number): LaneView {
  return {
    ...identity(lane),
    state: stateAt(rows, at),
    reason: laneReasons[rows[at + column.reason] as number] ?? 'none',
    errorCode: rows[at + column.errorCode] as number,
    ...(lane.detail === undefined ? {} : { detail: lane.detail }),
    checkpoint: rows[at + column.checkpoint] as number,
    committed: lane.committed,
    lag: lagAt(rows, at, readableEnd),
    heldBackMs: lane.heldBackMs,
    ...addCounts(lane.past ?? noCounts, readCounts(rows, at)),
    ...lossOf(lane),
    ...lane.level
  }
}

/** A lane that the core does not have: refused, not started yet, or given up. */
function viewIdle(lane: Lane): LaneView {
  const { refusal } = lane
  const detail = lane.isHeld ? (refusal?.detail ?? lane.detail) : undefined
  return {
    ...identity(lane),
    state: !lane.isHeld ? 'revoked' : refusal ? 'stopped' : 'starting',
    reason: lane.isHeld && refusal ? refusal.reason : 'none',
    errorCode: 0,
    ...(detail === undefined ? {} : { detail }),
    checkpoint: -1,
    committed: lane.committed,
    lag: undefined,
    ...(lane.past ?? noCounts),
    ...lossOf(lane),
    ...lane.level
  }
}

function lossOf({ gaps }: Lane): Pick<LaneView, 'lost' | 'gaps'> {
  return { lost: gaps.offsets, gaps: gaps.listed }
}

function identity({ topic, partition }: Lane): {
  topic: string
  partition: number
  targetTopic: string
} {
  return { topic, partition, targetTopic: topic }
}

export function stateAt(rows: Float64Array, at: number): LaneState {
  return laneStates[rows[at + column.state] as number] ?? 'starting'
}

/** Undefined while the readable end (in that column) or the checkpoint is not known. */
export function lagAt(rows: Float64Array, at: number, readableEnd: number): number | undefined {
  const end = rows[at + readableEnd] as number
  const checkpoint = rows[at + column.checkpoint] as number
  return end < 0 || checkpoint < 0 ? undefined : Math.max(0, end - checkpoint)
}

export interface LaneSums {
  lanesByState: Record<LaneState, number>
  lag: number | undefined
  /** Records between the starts and the ends seen then, and those that are done. */
  goal: { records: number; done: number }
}

export function sumLanes(lanes: Lanes): LaneSums {
  const lanesByState = Object.fromEntries(laneStates.map(state => [state, 0])) as Record<
    LaneState,
    number
  >
  const goal = { records: 0, done: 0 }
  let lag: number | undefined
  for (const lane of lanes.all()) {
    if (lane.isHeld && lane.id === 0) lanesByState[lane.refusal ? 'stopped' : 'starting']++
  }
  lanes.eachRow((lane, rows, at) => {
    lanesByState[stateAt(rows, at)]++
    const own = lagAt(rows, at, lanes.readableEnd)
    if (own !== undefined) lag = (lag ?? 0) + own
    const end = rows[at + column.endAtStart] as number
    const checkpoint = rows[at + column.checkpoint] as number
    if (end <= lane.start) return
    goal.records += end - lane.start
    goal.done += Math.max(0, Math.min(checkpoint, end) - lane.start)
  })
  return { lanesByState, lag, goal }
}

export function readTotals(link: Float64Array): Record<LinkColumn, number> {
  return Object.fromEntries(linkColumns.map((name, index) => [name, link[index] ?? 0])) as Record<
    LinkColumn,
    number
  >
}

// Writes the state of all lanes to the log, one line a lane.

import { batchPathsOf } from '../mirror/batch-paths.ts'
import type { LaneView, MirrorState } from '../mirror/types.ts'
import type { Logger } from './log.ts'

interface Row {
  source: string
  target: string
  lane: LaneView
}

export interface LaneList {
  shown: Row[]
  /** Lanes beyond the limit. */
  left: number
  /** All of them, by state. */
  lanesByState: Record<string, number>
}

// Enough to see what is wrong with most mirrors, and no flood in the log of a large one.
const mostLanes = 1_000

export function logLanes(state: MirrorState, logger: Logger): void {
  const { shown, left, lanesByState } = listLanes(state, mostLanes)
  for (const { source, target, lane } of shown) {
    logger.info({ source, target, ...describeLane(lane) }, 'lane')
  }
  const { phase, ready } = state
  logger.info({ phase, ready, lanesByState, shown: shown.length, left }, 'lanes listed')
}

/** Where not all find room, those that are not simply running come first. */
export function listLanes({ links }: MirrorState, most: number): LaneList {
  const rows = links.flatMap(link =>
    link
      .lanes()
      .filter(({ state }) => state !== 'revoked')
      .map((lane): Row => ({ source: link.source, target: link.target, lane }))
  )
  const lanesByState: Record<string, number> = {}
  for (const { lane } of rows) lanesByState[lane.state] = (lanesByState[lane.state] ?? 0) + 1
  if (rows.length <= most) return { shown: rows, left: 0, lanesByState }
  const first = rows.filter(({ lane }) => !isSimplyRunning(lane))
  const rest = rows.filter(({ lane }) => isSimplyRunning(lane))
  return { shown: [...first, ...rest].slice(0, most), left: rows.length - most, lanesByState }
}

function isSimplyRunning({ state, reason, heldBackMs = 0 }: LaneView): boolean {
  if (heldBackMs > 0) return false
  return (state === 'running' || state === 'caught-up') && reason === 'none'
}

/** What is not known yet is left out. */
function describeLane(lane: LaneView): Record<string, unknown> {
  const known = (offset: number) => (offset < 0 ? undefined : offset)
  return {
    topic: lane.topic,
    partition: lane.partition,
    ...(lane.targetTopic === lane.topic ? {} : { targetTopic: lane.targetTopic }),
    state: lane.state,
    reason: lane.reason,
    ...(lane.errorCode === 0 ? {} : { code: lane.errorCode }),
    detail: lane.detail,
    checkpoint: known(lane.checkpoint),
    committed: known(lane.committed),
    lastTarget: known(lane.lastTarget),
    lag: lane.lag,
    ...(lane.lost === 0 ? {} : { lost: lane.lost }),
    ...(lane.heldBackMs ? { heldBackMs: Math.round(lane.heldBackMs) } : {}),
    records: lane.records,
    batches: batchPathsOf(lane)
  }
}

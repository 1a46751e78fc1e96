// The end of a bounded run: every lane that the group gives us has reached the end seen at start.

import { laneReasons } from '../native/index.ts'
import type { SourceTopic } from '../topics/create.ts'
import type { Assignment } from './assignment.ts'
import { column } from './columns.ts'
import type { FailedLane } from './end.ts'
import { isCovered, judgeLane, type LaneVerdict } from './goal.ts'
import { stateAt } from './lane-view.ts'
import type { Lanes } from './lanes.ts'

export class BoundedGoal {
  readonly #topics: ReadonlyMap<string, SourceTopic>
  readonly #assignment: Assignment
  readonly #lanes: Lanes
  readonly #settleMs: number

  constructor(
    topics: ReadonlyMap<string, SourceTopic>,
    assignment: Assignment,
    lanes: Lanes,
    settleMs: number
  ) {
    this.#topics = topics
    this.#assignment = assignment
    this.#lanes = lanes
    this.#settleMs = settleMs
  }

  /** The lanes that failed, once no lane is under way any more; undefined before. */
  check(): FailedLane[] | undefined {
    const held = [...this.#lanes.all()].filter(({ isHeld }) => isHeld)
    const { hasJoined, quietMs } = this.#assignment
    const expected = [...this.#topics.values()].reduce((sum, { partitions }) => sum + partitions, 0)
    const cover = { expected, held: held.length, hasJoined, quietMs, settleMs: this.#settleMs }
    if (!isCovered(cover)) return undefined
    const failed: FailedLane[] = []
    let isUnderWay = false
    for (const { id, name, refusal } of held) {
      if (refusal) failed.push({ name, reason: refusal.reason })
      else if (id === 0) isUnderWay = true
    }
    this.#lanes.eachRow(({ isHeld, name }, rows, at) => {
      if (!isHeld) return
      const reason = laneReasons[rows[at + column.reason] as number] ?? 'none'
      const verdict = judgeRow(rows, at, reason)
      if (verdict === 'failed') failed.push({ name, reason })
      if (verdict === 'under-way') isUnderWay = true
    })
    return isUnderWay ? undefined : failed
  }
}

function judgeRow(
  rows: Float64Array,
  at: number,
  reason: (typeof laneReasons)[number]
): LaneVerdict {
  const state = stateAt(rows, at)
  return judgeLane({
    isStopped: state === 'stopped',
    isBackingOff: state === 'backing-off',
    reason,
    hasReachedEnd: rows[at + column.reachedEnd] === 1
  })
}

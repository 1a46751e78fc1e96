// Empties lanes: no new Fetch, and a wait until everything in them is acknowledged.

import { setTimeout as delay } from 'node:timers/promises'
import type { Link } from '../native/index.ts'
import { column, reasonIndex, stateIndex } from './columns.ts'
import type { Lane } from './lane.ts'
import type { Lanes } from './lanes.ts'

const lookEveryMs = 20

/** Returns the lanes that still held something at the deadline (by `performance.now()`). */
export async function drainLanes(
  link: Link,
  lanes: Lanes,
  drained: ReadonlySet<Lane>,
  deadline: number
): Promise<Lane[]> {
  const ids = [...drained].flatMap(lane => (lane.id === 0 ? [] : lane.id))
  if (ids.length === 0) return []
  link.drainLanes(ids)
  for (;;) {
    const busy = busyLanes(lanes, drained)
    if (busy.length === 0 || performance.now() >= deadline) return busy
    await delay(lookEveryMs)
  }
}

function busyLanes(lanes: Lanes, drained: ReadonlySet<Lane>): Lane[] {
  const busy: Lane[] = []
  lanes.eachRow((lane, rows, at) => {
    if (!drained.has(lane)) return
    // What may not be written has been refused: no answer is under way that would be worth a wait.
    if (rows[at + column.reason] === reasonIndex['not-allowed']) return
    const state = rows[at + column.state]
    if (state !== stateIndex.drained && state !== stateIndex.stopped) busy.push(lane)
  }, 0)
  return busy
}

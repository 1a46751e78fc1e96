// Commits the checkpoint behind each gap that was skipped, before its lane reads on: after a crash nobody could tell
// what had come from behind the gap.

import type { Link } from '../native/index.ts'
import { column } from './columns.ts'
import type { Commits } from './commits.ts'
import type { Lane } from './lane.ts'
import type { Lanes } from './lanes.ts'

export interface SkippedGapsOptions {
  link: Pick<Link, 'readOn'>
  lanes: Pick<Lanes, 'eachRow'>
  commits: Pick<Commits, 'commitNow'>
  idempotent: boolean
}

export class SkippedGaps {
  readonly #options: SkippedGapsOptions
  /** By lane, its number in the core. */
  readonly #waiting = new Map<Lane, number>()

  constructor(options: SkippedGapsOptions) {
    this.#options = options
  }

  note(lane: Lane): void {
    if (lane.id !== 0) this.#waiting.set(lane, lane.id)
  }

  /** A lane is looked at again until it has its fresh producer id, and the commit has arrived. */
  async commit(): Promise<void> {
    if (this.#waiting.size === 0) return
    const { link, commits } = this.#options
    for (const [lane, id] of this.#waiting) if (lane.id !== id) this.#waiting.delete(lane)
    const ready = this.#findReady()
    if (ready.size === 0 || !(await commits.commitNow(new Set(ready.keys())))) return
    link.readOn([...ready.values()])
    for (const lane of ready.keys()) this.#waiting.delete(lane)
  }

  #findReady(): Map<Lane, number> {
    const ready = new Map<Lane, number>()
    this.#options.lanes.eachRow((lane, rows, at) => {
      const id = this.#waiting.get(lane)
      const hasProducer = (rows[at + column.producerId] as number) >= 0
      if (id !== undefined && (hasProducer || !this.#options.idempotent)) ready.set(lane, id)
    }, 0)
    return ready
  }
}

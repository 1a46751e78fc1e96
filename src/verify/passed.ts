// Where the records lie that were passed over unopened last: to be read again when one turns up a second time.

import type { BatchHeader } from '../batches/batch-header.ts'
import { mostRemembered } from './history.ts'

/** Batches below this many records share a mark. */
const markRecords = 1_024

interface Mark {
  offset: number
  records: number
}

export class Passed {
  #marks: Mark[] = []
  #records = 0
  /** Behind the last of them. */
  #end = 0

  note({ baseOffset, lastOffsetDelta, recordCount }: BatchHeader): void {
    const last = this.#marks.at(-1)
    if (last && last.records < markRecords) last.records += recordCount
    else this.#marks.push({ offset: baseOffset, records: recordCount })
    this.#records += recordCount
    this.#end = baseOffset + lastOffsetDelta + 1
    for (let [oldest] = this.#marks; oldest; [oldest] = this.#marks) {
      if (this.#records - oldest.records < mostRemembered) return
      this.#marks.shift()
      this.#records -= oldest.records
    }
  }

  /** Offsets of the source, once: they are forgotten then. */
  take(): { from: number; end: number } | undefined {
    const [oldest] = this.#marks
    this.#marks = []
    this.#records = 0
    return oldest && { from: oldest.offset, end: this.#end }
  }
}

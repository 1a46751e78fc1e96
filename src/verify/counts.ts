// The quick check: numbers of offsets on both sides, and what explains that they differ. No record is read.

import type { PartitionHeaders } from '../native/index.ts'
import { formatCount } from '../observe/units.ts'
import { nameOf } from './gather.ts'
import type { LaneTask, LaneVerdict, Remark, TargetTask } from './types.ts'
import { emptyVerdict } from './verdict.ts'

export interface CountFacts {
  /** By lane name: batches at the beginning and the end of each source partition. */
  headers: readonly ReadonlyMap<string, readonly PartitionHeaders[]>[]
}

/** What a target partition should hold, as far as offsets tell. */
interface Expected {
  /** Committed on the sources. */
  least: number
  /** All that can be read there. */
  most: number
}

export function countTarget(task: TargetTask, { headers }: CountFacts): LaneVerdict[] {
  const found = task.end - task.from
  const expected: Expected = { least: 0, most: 0 }
  for (const { committed, from, end } of task.lanes) {
    expected.least += Math.max(0, Math.min(committed, end) - from)
    expected.most += end - from
  }
  const reasons = task.lanes.flatMap(lane => reasonsOf(task, lane, headers[lane.source]))
  const difference = differenceOf(found, expected)
  const isExplained = difference === 0 || reasons.some(reason => reason.explains(difference))
  return task.lanes.map((lane, index) => ({
    ...emptyVerdict(lane),
    state: isExplained ? 'equal' : 'different',
    source: { from: lane.from, end: lane.end, records: lane.end - lane.from, digest: '' },
    target: { from: task.from, end: task.end, records: found, digest: '' },
    beyondCommit: Math.max(0, lane.end - Math.max(lane.committed, lane.from)),
    first: isExplained ? null : describe(difference),
    firstOfClass: isExplained ? [] : [describe(difference)],
    counts: {
      ...emptyVerdict(lane).counts,
      // Of the target partition as a whole: counted with the first of its lanes.
      missing: isExplained || index > 0 ? 0 : Math.max(0, -difference),
      extra: isExplained || index > 0 ? 0 : Math.max(0, difference)
    },
    remarks: [...lane.remarks, ...remarksOf(task, lane, difference, reasons)]
  }))
}

/** Below 0: so many are lacking. Above: so many are too much. */
function differenceOf(found: number, { least, most }: Expected): number {
  if (found < least) return found - least
  return found > most ? found - most : 0
}

interface Reason {
  text: string
  explains(difference: number): boolean
}

const fewer = (difference: number) => difference < 0
const more = (difference: number) => difference > 0
const both = () => true

function reasonsOf(
  task: TargetTask,
  lane: LaneTask,
  headers: CountFacts['headers'][number] | undefined
): Reason[] {
  const reasons: Reason[] = []
  if (task.isCompacted) reasons.push({ text: 'compaction leaves holes', explains: both })
  if (task.logStart > 0) {
    reasons.push({
      text: `the target's log begins at ${task.logStart} (retention)`,
      explains: fewer
    })
  }
  if (lane.logStart > 0) {
    reasons.push({
      text: `the source's log begins at ${lane.logStart} (retention)`,
      explains: more
    })
  }
  if (lane.mayHaveBegunLate) {
    const text = 'the mirror may have begun at the end of the log (auto.offset.reset=latest)'
    reasons.push({ text, explains: fewer })
  }
  const batches = headers?.get(nameOf(lane))?.flatMap(found => found.batches) ?? []
  if (batches.some(({ isTransactional, isControl }) => isTransactional || isControl)) {
    const text = 'transactions: their markers and what was aborted take offsets on the source'
    reasons.push({ text, explains: fewer })
  }
  if (
    batches.some(
      batch => batch.records >= 0 && batch.records < batch.lastOffset - batch.baseOffset + 1
    )
  ) {
    reasons.push({ text: 'batches with holes on the source (compaction before)', explains: fewer })
  }
  return reasons
}

function describe(difference: number): NonNullable<LaneVerdict['first']> {
  const count = formatCount(Math.abs(difference))
  return {
    class: difference < 0 ? 'missing' : 'extra',
    sourceOffset: null,
    targetOffset: null,
    text:
      difference < 0
        ? `the target has ${count} offsets fewer than are committed on the source, and nothing explains it`
        : `the target has ${count} offsets more than the source, and nothing explains it`
  }
}

function remarksOf(
  task: TargetTask,
  lane: LaneTask,
  difference: number,
  reasons: readonly Reason[]
): Remark[] {
  const remarks: Remark[] = []
  const note = (kind: Remark['kind'], text: string) => remarks.push({ kind, text })
  if (lane.end > Math.max(lane.committed, lane.from)) {
    const left = lane.end - Math.max(lane.committed, lane.from)
    note('beyond-commit', `not caught up: ${formatCount(left)} offsets behind the commit`)
  }
  if (task.lanes.length > 1) {
    note('gathered', `${task.lanes.length} sources come together in the target partition`)
  }
  for (const reason of difference === 0 ? [] : reasons) {
    if (reason.explains(difference)) note('counts', reason.text)
  }
  return remarks
}

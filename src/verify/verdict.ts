// Makes the verdict on a lane from what its comparison has counted.

import { formatCount } from '../observe/units.ts'
import { describeDifference } from './describe.ts'
import { type DifferenceClass, noDifferences, sumOf } from './differences.ts'
import type { Ledger } from './ledger.ts'
import type {
  FirstDifference,
  Hopeless,
  LaneTask,
  LaneVerdict,
  Remark,
  TargetTask
} from './types.ts'

export interface ComparedRange {
  source: { from: number; end: number }
  target: { from: number; end: number }
}

export function judgeLane(
  task: TargetTask,
  lane: LaneTask,
  ledger: Ledger,
  range: ComparedRange
): LaneVerdict {
  const { judge } = ledger
  const found = sumOf(judge.counts)
  const digests = ledger.digests()
  const { missing, duplicated, extra, ...both } = judge.counts
  const changed = sumOf({ ...both, missing: 0, duplicated: 0, extra: 0 })
  const isApart = ledger.unaligned.source + ledger.unaligned.target > 0
  const firsts = judge.told.map(describeDifference)
  return {
    ...emptyVerdict(lane),
    state: found > 0 || isApart ? 'different' : 'equal',
    matched: ledger.matched,
    source: {
      ...range.source,
      records: ledger.matched + changed + missing,
      digest: digests.source
    },
    target: {
      ...range.target,
      records: ledger.matched + changed + duplicated + extra,
      digest: digests.target
    },
    counts: { ...judge.counts },
    first: firsts[0] ?? null,
    firstOfClass: firstOfEach(firsts),
    beyondCommit: ledger.beyond,
    remarks: [...lane.remarks, ...remarksOf(task, lane, ledger)]
  }
}

export function judgeHopeless({ lane, state, why, missing }: Hopeless): LaneVerdict {
  const verdict = emptyVerdict(lane)
  verdict.counts.missing = missing
  return { ...verdict, state, why }
}

export function notCompared(lane: LaneTask, why: string): LaneVerdict {
  return { ...emptyVerdict(lane), state: 'not-compared', why }
}

export function emptyVerdict(lane: LaneTask): LaneVerdict {
  return {
    topic: lane.topic,
    partition: lane.partition,
    sourceCluster: lane.alias,
    targetTopic: lane.topic,
    state: 'equal',
    why: '',
    matched: 0,
    source: null,
    target: null,
    counts: noDifferences(),
    first: null,
    firstOfClass: [],
    beyondCommit: 0,
    remarks: [...lane.remarks]
  }
}

function firstOfEach(firsts: readonly FirstDifference[]): FirstDifference[] {
  const byClass = new Map<DifferenceClass, FirstDifference>()
  for (const first of firsts) if (!byClass.has(first.class)) byClass.set(first.class, first)
  return [...byClass.values()]
}

function remarksOf(task: TargetTask, lane: LaneTask, ledger: Ledger): Remark[] {
  const { lead, superseded, unaligned, judge, beyond } = ledger
  const remarks: Remark[] = []
  const note = (kind: Remark['kind'], text: string) => remarks.push({ kind, text })
  if (lead.source > 0) {
    const why =
      task.logStart > 0
        ? "the target's log begins behind them (retention)"
        : 'the mirror began behind them, or the time asked for lies there'
    note('begins-later-target', `${records(lead.source)} of the source not compared: ${why}`)
  }
  if (lead.target > 0) {
    const why =
      lane.logStart > 0
        ? "the source's log begins behind them (retention)"
        : 'they are from before the time asked for'
    note('begins-later-source', `${records(lead.target)} of the target not compared: ${why}`)
  }
  if (beyond > 0) {
    const where =
      lane.committed < 0 ? 'nothing is committed yet' : `behind the commit at ${lane.committed}`
    note('beyond-commit', `${records(beyond)} not on the target yet, ${where}`)
  }
  if (judge.replacedTimes > 0) {
    note(
      'append-time',
      `${records(judge.replacedTimes)} with timestamps of the target (LogAppendTime): timestamps not compared`
    )
  }
  if (superseded) {
    const { excused, unjudged } = superseded
    const gone = `${records(excused.source)} gone from the target and ${formatCount(excused.target)} from the source`
    note(
      'compacted',
      `compacted: survivors compared, ${gone} for a later one of their key or an old tombstone`
    )
    const open = unjudged.source + unjudged.target
    if (open > 0)
      note(
        'not-aligned',
        `${records(open)} not judged: too many at a time wait for a later one of their key`
      )
  }
  if (unaligned.source + unaligned.target > 0) {
    note(
      'not-aligned',
      `nothing in common from source offset ${ledger.apartFrom?.source} and target offset ${ledger.apartFrom?.target} on: ${records(unaligned.source)} of the source and ${formatCount(unaligned.target)} of the target not compared`
    )
  }
  return remarks
}

function records(count: number): string {
  return `${formatCount(count)} record${count === 1 ? '' : 's'}`
}

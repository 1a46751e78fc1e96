// Compares runs of records out of a partition: where each begins on the target is estimated, then found.

import { Aligner } from './aligner.ts'
import type { Sides } from './compare.ts'
import { differenceClasses } from './differences.ts'
import { Ledger } from './ledger.ts'
import { RecordStream, type StreamSource } from './record-stream.ts'
import type { Run } from './sample.ts'
import type { LaneTask, LaneVerdict, TargetTask } from './types.ts'
import { emptyVerdict, judgeLane } from './verdict.ts'

/** A run is looked for from so many offsets before the estimate on; when it is not found, from further before. */
const margins = [200, 10_000, Number.POSITIVE_INFINITY] as const
/** A run is short: little is read at a time, and nothing ahead. */
const chunkBytes = 128 * 1_024

export async function compareSample(
  task: TargetTask,
  lane: LaneTask,
  runs: readonly Run[],
  sides: Sides
): Promise<LaneVerdict> {
  const verdict = emptyVerdict(lane)
  for (const run of runs) add(verdict, await compareRun(task, lane, run, sides))
  const compared = runs.reduce((sum, { from, end }) => sum + end - from, 0)
  const text = `a sample: ${compared} of ${lane.end - lane.from} offsets in ${runs.length} runs`
  verdict.remarks.push({ kind: 'sample', text })
  return verdict
}

async function compareRun(
  task: TargetTask,
  lane: LaneTask,
  run: Run,
  sides: Sides
): Promise<LaneVerdict> {
  for (const margin of margins) {
    const from = Math.floor(Math.max(task.from, estimate(task, lane, run.from) - margin))
    const verdict = await compareFrom(task, lane, run, sides, from, 4 * margin)
    // Nothing in common at all: more likely the wrong place than a run without a single record.
    if (verdict.matched > 0 || verdict.state === 'equal' || from === task.from) return verdict
  }
  throw new Error('the last margin reaches to the beginning')
}

async function compareFrom(
  task: TargetTask,
  lane: LaneTask,
  run: Run,
  sides: Sides,
  from: number,
  runWindow: number
): Promise<LaneVerdict> {
  const { topic, partition, end } = task
  const hasTimes = !task.isAppendTime
  const source = new RecordStream(inParts(sides.sources[lane.source] as StreamSource), {
    topic,
    partition,
    ...run,
    hasTimes
  })
  const target = new RecordStream(inParts(sides.target), { topic, partition, from, end, hasTimes })
  const ledger = new Ledger({
    committed: lane.committed,
    leads: { source: run.from === lane.from && task.from > 0, target: true },
    hasTimes,
    compacted: task.isCompacted
      ? { tombstonesBefore: Date.now() - task.deleteRetentionMs }
      : undefined,
    ignoresTargetRest: true
  })
  await new Aligner(source, target, ledger, { hasTimes, wide: sides.wide, runWindow }).run()
  const range = { source: { from: run.from, end: run.end }, target: { from, end } }
  return judgeLane(task, lane, ledger, range)
}

function inParts(source: StreamSource): StreamSource {
  return {
    ...source,
    chunksAhead: 0,
    chunkBytes: () => Math.min(chunkBytes, source.chunkBytes())
  }
}

/** By what was committed together, else in proportion to the whole of both logs. */
function estimate(task: TargetTask, lane: LaneTask, offset: number): number {
  const { committed, committedTargetEnd } = lane
  if (committedTargetEnd !== undefined && committed >= 0) {
    return committedTargetEnd - (committed - offset)
  }
  const share = (offset - lane.from) / Math.max(1, lane.end - lane.from)
  return task.from + share * (task.end - task.from)
}

/** The sums of all runs; the first difference stays the first. */
function add(total: LaneVerdict, run: LaneVerdict): void {
  total.matched += run.matched
  for (const side of ['source', 'target'] as const) {
    const records = (total[side]?.records ?? 0) + (run[side]?.records ?? 0)
    const [from, end] = [total[side]?.from ?? run[side]?.from ?? 0, run[side]?.end ?? 0]
    // A digest of some records here and there could be compared with nothing.
    total[side] = { from, end, records, digest: '' }
  }
  total.beyondCommit += run.beyondCommit
  if (run.state !== 'equal') total.state = run.state
  for (const name of differenceClasses) total.counts[name] += run.counts[name]
  total.first ??= run.first
  const known = new Set(total.firstOfClass.map(first => first.class))
  total.firstOfClass.push(...run.firstOfClass.filter(first => !known.has(first.class)))
  // Each run has been looked for: where the target's part began and ended says nothing.
  const kept = run.remarks.filter(({ kind }) => !kind.startsWith('begins-later'))
  const said = new Set(total.remarks.map(({ kind }) => kind))
  total.remarks.push(...kept.filter(({ kind }) => !said.has(kind)))
}

// Compares one target partition with the source partitions that lead into it.

import { type AlignedSide, Aligner, type AlignerOptions } from './aligner.ts'
import type { Gate } from './gate.ts'
import { splitTarget } from './gathered.ts'
import { Ledger } from './ledger.ts'
import { RecordStream, type StreamSource } from './record-stream.ts'
import type { Run } from './sample.ts'
import type { LaneTask, LaneVerdict, TargetTask } from './types.ts'
import { judgeLane } from './verdict.ts'

export interface Sides {
  /** By the index of the source. */
  sources: readonly StreamSource[]
  target: StreamSource
  wide: Gate
}

interface Attempt {
  task: TargetTask
  sides: Sides
  hasTimes: boolean
  now: number
}

export async function compareTarget(task: TargetTask, sides: Sides): Promise<LaneVerdict[]> {
  const attempt: Attempt = { task, sides, hasTimes: !task.isAppendTime, now: Date.now() }
  const target = openTarget(attempt)
  // Batches say for themselves whether the target has put its own time on them: the config may have been changed since.
  if (attempt.hasTimes && (await target.beginsWithAppendTime())) {
    return compareTarget({ ...task, isAppendTime: true }, sides)
  }
  const verdicts = await compareStreams(attempt, target)
  if (task.isAppendTime) {
    const text = 'the target has timestamps of its own (LogAppendTime): timestamps not compared'
    for (const { remarks } of verdicts) remarks.push({ kind: 'append-time', text })
  }
  return verdicts
}

async function compareStreams(attempt: Attempt, target: RecordStream): Promise<LaneVerdict[]> {
  const { task } = attempt
  const sources = task.lanes.map(lane => openSource(attempt, lane))
  const shares: AlignedSide[] = isAlone(task) ? [target] : splitTarget(target, sources)
  const ledgers = task.lanes.map(lane => openLedger(attempt, lane))
  await Promise.all(
    sources.map((source, index) =>
      new Aligner(
        source,
        shares[index] as AlignedSide,
        ledgers[index] as Ledger,
        optionsFor(attempt, task.lanes[index] as LaneTask, source, target)
      ).run()
    )
  )
  return task.lanes.map((lane, index) =>
    judgeLane(task, lane, ledgers[index] as Ledger, {
      source: { from: lane.from, end: lane.end },
      target: { from: task.from, end: task.end }
    })
  )
}

function optionsFor(
  attempt: Attempt,
  lane: LaneTask,
  source: RecordStream,
  target: RecordStream
): AlignerOptions {
  const { hasTimes, sides } = attempt
  const options = { hasTimes, wide: sides.wide, committed: lane.committed }
  if (!isAlone(attempt.task)) return options
  const reread = (range: Run) => openAgain(attempt, lane, range)
  return { ...options, closed: { source, target, reread } }
}

/** Of a gathered target each batch is of one source or another: its records are dealt out. */
function isAlone({ lanes }: TargetTask): boolean {
  return lanes.length === 1
}

function openTarget({ task, sides, hasTimes }: Attempt): RecordStream {
  const { topic, partition, from, end } = task
  const range = { topic, partition, from, end, hasTimes, keepsClosed: isAlone(task) }
  return new RecordStream(sides.target, range)
}

function openSource({ task, sides, hasTimes }: Attempt, lane: LaneTask): RecordStream {
  const { topic, partition, from, end } = lane
  const range = { topic, partition, from, end, hasTimes, keepsClosed: isAlone(task) }
  return new RecordStream(sides.sources[lane.source] as StreamSource, range)
}

/** What has been counted already. */
function openAgain({ sides, hasTimes }: Attempt, lane: LaneTask, { from, end }: Run): RecordStream {
  const { topic, partition } = lane
  const source = { ...(sides.sources[lane.source] as StreamSource), note: () => undefined }
  return new RecordStream(source, { topic, partition, from, end, hasTimes })
}

function openLedger({ task, hasTimes, now }: Attempt, lane: LaneTask): Ledger {
  return new Ledger({
    committed: lane.committed,
    leads: {
      source: task.from > 0 || lane.mayHaveBegunLate,
      target: lane.from > 0
    },
    hasTimes,
    compacted: task.isCompacted ? { tombstonesBefore: now - task.deleteRetentionMs } : undefined,
    ignoresTargetRest: false
  })
}

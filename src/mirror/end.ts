// Why a run ends, and what exit code and sentence that makes.

export interface FailedLane {
  name: string
  reason: string
}

export type End =
  /** Somebody asked for it. */
  | { kind: 'stopped' }
  | { kind: 'caught-up'; failed: readonly FailedLane[] }
  | { kind: 'nothing-selected' }
  /** --abort.on.send.failure, and a batch that the target does not take. */
  | { kind: 'refused'; lane: FailedLane }
  /** A client, or the mirror itself, cannot go on. */
  | { kind: 'broken'; detail: string }

/** What the drain could not finish. */
export interface Leftovers {
  /** Lanes with batches whose outcome is not known. */
  busyLanes: number
  isCommitted: boolean
  /** Source offsets that were deleted before they were mirrored. */
  lostOffsets: number
}

export interface Ended {
  exitCode: 0 | 1 | 4
  /** One sentence. */
  reason: string
  /** The link cannot go on, and so ends the others of its process. */
  isBroken?: true
}

/** What is lost is said whatever the run ended with; the code says whether it did what it was asked for. */
export function describeEnd(end: End, leftovers: Leftovers): Ended {
  const ended = describeWork(end, leftovers)
  const { lostOffsets } = leftovers
  if (lostOffsets === 0) return ended
  const loss = `${lostOffsets} source offsets were deleted before they were mirrored`
  return { ...ended, reason: `${ended.reason}; ${loss}` }
}

function describeWork(end: End, { busyLanes, isCommitted }: Leftovers): Ended {
  if (end.kind === 'broken') return { exitCode: 1, reason: end.detail, isBroken: true }
  if (end.kind === 'refused') {
    const { name, reason } = end.lane
    const what = `lane ${name} stopped: ${reason} (--abort.on.send.failure)`
    return { exitCode: 1, reason: what, isBroken: true }
  }
  if (busyLanes > 0) {
    const reason = `the drain ran out of time: ${busyLanes} lanes have batches that were not acknowledged; what was is committed`
    return { exitCode: 4, reason }
  }
  if (!isCommitted) {
    return {
      exitCode: 1,
      reason: 'not every checkpoint could be committed: the next run sends some batches again'
    }
  }
  if (end.kind === 'caught-up') return describeCaughtUp(end.failed)
  if (end.kind === 'nothing-selected') {
    return {
      exitCode: 0,
      reason: 'no topic of the source is selected: there was nothing to mirror'
    }
  }
  return { exitCode: 0, reason: 'drained: everything that was read is acknowledged and committed' }
}

function describeCaughtUp(failed: readonly FailedLane[]): Ended {
  const [first] = failed
  if (!first) return { exitCode: 0, reason: 'caught up with the ends seen at start' }
  const others = failed.length > 1 ? `, and ${failed.length - 1} more lanes` : ''
  return { exitCode: 1, reason: `lane ${first.name} did not finish: ${first.reason}${others}` }
}

/** From the best to the worst. */
const severity: readonly Ended['exitCode'][] = [0, 4, 1]

/** The end of a process is the worst of its links'. */
export function mergeEnds(ends: readonly { alias: string; end: Ended }[]): Ended {
  const worstFirst = [...ends].sort(
    (one, other) => severity.indexOf(other.end.exitCode) - severity.indexOf(one.end.exitCode)
  )
  const [worst] = worstFirst
  if (!worst) return { exitCode: 0, reason: 'there was no link' }
  if (ends.every(({ end }) => end.reason === worst.end.reason)) return worst.end
  const relevant = worst.end.exitCode === 0 ? ends : [worst]
  const reason = relevant.map(({ alias, end }) => `source "${alias}": ${end.reason}`).join('; ')
  return { exitCode: worst.end.exitCode, reason }
}

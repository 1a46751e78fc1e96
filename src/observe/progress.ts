// How fast the mirror is and how long it still takes, in one line.

import type { MirrorState } from '../mirror/types.ts'
import { formatCount, formatDuration } from './units.ts'

/** What a line of progress is computed from: two of them give the rates. */
export interface Sample {
  at: number
  records: number
  bytes: number
  lag: number | undefined
  goal: { records: number; done: number } | undefined
}

export interface Progress {
  recordsPerSecond: number
  mbPerSecond: number
  lag: number | undefined
  /** Share of the goal that is done, 0 to 1. */
  done: number | undefined
  timeLeftMs: number | undefined
}

export function takeSample(state: MirrorState, at: number): Sample {
  const { links } = state
  const lags = links.flatMap(link => link.lag ?? [])
  const goals = links.flatMap(link => link.goal ?? [])
  return {
    at,
    records: sum(links.map(link => link.totals.recordsAcknowledged)),
    bytes: sum(links.map(link => link.totals.bytesAcknowledged)),
    lag: lags.length === 0 ? undefined : sum(lags),
    goal:
      goals.length === 0
        ? undefined
        : { records: sum(goals.map(goal => goal.records)), done: sum(goals.map(goal => goal.done)) }
  }
}

export function measureProgress(before: Sample, now: Sample): Progress {
  const seconds = Math.max(0.001, (now.at - before.at) / 1_000)
  const recordsPerSecond = (now.records - before.records) / seconds
  const { goal } = now
  const left = goal && Math.max(0, goal.records - goal.done)
  const goalPerSecond = goal && before.goal ? (goal.done - before.goal.done) / seconds : 0
  return {
    recordsPerSecond,
    mbPerSecond: (now.bytes - before.bytes) / seconds / 1e6,
    lag: now.lag,
    done: goal && (goal.records === 0 ? 1 : Math.min(1, goal.done / goal.records)),
    timeLeftMs: left !== undefined && goalPerSecond > 0 ? (left / goalPerSecond) * 1_000 : undefined
  }
}

export function formatProgress(progress: Progress): string {
  const parts = [
    `${formatCount(progress.recordsPerSecond)} records/s`,
    `${progress.mbPerSecond.toFixed(1)} MB/s`,
    progress.lag === undefined ? 'lag unknown' : `lag ${formatCount(progress.lag)}`
  ]
  if (progress.done !== undefined) parts.push(`${Math.floor(progress.done * 100)} % done`)
  if (progress.timeLeftMs !== undefined) parts.push(`${formatDuration(progress.timeLeftMs)} left`)
  return parts.join(' · ')
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

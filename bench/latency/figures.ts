// Owns the figures of one latency run, and what makes a run invalid.

import { percentile } from '../statistics.ts'
import type { Reading } from './reader.ts'
import type { Schedule } from './schedule.ts'

/** Milliseconds. */
export interface Percentiles {
  p50: number
  p90: number
  p99: number
  p999: number
  max: number
}

export interface LatencyFigures {
  /** From sending to the consumer that reads the source. */
  direct: Percentiles
  /** From sending to the consumer that reads the target. */
  mirrored: Percentiles
  /** Of the same record, how much later the target's consumer had it than the source's. */
  later: Percentiles
  /** p99 of `mirrored` less p99 of `direct`. */
  p99AboveMs: number
  /** How much the consumers themselves were behind in 99 of 100 looks. */
  sourceLagMs: number
  targetLagMs: number
}

/** What is wrong with what arrived on one side, if anything is. */
export function faultOf(side: string, { latencyMs, repeated }: Reading): string | undefined {
  const missing = latencyMs.filter(Number.isNaN).length
  if (missing > 0) return `${missing} records of ${latencyMs.length} did not arrive at the ${side}`
  if (repeated > 0) return `${repeated} records arrived twice or more at the ${side}`
  return undefined
}

/** Both readings are whole. */
export function figuresOf(source: Reading, target: Reading, schedule: Schedule): LatencyFigures {
  const counted = ({ latencyMs }: Reading) => latencyMs.subarray(schedule.countedFrom)
  const [atSource, atTarget] = [counted(source), counted(target)]
  const later = atTarget.map((latencyMs, index) => latencyMs - (atSource[index] ?? Number.NaN))
  const [direct, mirrored] = [percentilesOf(atSource), percentilesOf(atTarget)]
  return {
    direct,
    mirrored,
    later: percentilesOf(later),
    p99AboveMs: mirrored.p99 - direct.p99,
    sourceLagMs: lagMsOf(source, schedule),
    targetLagMs: lagMsOf(target, schedule)
  }
}

function percentilesOf(latencyMs: Float64Array): Percentiles {
  const sorted = latencyMs.toSorted()
  return {
    p50: percentile(sorted, 0.5),
    p90: percentile(sorted, 0.9),
    p99: percentile(sorted, 0.99),
    p999: percentile(sorted, 0.999),
    max: percentile(sorted, 1)
  }
}

/** As long as the load takes to send so many records. */
function lagMsOf({ lagRecords }: Reading, { recordsPerSecond }: Schedule): number {
  return (percentile(lagRecords.toSorted(), 0.99) / recordsPerSecond) * 1_000
}

// What a lane has done, read from its row, and the sum over successive lanes of one source partition.

import { column } from './columns.ts'

export interface LaneCounts {
  records: number
  bytes: number
  batchesShallow: number
  /** Batches sent rebuilt, by reason. */
  resealHeadTrim: number
  resealHoles: number
  resealOldFormat: number
  resealOldBroker: number
  resealAppendTime: number
  resealTooLarge: number
  resealRefused: number
  resealCodecUnsupported: number
  resealForced: number
  /** Seen by a handler, sent or not. */
  transformed: number
  /** Sent merged with others. */
  batchesMerged: number
  skippedControl: number
  skippedAborted: number
  skippedEmpty: number
  skippedArrived: number
  maybeDoubled: number
  /** -1 when there is none. */
  firstSource: number
  lastSource: number
  firstTarget: number
  lastTarget: number
}

export const noCounts: LaneCounts = Object.freeze({
  records: 0,
  bytes: 0,
  batchesShallow: 0,
  resealHeadTrim: 0,
  resealHoles: 0,
  resealOldFormat: 0,
  resealOldBroker: 0,
  resealAppendTime: 0,
  resealTooLarge: 0,
  resealRefused: 0,
  resealCodecUnsupported: 0,
  resealForced: 0,
  transformed: 0,
  batchesMerged: 0,
  skippedControl: 0,
  skippedAborted: 0,
  skippedEmpty: 0,
  skippedArrived: 0,
  maybeDoubled: 0,
  firstSource: -1,
  lastSource: -1,
  firstTarget: -1,
  lastTarget: -1
})

const names = Object.keys(noCounts) as (keyof LaneCounts)[]

/** `at` is where the row begins. */
export function readCounts(rows: Float64Array, at: number): LaneCounts {
  const counts = { ...noCounts }
  for (const name of names) counts[name] = rows[at + column[name]] as number
  return counts
}

export function addCounts(earlier: LaneCounts, later: LaneCounts): LaneCounts {
  return {
    records: earlier.records + later.records,
    bytes: earlier.bytes + later.bytes,
    batchesShallow: earlier.batchesShallow + later.batchesShallow,
    resealHeadTrim: earlier.resealHeadTrim + later.resealHeadTrim,
    resealHoles: earlier.resealHoles + later.resealHoles,
    resealOldFormat: earlier.resealOldFormat + later.resealOldFormat,
    resealOldBroker: earlier.resealOldBroker + later.resealOldBroker,
    resealAppendTime: earlier.resealAppendTime + later.resealAppendTime,
    resealTooLarge: earlier.resealTooLarge + later.resealTooLarge,
    resealRefused: earlier.resealRefused + later.resealRefused,
    resealCodecUnsupported: earlier.resealCodecUnsupported + later.resealCodecUnsupported,
    resealForced: earlier.resealForced + later.resealForced,
    transformed: earlier.transformed + later.transformed,
    batchesMerged: earlier.batchesMerged + later.batchesMerged,
    skippedControl: earlier.skippedControl + later.skippedControl,
    skippedAborted: earlier.skippedAborted + later.skippedAborted,
    skippedEmpty: earlier.skippedEmpty + later.skippedEmpty,
    skippedArrived: earlier.skippedArrived + later.skippedArrived,
    maybeDoubled: earlier.maybeDoubled + later.maybeDoubled,
    firstSource: earlier.firstSource < 0 ? later.firstSource : earlier.firstSource,
    lastSource: later.lastSource < 0 ? earlier.lastSource : later.lastSource,
    firstTarget: earlier.firstTarget < 0 ? later.firstTarget : earlier.firstTarget,
    lastTarget: later.lastTarget < 0 ? earlier.lastTarget : later.lastTarget
  }
}

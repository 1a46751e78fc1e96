// Decides which records of a stretch that differs are the same record, changed.

import { flags, type RecordRow } from './record-columns.ts'

/** How far ahead the like of a record is looked for. */
const farthest = 64

/** Of key, value and time: with only one in common it is rather another record. */
const enough = 2

/** In order on both sides. Where both lists are of one length, the same place speaks for the same record. */
export function pairChanged(
  source: readonly RecordRow[],
  target: readonly RecordRow[],
  hasTimes: boolean
): [source: number, target: number][] {
  const pairs: [number, number][] = []
  const isEven = source.length === target.length
  let from = 0
  for (const [at, row] of target.entries()) {
    const last = isEven ? at + 1 : Math.min(source.length, from + farthest)
    for (let place = isEven ? at : from; place < last; place++) {
      if (likeness(source[place] as RecordRow, row, hasTimes, isEven) < enough) continue
      pairs.push([place, at])
      from = place + 1
      break
    }
  }
  return pairs
}

/** Parts that two records share. Nulls are shared by many: they only count for records at the same place. */
export function likeness(
  source: RecordRow,
  target: RecordRow,
  hasTimes: boolean,
  isSamePlace: boolean
): number {
  const bothFlags = isSamePlace ? 0 : source.flags & target.flags
  const hasKeys = (bothFlags & flags.nullKey) === 0
  const hasValues = (bothFlags & flags.nullValue) === 0
  return (
    Number(hasKeys && source.key === target.key) +
    Number(hasValues && source.value === target.value) +
    Number(!hasTimes || source.time === target.time)
  )
}

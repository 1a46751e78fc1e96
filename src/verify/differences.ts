// What may be the matter with a record, and the words for it.

import type { RecordRow } from './record-columns.ts'

export const differenceClasses = [
  'missing',
  'duplicated',
  'reordered',
  'key-changed',
  'value-changed',
  'header-changed',
  'timestamp-changed',
  'extra'
] as const
export type DifferenceClass = (typeof differenceClasses)[number]
export type DifferenceCounts = Record<DifferenceClass, number>

/** One record that differs. It may get another class when its like turns up later on. */
export interface Difference {
  class: DifferenceClass
  /** Undefined: it is on the other side alone. */
  source?: RecordRow
  target?: RecordRow
  /** Where it would be on the side that lacks it: the offset of what is found there, or the end. */
  sourcePlace: number
  targetPlace: number
}

export function noDifferences(): DifferenceCounts {
  return {
    missing: 0,
    duplicated: 0,
    reordered: 0,
    'key-changed': 0,
    'value-changed': 0,
    'header-changed': 0,
    'timestamp-changed': 0,
    extra: 0
  }
}

export function sumOf(counts: DifferenceCounts): number {
  return differenceClasses.reduce((sum, name) => sum + counts[name], 0)
}

/** The parts in which two records that belong together differ. */
export function changedParts(
  source: RecordRow,
  target: RecordRow,
  hasTimes: boolean
): DifferenceClass[] {
  const parts: DifferenceClass[] = []
  if (source.key !== target.key) parts.push('key-changed')
  if (source.value !== target.value) parts.push('value-changed')
  if (source.headers !== target.headers) parts.push('header-changed')
  if (hasTimes && source.time !== target.time) parts.push('timestamp-changed')
  return parts
}

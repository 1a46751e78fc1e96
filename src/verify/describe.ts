// Differences and what need not be compared, in words for an operator.

import type { Difference, DifferenceClass } from './differences.ts'
import type { RecordRow } from './record-columns.ts'
import type { FirstDifference } from './types.ts'

const changed: Partial<Record<DifferenceClass, string>> = {
  'key-changed': 'key',
  'value-changed': 'value',
  'header-changed': 'headers',
  'timestamp-changed': 'timestamp'
}

export function describeDifference(difference: Difference): FirstDifference {
  const { source, target } = difference
  return {
    class: difference.class,
    sourceOffset: source?.offset ?? null,
    targetOffset: target?.offset ?? null,
    text: sentenceOf(difference)
  }
}

function sentenceOf({ class: name, source, target, sourcePlace, targetPlace }: Difference): string {
  switch (name) {
    case 'missing':
      return `source offset ${source?.offset} is missing: it would be at target offset ${targetPlace}${timeOf(source)}`
    case 'extra':
      return `target offset ${target?.offset} has no like on the source: it stands before source offset ${sourcePlace}${timeOf(target)}`
    case 'duplicated':
      return `target offset ${target?.offset} doubles a record before it: it stands before source offset ${sourcePlace}`
    case 'reordered':
      return `source offset ${source?.offset} is at target offset ${target?.offset}: out of its order`
    default:
      return `the ${changed[name]} of source offset ${source?.offset} is another one at target offset ${target?.offset}${timesOf(name, source, target)}`
  }
}

function timeOf(row: RecordRow | undefined): string {
  return row === undefined ? '' : ` (${describeTime(row.time)})`
}

function timesOf(
  name: DifferenceClass,
  source: RecordRow | undefined,
  target: RecordRow | undefined
): string {
  if (name !== 'timestamp-changed' || !source || !target) return ''
  return ` (${describeTime(source.time)} and ${describeTime(target.time)})`
}

// As far as dates go in JavaScript; producers that write nanoseconds are beyond.
const lastDate = 8.64e15

function describeTime(ms: number): string {
  return ms >= 0 && ms <= lastDate ? new Date(ms).toISOString() : `timestamp ${ms}`
}

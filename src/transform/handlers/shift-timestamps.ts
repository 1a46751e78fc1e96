// The handler `shift-timestamps`: moves the times of records, earlier or later.

import type { HandlerModule } from '../record.ts'
import { ArgumentError, missing, readArguments } from './arguments.ts'

export const example = '{ by: -1h }'

/** A record without a time (-1) keeps none. */
export function makeShiftTimestamps(args: unknown): HandlerModule {
  const { by } = readArguments(args, { by: readShift }, example)
  if (by === undefined) throw missing('by', example)
  return {
    default(record) {
      const { timestamp } = record
      if (timestamp < 0) return record
      if (timestamp + by < 0) {
        throw new RangeError(`the time would be ${timestamp + by} ms, before 1970`)
      }
      record.timestamp = timestamp + by
      return record
    }
  }
}

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000
}

function readShift(value: unknown): number {
  const [, sign, count, unit = ''] =
    (typeof value === 'string' && /^([+-]?)(\d+)(ms|[smhd])$/.exec(value)) || []
  const shiftMs = Number(count) * (unitsMs[unit] ?? Number.NaN)
  if (Number.isSafeInteger(shiftMs) && shiftMs !== 0) return sign === '-' ? -shiftMs : shiftMs
  const got = JSON.stringify(value)
  throw new ArgumentError(`expected a time with its unit (ms, s, m, h, d) such as -90m, got ${got}`)
}

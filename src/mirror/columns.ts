// Where the columns of a snapshot are, as constants: rows are read by index.

import {
  type LaneColumn,
  type LaneReason,
  type LaneState,
  type LinkColumn,
  laneColumns,
  laneReasons,
  laneStates,
  linkColumns
} from '../native/index.ts'

export const laneWidth = laneColumns.length

export const column = indexOf<LaneColumn>(laneColumns)
export const linkColumn = indexOf<LinkColumn>(linkColumns)
export const reasonIndex = indexOf<LaneReason>(laneReasons)
export const stateIndex = indexOf<LaneState>(laneStates)

function indexOf<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<Name, number>
}

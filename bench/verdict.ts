// Owns the check of the claims against the cells of a result.

import { type Claim, claims } from './claims.ts'
import { type Figure, figures, isMeasurement } from './measurement.ts'
import type { CellResult } from './runner.ts'
import { type Summary, summarize } from './statistics.ts'

export interface Verdict extends Claim {
  value: number
  isReached: boolean
}

/** Claims whose cells and contenders were measured; ratios are of medians, in the same cell where none is named. */
export function judge(cells: readonly CellResult[]): Verdict[] {
  return claims.flatMap(claim => {
    const { cell, figure, contender = 'heliostat', against, againstCell } = claim
    const median = (name: string, contender: string) => medianOf(cells, name, contender, figure)
    const isAlone = against === undefined && againstCell === undefined
    const other = isAlone ? 1 : median(againstCell ?? cell, against ?? contender)
    const value = median(cell, contender) / other
    if (Number.isNaN(value)) return []
    const isReached = value >= (claim.least ?? -Infinity) && value <= (claim.most ?? Infinity)
    return [{ ...claim, value, isReached }]
  })
}

/** NaN when it was not measured. */
function medianOf(
  cells: readonly CellResult[],
  name: string,
  contender: string,
  figure: Figure
): number {
  const cell = cells.find(({ scenario }) => scenario.name === name)
  return cell === undefined ? Number.NaN : summaryOf(cell, contender, figure).median
}

/** Runs that failed, or have no such figure, do not count. */
export function summaryOf(cell: CellResult, contender: string, figure: Figure): Summary {
  const runs = cell.runs.filter(isMeasurement).filter(run => run.contender === contender)
  return summarize(runs.map(figures[figure]).filter(value => !Number.isNaN(value)))
}

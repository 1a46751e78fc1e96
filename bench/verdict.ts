// Owns the check of the claims against the cells of a result.

import { type Claim, claims } from './claims.ts'
import { type Figure, figures, isMeasurement } from './measurement.ts'
import type { CellResult } from './runner.ts'
import { type Summary, summarize } from './statistics.ts'

export interface Verdict extends Claim {
  value: number
  isReached: boolean
}

/** Claims whose cell and contenders were measured; ratios are of medians taken in the same cell. */
export function judge(cells: readonly CellResult[]): Verdict[] {
  return claims.flatMap(claim => {
    const cell = cells.find(({ scenario }) => scenario.name === claim.cell)
    if (cell === undefined) return []
    const own = summaryOf(cell, 'heliostat', claim.figure).median
    const other =
      claim.against === undefined ? 1 : summaryOf(cell, claim.against, claim.figure).median
    const value = own / other
    if (Number.isNaN(value)) return []
    const isReached = value >= (claim.least ?? -Infinity) && value <= (claim.most ?? Infinity)
    return [{ ...claim, value, isReached }]
  })
}

/** Runs that failed, or have no such figure, do not count. */
export function summaryOf(cell: CellResult, contender: string, figure: Figure): Summary {
  const runs = cell.runs.filter(isMeasurement).filter(run => run.contender === contender)
  return summarize(runs.map(figures[figure]).filter(value => !Number.isNaN(value)))
}

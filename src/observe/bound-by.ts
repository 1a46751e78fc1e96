// What held a run back: the busiest of source, target and budget, in per cent of its working time.

import type { LinkState } from '../mirror/types.ts'

export interface BoundBy {
  source: number
  target: number
  budget: number
  workers: number
}

export function measureBoundBy(links: readonly LinkState[]): BoundBy {
  const total = (column: 'boundBySourceMs' | 'boundByTargetMs' | 'boundByBudgetMs') =>
    links.reduce((sum, link) => sum + link.totals[column], 0)
  const source = total('boundBySourceMs')
  const target = total('boundByTargetMs')
  const budget = total('boundByBudgetMs')
  const all = source + target + budget
  const percent = (part: number) => (all === 0 ? 0 : Math.round((1_000 * part) / all) / 10)
  return { source: percent(source), target: percent(target), budget: percent(budget), workers: 0 }
}

/** `target 92 % of the time, source 8 %`, largest first. */
export function formatBoundBy(boundBy: BoundBy): string {
  const parts = Object.entries(boundBy)
    .filter(([, percent]) => percent > 0)
    .sort((left, right) => right[1] - left[1])
    .map(([name, percent]) => `${name} ${percent} %`)
  return parts.length === 0 ? 'nothing: there was no work' : `${parts.join(', ')} of the time`
}

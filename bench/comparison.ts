// Owns what two results say of each other: ratios new/old of the medians, and why they may not be comparable.

import { type Headline, headlines, type Subject } from './headlines.ts'
import { isMeasurement } from './measurement.ts'
import { measuringOptions } from './options.ts'
import type { Result } from './result.ts'
import type { CellResult } from './runner.ts'
import type { Summary } from './statistics.ts'
import { summaryOf } from './verdict.ts'

export interface Change {
  headline: Headline
  old: Summary
  new: Summary
  /** new/old, median to median. */
  ratio: number
  /** Each median lies outside of the other's spread; a single run has none. */
  isOutside: boolean
}

export interface ComparedContender {
  cell: string
  contender: string
  changes: Readonly<Record<Subject, Change>>
}

export interface Comparison {
  old: Taken
  new: Taken
  /** What was not the same: machine, kernel, versions, settings, the data of a cell. */
  differences: string[]
  /** Cells, and contenders of cells, that only one of the two has measured. */
  onlyOld: string[]
  onlyNew: string[]
  contenders: ComparedContender[]
}

interface Taken {
  at: string
  commit: string
}

export function compareResults(old: Result, now: Result): Comparison {
  const pairs = old.cells.flatMap(before => {
    const after = findCell(now, before)
    return after === undefined ? [] : [{ before, after }]
  })
  return {
    old: takenOf(old),
    new: takenOf(now),
    differences: differencesOf(old, now, pairs),
    onlyOld: missingFrom(now, old),
    onlyNew: missingFrom(old, now),
    contenders: pairs.flatMap(compareCell)
  }
}

function takenOf({ startedAt, versions }: Result): Taken {
  return { at: startedAt, commit: versions.commit }
}

interface CellPair {
  before: CellResult
  after: CellResult
}

function findCell({ cells }: Result, { scenario }: CellResult): CellResult | undefined {
  return cells.find(cell => cell.scenario.name === scenario.name)
}

function compareCell({ before, after }: CellPair): ComparedContender[] {
  const { name, ends } = after.scenario
  const { rate, cpu, memory } = headlines[ends]
  return measuredIn(after)
    .filter(contender => measuredIn(before).includes(contender))
    .map(contender => {
      const change = (headline: Headline) =>
        changeOf(
          headline,
          summaryOf(before, contender, headline.figure),
          summaryOf(after, contender, headline.figure)
        )
      const changes = { rate: change(rate), cpu: change(cpu), memory: change(memory) }
      return { cell: name, contender, changes }
    })
}

export function changeOf(headline: Headline, old: Summary, now: Summary): Change {
  const hasSpreads = old.runs > 1 && now.runs > 1
  const isOutside = hasSpreads && isBeyond(old.median, now) && isBeyond(now.median, old)
  return { headline, old, new: now, ratio: now.median / old.median, isOutside }
}

function isBeyond(value: number, { min, max }: Summary): boolean {
  return value < min || value > max
}

/** Contenders with a run that did not fail. */
function measuredIn({ runs }: CellResult): string[] {
  return [...new Set(runs.filter(isMeasurement).map(({ contender }) => contender))]
}

/** What `there` has measured and `here` has not. */
function missingFrom(here: Result, there: Result): string[] {
  return there.cells.flatMap(cell => {
    const { name } = cell.scenario
    const counterpart = findCell(here, cell)
    if (counterpart === undefined) return [name]
    const known = measuredIn(counterpart)
    return measuredIn(cell)
      .filter(contender => !known.includes(contender))
      .map(contender => `${name} ${contender}`)
  })
}

// The commit and heliostat's own version are what is compared.
const compared = ['commit', 'heliostat']
// Fewer or more runs show in the spread, and neither words nor the choice of contenders change the data.
const notData = ['says', 'contenders', 'repeats']

function differencesOf(old: Result, now: Result, pairs: readonly CellPair[]): string[] {
  const common = Object.keys(old.contenders).filter(name => name in now.contenders)
  return [
    ...differing('', old.machine, now.machine),
    ...differing('', old.versions, now.versions, compared),
    ...differing(
      'option ',
      measuringOptions(old.settings.argv),
      measuringOptions(now.settings.argv)
    ),
    ...differing('', pick(old.contenders, common), pick(now.contenders, common)),
    ...pairs.flatMap(({ before, after }) =>
      differing(`${after.scenario.name} `, before.scenario, after.scenario, notData)
    )
  ]
}

function pick(all: Readonly<Record<string, string>>, names: readonly string[]) {
  return Object.fromEntries(names.map(name => [name, all[name]]))
}

function differing(prefix: string, old: object, now: object, ignored: string[] = []): string[] {
  const before: Record<string, unknown> = { ...old }
  const after: Record<string, unknown> = { ...now }
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter(key => !ignored.includes(key) && show(before[key]) !== show(after[key]))
    .map(key => `${prefix}${key}: ${show(before[key])} → ${show(after[key])}`)
}

function show(value: unknown): string {
  if (value === undefined) return 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

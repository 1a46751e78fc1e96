// Owns which charts a result has: two for each cell, one for each series of which two cells or more were measured.

import { type Bar, barChart } from './charts/bar-chart.ts'
import { type Curve, lineChart, type Panel } from './charts/line-chart.ts'
import { showTick } from './charts/scale.ts'
import { type Headline, headlines } from './headlines.ts'
import type { CellResult } from './runner.ts'
import { placeIn, type Series, series } from './scenarios.ts'
import type { Summary } from './statistics.ts'
import { showSummary } from './tables.ts'
import { summaryOf } from './verdict.ts'

export interface Chart {
  file: string
  /** Stands for the chart where it cannot be shown. */
  title: string
  svg: string
}

export interface Charts {
  /** By the cell's name; none for a cell where every run has failed. */
  cells: ReadonlyMap<string, readonly Chart[]>
  series: readonly Chart[]
}

export function drawCharts(cells: readonly CellResult[]): Charts {
  return {
    cells: new Map(cells.map(cell => [cell.scenario.name, cellCharts(cell)])),
    series: series.flatMap(each => seriesChart(each, cells) ?? [])
  }
}

export function allOf({ cells, series: curves }: Charts): Chart[] {
  return [...cells.values(), curves].flat()
}

function cellCharts(cell: CellResult): Chart[] {
  const { rate, cpu } = headlines[cell.scenario.ends]
  return [
    ...cellChart(cell, rate, 'rate', 'more is better'),
    ...cellChart(cell, cpu, 'cpu', 'less is better')
  ]
}

function cellChart(cell: CellResult, headline: Headline, kind: string, goal: string): Chart[] {
  const { name, says, codec, recordBytes, partitions } = cell.scenario
  const bars = contendersOf([cell]).map((contender): Bar => {
    const summary = known(summaryOf(cell, contender, headline.figure))
    const value = summary === undefined ? 'failed' : showSummary(summary, headline.digits)
    return { label: contender, summary, value, isOwn: contender.startsWith(own) }
  })
  if (bars.every(({ summary }) => summary === undefined)) return []
  const shape = `${codec}, ${showTick(recordBytes)} B records, partitions: ${showTick(partitions)}`
  const note = `${shape} · median and spread of the runs · ${goal}`
  const unit = headline.title
  const svg = barChart({ title: `${name}: ${says}`, note, unit, bars })
  return [{ file: `${name}-${kind}.svg`, title: `${name} by contender: ${unit}`, svg }]
}

// All that stand for heliostat itself begin with its name.
const own = 'heliostat'

function seriesChart(
  { name, says, x, unit, per, cells: names }: Series,
  cells: readonly CellResult[]
): Chart | undefined {
  const measured = cells.filter(({ scenario }) => names.includes(scenario.name))
  const [first] = measured
  if (first === undefined) return undefined
  const { rate, cpu, memory } = headlines[first.scenario.ends]
  const panels = [cpu, memory, rate].map(({ title, figure }): Panel => {
    const curves = contendersOf(measured).map((label): Curve => {
      const points = measured.flatMap(cell => {
        const summary = known(summaryOf(cell, label, figure))
        return summary === undefined ? [] : [{ x: placeIn(cell.scenario, x) / per, summary }]
      })
      return { label, points: points.sort((a, b) => a.x - b.x) }
    })
    // One point is no curve.
    return { unit: title, curves: curves.filter(({ points }) => points.length > 1) }
  })
  if (panels.some(({ curves }) => curves.length === 0)) return undefined
  const note = 'median and spread of the runs; the x axis is logarithmic'
  const svg = lineChart({ title: `${name}: ${says}`, note, unit, panels })
  return { file: `series-${name}.svg`, title: `CPU, memory and MB/s over ${unit}`, svg }
}

function contendersOf(cells: readonly CellResult[]): string[] {
  return [...new Set(cells.flatMap(({ runs }) => runs.map(({ contender }) => contender)))]
}

/** A figure that was measured: without a run, or without time between its first and last byte, there is none. */
function known(summary: Summary): Summary | undefined {
  return [summary.median, summary.min, summary.max].every(Number.isFinite) ? summary : undefined
}

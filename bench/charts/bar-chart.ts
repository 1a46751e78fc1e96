// Owns the bar chart of one figure of one cell: a bar for each contender, its spread as a whisker.

import type { Summary } from '../statistics.ts'
import { linearScale, showTick } from './scale.ts'
import { element, margin, page, text, top, width, widthOf } from './svg.ts'

export interface Bar {
  label: string
  /** Undefined where no run has succeeded. */
  summary: Summary | undefined
  /** The summary in words. */
  value: string
  isOwn: boolean
}

export interface BarChart {
  title: string
  note: string
  /** What the axis counts. */
  unit: string
  bars: readonly Bar[]
}

const rowHeight = 30
const barHeight = 16
const capHeight = 8
const gap = 14
const axisHeight = 58

export function barChart({ title, note, unit, bars }: BarChart): string {
  const most = Math.max(...bars.map(({ summary }) => summary?.max ?? 0))
  const left = margin + Math.max(...bars.map(({ label }) => widthOf(label))) + gap
  const right = width - margin - Math.max(...bars.map(({ value }) => widthOf(value))) - gap
  const { ticks, place } = linearScale(most, right - left)
  const bottom = top + bars.length * rowHeight

  const axis = ticks.flatMap(tick => {
    const x = left + place(tick)
    return [
      element('line', { x1: x, x2: x, y1: top, y2: bottom, class: 'grid' }),
      text(showTick(tick), { x, y: bottom + 18, 'text-anchor': 'middle', class: 'quiet' })
    ]
  })

  function row({ label, summary, value, isOwn }: Bar, number: number): string {
    const middle = top + (number + 0.5) * rowHeight
    const parts = [
      text(label, { x: left - gap, y: middle + 4, 'text-anchor': 'end' }),
      text(value, { x: width - margin, y: middle + 4, 'text-anchor': 'end' })
    ]
    if (summary !== undefined) {
      const size = { width: place(summary.median), height: barHeight }
      const colour = isOwn ? 'bar own' : 'bar'
      parts.push(element('rect', { x: left, y: middle - barHeight / 2, ...size, class: colour }))
      if (summary.runs > 1) parts.push(whisker(summary, middle))
    }
    return element('g', {}, ...parts)
  }

  function whisker({ min, max }: Summary, middle: number): string {
    const [from, to] = [left + place(min), left + place(max)].map(x => x.toFixed(1))
    const [above, below] = [middle - capHeight / 2, middle + capHeight / 2]
    const d = `M${from} ${above}V${below}M${from} ${middle}H${to}M${to} ${above}V${below}`
    return element('path', { d, class: 'whisker' })
  }

  const description = `${unit}. ${bars.map(({ label, value }) => `${label}: ${value}`).join('; ')}.`
  return page(
    { title, note, description, height: bottom + axisHeight },
    ...axis,
    ...bars.map(row),
    text(unit, { x: (left + right) / 2, y: bottom + 40, 'text-anchor': 'middle', class: 'quiet' })
  )
}

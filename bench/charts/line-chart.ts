// Owns the line chart of a series: figures one above the other, over one logarithmic axis.

import type { Summary } from '../statistics.ts'
import { linearScale, logScale, type Scale, showTick } from './scale.ts'
import {
  type Attributes,
  element,
  lineColours,
  margin,
  page,
  text,
  top,
  width,
  widthOf
} from './svg.ts'

export interface Point {
  x: number
  summary: Summary
}

export interface Curve {
  label: string
  points: readonly Point[]
}

export interface Panel {
  /** What the panel's axis counts. */
  unit: string
  curves: readonly Curve[]
}

export interface LineChart {
  title: string
  note: string
  /** What the x axis counts. */
  unit: string
  panels: readonly Panel[]
}

const legendHeight = 26
const headHeight = 26
const panelHeight = 130
const panelGap = 22
const axisHeight = 46
const left = margin + 50
const right = width - margin - 24
const capWidth = 6
const dashes = ['none', '7 3', '2 3', '9 3 2 3', '4 4', '12 4']

export function lineChart({ title, note, unit, panels }: LineChart): string {
  const labels = labelsOf(panels)
  const values = panels.flatMap(({ curves }) => curves.flatMap(({ points }) => points))
  const horizontal = logScale(
    values.map(({ x }) => x),
    right - left
  )
  const pitch = headHeight + panelHeight + panelGap
  const bottom = top + legendHeight + panels.length * pitch - panelGap
  const drawn = panels.map((panel, number) =>
    drawPanel(panel, top + legendHeight + number * pitch, horizontal, labels)
  )
  const ticks = horizontal.ticks.map(tick => {
    const x = left + horizontal.place(tick)
    return text(showTick(tick), { x, y: bottom + 18, 'text-anchor': 'middle', class: 'quiet' })
  })
  return page(
    { title, note, description: describe(panels, unit), height: bottom + axisHeight + 8 },
    legend(labels),
    ...drawn,
    ...ticks,
    text(unit, { x: (left + right) / 2, y: bottom + 38, 'text-anchor': 'middle', class: 'quiet' })
  )
}

/** Each name once: its place is its colour, in all panels. */
function labelsOf(panels: readonly Panel[]): string[] {
  return [...new Set(panels.flatMap(({ curves }) => curves.map(({ label }) => label)))]
}

function legend(labels: readonly string[]): string {
  let x = margin
  const y = top + 4
  const parts = labels.flatMap((label, number) => {
    const line = element('line', { x1: x, x2: x + 24, y1: y, y2: y, ...look(number) })
    const name = text(label, { x: x + 30, y: y + 4 })
    x += 30 + widthOf(label) + 22
    return [line, name]
  })
  return element('g', {}, ...parts)
}

function colourOf(number: number): string {
  return `c${number % lineColours}`
}

function look(number: number): Attributes {
  const dash = dashes[number % dashes.length] ?? 'none'
  return { class: `curve ${colourOf(number)}`, 'stroke-dasharray': dash }
}

/** From a point of the series to its place on the page. */
type Place = (point: number, value: number) => { x: number; y: number }

function drawPanel(
  { unit, curves }: Panel,
  y: number,
  horizontal: Scale,
  labels: readonly string[]
): string {
  const most = Math.max(...curves.flatMap(({ points }) => points.map(({ summary }) => summary.max)))
  const vertical = linearScale(most, panelHeight)
  const bottom = y + headHeight + panelHeight
  const place: Place = (point, value) => ({
    x: left + horizontal.place(point),
    y: bottom - vertical.place(value)
  })
  const grid = vertical.ticks.flatMap(tick => {
    const at = bottom - vertical.place(tick)
    return [
      element('line', { x1: left, x2: right, y1: at, y2: at, class: 'grid' }),
      text(showTick(tick), { x: left - 8, y: at + 4, 'text-anchor': 'end', class: 'quiet' })
    ]
  })
  const drawn = curves.map(curve => drawCurve(curve, labels.indexOf(curve.label), place))
  return element('g', {}, text(unit, { x: margin, y: y + 14 }), ...grid, ...drawn)
}

function drawCurve({ points }: Curve, number: number, place: Place): string {
  const places = points.map(({ x, summary }) => place(x, summary.median))
  const line = places.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')
  return element(
    'g',
    {},
    element('polyline', { points: line, ...look(number) }),
    ...points.map(point => mark(point, colourOf(number), place))
  )
}

/** The median as a dot, the spread as a whisker. */
function mark({ x: at, summary }: Point, colour: string, place: Place): string {
  const { median, min, max, runs } = summary
  const { x, y } = place(at, median)
  const dot = element('circle', { cx: x, cy: y, r: 3, class: `dot ${colour}` })
  if (runs < 2) return dot
  const [from, middle, to] = [x - capWidth / 2, x, x + capWidth / 2].map(each => each.toFixed(1))
  const [low, high] = [min, max].map(value => place(at, value).y.toFixed(1))
  const d = `M${from} ${low}H${to}M${middle} ${low}V${high}M${from} ${high}H${to}`
  return element('g', {}, element('path', { d, class: `whisker ${colour}` }), dot)
}

function describe(panels: readonly Panel[], unit: string): string {
  const curve = ({ label, points }: Curve) =>
    `${label}: ${points.map(({ x, summary }) => `${showTick(summary.median)} at ${showTick(x)}`).join(', ')}`
  return panels
    .map(panel => `${panel.unit} over ${unit}. ${panel.curves.map(curve).join('; ')}.`)
    .join(' ')
}

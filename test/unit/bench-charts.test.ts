// The benchmark's charts: well-formed, complete, and to scale.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { barChart } from '../../bench/charts/bar-chart.ts'
import { lineChart } from '../../bench/charts/line-chart.ts'
import { linearScale, logScale, showTick } from '../../bench/charts/scale.ts'
import { escapeXml } from '../../bench/charts/svg.ts'
import { type Chart, drawCharts } from '../../bench/charts.ts'
import { summarize } from '../../bench/statistics.ts'
import { cellOf, runsOf } from './bench-results.ts'

/** Reads all of it: tags that match, attributes in quotes and once each, no stray `<` or `&`. */
function assertWellFormed(xml: string): void {
  const open: string[] = []
  const token = /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>|([^<]+)/giy
  let roots = 0
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex
    const match = token.exec(xml)
    assert.ok(match, `not XML: ${xml.slice(at, at + 60)}`)
    const [, closes, name = '', attributes = '', isEmpty, text] = match
    const entities = (text ?? attributes).replace(/&(?:amp|lt|gt|quot|apos);/g, '')
    assert.ok(!entities.includes('&'), `a stray &: ${match[0]}`)
    const keys = [...attributes.matchAll(/ ([\w:-]+)=/g)].map(key => key[1])
    assert.equal(new Set(keys).size, keys.length, `twice the same attribute: ${match[0]}`)
    if (text !== undefined) assert.ok(open.length > 0 || text.trim() === '', 'text outside')
    else if (closes) assert.equal(open.pop(), name)
    else {
      if (open.length === 0) roots++
      if (!isEmpty) open.push(name)
    }
  }
  assert.deepEqual([open, roots], [[], 1])
}

function count(svg: string, pattern: RegExp): number {
  return [...svg.matchAll(pattern)].length
}

const nasty = `<b> & "it's" \u0001 ]]>`

function bar(label: string, values: number[], isOwn = false) {
  return { label, summary: summarize(values), value: values.join(' '), isOwn }
}

test('what is read back as XML is what was written', () => {
  assert.equal(escapeXml(nasty), '&lt;b&gt; &amp; &quot;it&apos;s&quot; \ufffd ]]&gt;')
  assert.equal(escapeXml('30 °C – 😀'), '30 °C – 😀')
  assert.throws(() => assertWellFormed('<svg><g></svg>'))
  assert.throws(() => assertWellFormed('<svg>a & b</svg>'))
  assert.throws(() => assertWellFormed('<svg/><svg/>'))
})

test('charts stay well-formed whatever the texts hold, and describe themselves', () => {
  const summary = summarize([1, 2, 3])
  const frame = { title: nasty, note: nasty, unit: nasty }
  const charts = [
    barChart({ ...frame, bars: [{ label: nasty, summary, value: nasty, isOwn: true }] }),
    lineChart({
      ...frame,
      panels: [{ unit: nasty, curves: [{ label: nasty, points: [{ x: 1, summary }] }] }]
    })
  ]
  for (const svg of charts) {
    assertWellFormed(svg)
    assert.match(svg, /<svg [^>]*role="img" aria-labelledby="title description">/)
    assert.ok(svg.includes(`<title id="title">${escapeXml(nasty)}</title>`))
    assert.match(svg, /<desc id="description">[^<]*&lt;b&gt;[^<]*<\/desc>/)
  }
})

test('a bar for each contender, to scale, and a whisker where there is a spread', () => {
  const svg = barChart({
    title: 'title',
    note: 'note',
    unit: 'MB/s',
    bars: [bar('heliostat', [90, 100, 105], true), bar('half', [50]), bar('tenth', [9, 11])]
  })
  const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)" [^>]*class="bar/g)].map(match =>
    Number(match[1])
  )
  assert.equal(widths.length, 3)
  const [whole = 0, half = 0, tenth = 0] = widths
  assert.ok(Math.abs(half / whole - 0.5) < 0.001 && Math.abs(tenth / whole - 0.1) < 0.001)
  assert.equal(count(svg, /class="bar own"/g), 1)
  assert.equal(count(svg, /class="whisker"/g), 2)
})

test('the whisker goes from the smallest to the largest', () => {
  const svg = barChart({
    title: 'title',
    note: 'note',
    unit: 'MB/s',
    bars: [bar('one', [40, 80, 100])]
  })
  const [, left = 0, median = 0] =
    svg.match(/<rect x="([\d.]+)" [^>]*width="([\d.]+)" [^>]*class="bar/)?.map(Number) ?? []
  const [, from = 0, to = 0] = svg.match(/d="M([\d.]+) .*H([\d.]+)M/)?.map(Number) ?? []
  assert.ok(Math.abs((from - left) / median - 0.5) < 0.001)
  assert.ok(Math.abs((to - left) / median - 1.25) < 0.001)
})

test('a contender whose runs all failed has its row and no bar', () => {
  const failed = { contender: 'raw-relay', repeat: 1, failure: 'failed: no port' }
  const cells = [cellOf('stub-4k', ...runsOf('heliostat', [100, 110]), failed)]
  const charts = drawCharts(cells).cells.get('stub-4k') ?? []
  assert.deepEqual(
    charts.map(({ file }) => file),
    ['stub-4k-rate.svg', 'stub-4k-cpu.svg']
  )
  for (const { svg } of charts) {
    assertWellFormed(svg)
    assert.equal(count(svg, /class="bar/g), 1)
    assert.match(svg, />raw-relay<\/text><text [^>]*>failed<\/text>/)
  }
  assert.deepEqual(drawCharts([cellOf('stub-4k', failed)]).cells.get('stub-4k'), [])
})

test('real brokers are charted by records, stub ends by bytes on the wire', () => {
  const { cells } = drawCharts([
    cellOf('real-256k', ...runsOf('heliostat', [100])),
    cellOf('stub-256k', ...runsOf('heliostat', [100]))
  ])
  const titles = (name: string) => cells.get(name)?.map(({ title }) => title)
  assert.deepEqual(titles('real-256k'), [
    'real-256k by contender: MB/s of records',
    'real-256k by contender: CPU-s per GB of records'
  ])
  assert.deepEqual(titles('stub-256k'), [
    'stub-256k by contender: MB/s on the wire',
    'stub-256k by contender: CPU-s per GB on the wire, moving'
  ])
})

test('a series is a curve for each contender measured in two of its cells, in three panels', () => {
  const { series } = drawCharts([
    // In the order of the table; the curve is in the order of x.
    cellOf('stub-256k', ...runsOf('heliostat', [100, 120]), ...runsOf('raw-relay', [90, 95])),
    cellOf('stub-partitions-1', ...runsOf('heliostat', [80, 85])),
    cellOf('stub-partitions-10000', ...runsOf('heliostat', [60, 65]), ...runsOf('raw-relay', [99])),
    cellOf('stub-backlog', ...runsOf('splice-relay', [70]))
  ])
  const [chart, ...more] = series as readonly [Chart, ...Chart[]]
  assert.deepEqual([chart.file, more], ['series-partitions.svg', []])
  assertWellFormed(chart.svg)
  const curves = [...chart.svg.matchAll(/<polyline points="([^"]+)"/g)].map(match =>
    (match[1] ?? '').split(' ').map(point => Number(point.split(',')[0]))
  )
  assert.deepEqual(
    curves.map(({ length }) => length),
    [3, 2, 3, 2, 3, 2]
  )
  for (const places of curves)
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b)
    )
  assert.equal(count(chart.svg, /<circle /g), 15)
  // raw-relay's single run at 10,000 partitions has none.
  assert.equal(count(chart.svg, /class="whisker/g), 12)
  assert.ok(!chart.svg.includes('splice-relay'))
  for (const label of ['1', '16', '10,000']) assert.ok(chart.svg.includes(`>${label}</text>`))
})

test('one cell is no series', () => {
  assert.deepEqual(drawCharts([cellOf('stub-256k', ...runsOf('heliostat', [1]))]).series, [])
})

test('a linear axis goes from 0 to a round number that is not below the largest value', () => {
  assert.deepEqual(linearScale(898, 500).ticks, [0, 200, 400, 600, 800, 1_000])
  assert.deepEqual(linearScale(0.473, 500).ticks.map(showTick), [
    '0',
    '0.1',
    '0.2',
    '0.3',
    '0.4',
    '0.5'
  ])
  assert.deepEqual(linearScale(23, 500).ticks, [0, 5, 10, 15, 20, 25])
  assert.deepEqual(linearScale(1_000, 500).ticks.at(-1), 1_000)
  assert.deepEqual(linearScale(0, 500).ticks, [0, 0.2])
  for (let most = 0.001; most < 1e6; most *= 1.37) {
    const { ticks, place } = linearScale(most, 500)
    assert.ok(ticks.length >= 3 && ticks.length <= 6, `${most}: ${ticks.join(' ')}`)
    assert.ok(place(most) <= 500 && place(most) > 250, `${most}: ${place(most)}`)
    assert.equal(place(0), 0)
  }
})

test('a logarithmic axis has even steps for even ratios, and names the values themselves', () => {
  const { ticks, place } = logScale([10_000, 1, 100, 100], 400)
  assert.deepEqual(ticks, [1, 100, 10_000])
  assert.deepEqual(ticks.map(place).map(Math.round), [0, 200, 400])
  assert.equal(Math.round(place(10)), 100)
  assert.equal(logScale([16], 400).place(16), 200)
})

test('ticks are whole where they are large, and short where they are not', () => {
  assert.deepEqual([0, 0.869140625, 1.5, 16, 1_024, 10_000].map(showTick), [
    '0',
    '0.869',
    '1.5',
    '16',
    '1,024',
    '10,000'
  ])
})

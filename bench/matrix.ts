// Owns the matrix of all cells: its factors, a cell of it by its parts, and the walk that the full set takes through it.

import { type Codec, codecs } from '../test/support/batch-header.ts'
import { oneRecord, realBytes, stubBytes } from './cell-size.ts'
import { UsageError } from './failure.ts'
import { mirrors, type RealScenario, type Scenario, scenarios } from './scenarios.ts'

const kib = 1024

/** Each factor's values by the text that stands for it, which is no other factor's. */
const factors = {
  codec: Object.fromEntries(codecs.map(codec => [codec, codec])) as Record<Codec, Codec>,
  recordBytes: { '100': 100, '1024': 1_024, '10240': 10_240 },
  batchBytes: {
    one: oneRecord,
    '4k': 4 * kib,
    '16k': 16 * kib,
    '256k': 256 * kib,
    '1m': kib * kib
  },
  partitions: { '1': 1, '16': 16, '128': 128, '1000': 1_000, '10000': 10_000 },
  tls: { plain: false, tls: true },
  roundTripMs: { '0ms': 0, '20ms': 20, '80ms': 80 },
  far: { source: 'source', target: 'target' },
  topicShape: { dense: 'dense', compacted: 'compacted', transactional: 'transactional' }
} as const

type Factors = typeof factors
type Factor = keyof Factors
/** A value of each factor. */
type Point = { [F in Factor]: Factors[F][keyof Factors[F]] }
type Ends = Scenario['ends']

const names = Object.keys(factors) as Factor[]

const middle: Point = {
  codec: 'lz4',
  recordBytes: kib,
  batchBytes: 256 * kib,
  partitions: 16,
  tls: false,
  roundTripMs: 0,
  far: 'source',
  topicShape: 'dense'
}

export const matrixUsage = names
  .map(name => Object.keys(factors[name]).map(text => (isMiddle(name, text) ? `${text}*` : text)))
  .map(values => values.join(' '))
  .join(' | ')

/**
 * The cell of a text as `real:zstd:100:tls`: ends first, then the parts that are not the middle's, in any order. A cell of
 * the table is given as it stands there. The name of a cell of the matrix, with hyphens, is such a text too.
 */
export function matrixCell(text: string): Scenario {
  const [ends = '', ...parts] = text.split(/[:-]/)
  if (ends !== 'real' && ends !== 'stub') {
    throw new UsageError(
      `--cell: expected the name of a cell, or real or stub and parts (see --help), got ${text}`
    )
  }
  const point = pointOf(text, parts)
  checkEnds(text, ends, point)
  return scenarios.find(scenario => isAt(scenario, ends, point)) ?? scenarioAt(ends, point)
}

/** From the middle to each value of each factor, between real brokers. */
export const walk: readonly RealScenario[] = names
  .flatMap(name => Object.keys(factors[name]).filter(text => !isMiddle(name, text)))
  // Far is nothing by itself. A single broker's open files do not suffice for 10,000 partitions: that is stub-partitions-10000.
  .filter(text => text !== 'target' && text !== '10000')
  .map(text => matrixCell(`real:${text}`))
  .filter(cell => cell.ends === 'real')
  .filter(cell => !scenarios.includes(cell))
  // The other mirrors would double its hour.
  .map(cell => ({ ...cell, contenders: ['heliostat', 'mirror-maker-2'] }))

function pointOf(text: string, parts: readonly string[]): Point {
  const found = new Map<Factor, string>()
  for (const part of parts) {
    const name = names.find(factor => Object.hasOwn(factors[factor], part))
    if (name === undefined) {
      throw new UsageError(
        `--cell ${text}: expected parts of ${matrixUsage}, got ${part || 'none'}`
      )
    }
    const other = found.get(name)
    if (other !== undefined) {
      throw new UsageError(`--cell ${text}: ${other} and ${part} exclude each other`)
    }
    found.set(name, part)
  }
  const chosen = [...found].map(([name, part]) => [name, valueAt(name, part)])
  return { ...middle, ...Object.fromEntries(chosen) }
}

function checkEnds(text: string, ends: Ends, { tls, roundTripMs, far, topicShape }: Point): void {
  if (far === 'target' && roundTripMs === 0) {
    throw new UsageError(`--cell ${text}: a far target needs a round trip, 20ms or 80ms`)
  }
  if (ends === 'stub' && (tls || topicShape !== 'dense')) {
    throw new UsageError(
      `--cell ${text}: stub ends are plain text and dense; the rest needs real brokers`
    )
  }
}

function scenarioAt(ends: Ends, point: Point): Scenario {
  const parts = names.flatMap(name => {
    const text = textOf(name, point[name])
    return isMiddle(name, text) ? [] : [text]
  })
  const { codec, recordBytes, batchBytes, partitions, tls, roundTripMs, far, topicShape } = point
  const cell = {
    name: [ends, ...parts].join('-'),
    says: `${ends === 'real' ? 'real brokers' : 'stub ends'}, ${describe(point)}`,
    ...{ codec, recordBytes, batchBytes, partitions },
    repeats: 3,
    ...(roundTripMs > 0 ? { roundTripMs } : {}),
    ...(far === 'target' ? { far } : {})
  }
  if (ends === 'stub') {
    const totalWireBytes = stubBytes(point)
    return { ...cell, ends, totalWireBytes, contenders: ['heliostat', 'raw-relay', 'splice-relay'] }
  }
  return {
    ...cell,
    ends,
    totalRecordBytes: realBytes(point),
    contenders: mirrors,
    ...(tls ? { tls } : {}),
    ...(topicShape === 'dense' ? {} : { topicShape })
  }
}

function describe({ batchBytes, tls, roundTripMs, far, topicShape }: Point): string {
  return [
    batchBytes === oneRecord ? 'batches of one record' : `${batchBytes / kib} KiB batches`,
    ...(tls ? ['TLS'] : []),
    ...(roundTripMs > 0 ? [`${roundTripMs} ms to the ${far} and back`] : []),
    ...(topicShape === 'dense' ? [] : [`a ${topicShape} topic`])
  ].join(', ')
}

/** Whether a cell of the table lies at a point of the matrix, which knows one topic and default connections. */
function isAt(scenario: Scenario, ends: Ends, point: Point): boolean {
  if (scenario.ends === 'stub' && (scenario.topics ?? scenario.streams) !== undefined) return false
  const { recordBytes, batchBytes, roundTripMs = 0, far = 'source' } = scenario
  const { tls = false, topicShape = 'dense' } = scenario.ends === 'real' ? scenario : {}
  const place: Readonly<Record<Factor, unknown>> = {
    ...{ codec: scenario.codec, recordBytes, partitions: scenario.partitions },
    batchBytes: batchBytes < recordBytes ? oneRecord : batchBytes,
    ...{ tls, roundTripMs, far, topicShape }
  }
  return scenario.ends === ends && names.every(name => place[name] === point[name])
}

function isMiddle(name: Factor, text: string): boolean {
  return valueAt(name, text) === middle[name]
}

function valueAt(name: Factor, text: string): unknown {
  return Object.entries(factors[name]).find(([key]) => key === text)?.[1]
}

function textOf(name: Factor, value: unknown): string {
  return Object.entries(factors[name]).find(([, known]) => known === value)?.[0] ?? ''
}

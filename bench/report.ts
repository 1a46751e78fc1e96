// Owns how a result looks: tables for the terminal and for Markdown, made from the same rows.

import type { Chart, Charts } from './charts.ts'
import type { Comparison } from './comparison.ts'
import { markdownComparison, terminalComparison } from './comparison-report.ts'
import { headlines } from './headlines.ts'
import type { Figure } from './measurement.ts'
import { isMeasurement } from './measurement.ts'
import { type Result, units } from './result.ts'
import type { CellResult } from './runner.ts'
import type { Summary } from './statistics.ts'
import { formatNumber, markdownTable, plainTable, type Rows, showSummary } from './tables.ts'
import { summaryOf, type Verdict } from './verdict.ts'

interface Column {
  title: string
  figure: Figure
  digits: number
  /** Median alone, without the spread. */
  isPlain?: true
}

// How long the backlog of a cell takes, without and with start and exit.
const drain = [
  { title: 'moving s', figure: 'movingSeconds', digits: 1, isPlain: true },
  { title: 'process s', figure: 'processSeconds', digits: 1, isPlain: true }
] as const

const columns = {
  real: [
    headlines.real.rate,
    { title: 'MB/s on the wire', figure: 'wireMbPerSecond', digits: 0, isPlain: true },
    { title: 'records/s', figure: 'recordsPerSecond', digits: 0, isPlain: true },
    headlines.real.cpu,
    headlines.real.memory,
    ...drain,
    { title: 'source CPU-s', figure: 'sourceCpuSeconds', digits: 1, isPlain: true },
    { title: 'target CPU-s', figure: 'targetCpuSeconds', digits: 1, isPlain: true },
    { title: 'main thread %', figure: 'mainThreadPercent', digits: 1, isPlain: true }
  ],
  stub: [
    headlines.stub.rate,
    headlines.stub.cpu,
    { title: 'CPU-s per GB, process', figure: 'cpuPerWireGb', digits: 3, isPlain: true },
    { title: 'MB/s of records', figure: 'recordMbPerSecond', digits: 0, isPlain: true },
    { title: 'records/s', figure: 'recordsPerSecond', digits: 0, isPlain: true },
    headlines.stub.memory,
    ...drain,
    { title: 'source CPU-s', figure: 'sourceCpuSeconds', digits: 1, isPlain: true },
    { title: 'target CPU-s', figure: 'targetCpuSeconds', digits: 1, isPlain: true },
    { title: 'main thread %', figure: 'mainThreadPercent', digits: 1, isPlain: true }
  ]
} as const satisfies Record<'real' | 'stub', readonly Column[]>

const howMeasured = [
  'Rates run from the first to the last byte (stub ends) or record (real brokers) on the target. "moving" is CPU or seconds in that time, "process" is the whole process with its start and exit: "process s" is how long the backlog takes to drain.',
  'Values are medians over the runs, with the smallest and largest in brackets.',
  'CPU per GB between real brokers is of the whole process, JVM and Node start included.',
  '"main thread" is the share of one core that the first thread of the process took over the middle ten seconds.'
]

export function terminalReport(result: Result, comparison?: Comparison): string {
  const cells = result.cells.map(cell =>
    [heading(cell), plainTable(cellRows(cell)), ...failures(cell)].join('\n')
  )
  const verdicts =
    result.verdicts.length > 0 ? [`claims\n${plainTable(verdictRows(result.verdicts))}`] : []
  const compared = comparison === undefined ? [] : [terminalComparison(comparison)]
  return [...cells, ...leftOut(result), ...verdicts, ...compared, `${units}.`].join('\n\n')
}

/** `folder` is where the charts lie, seen from the report. */
export function markdownReport(
  result: Result,
  charts: Charts,
  folder: string,
  comparison?: Comparison
): string {
  const cells = result.cells.flatMap(cell => [
    `## ${heading(cell)}`,
    images(charts.cells.get(cell.scenario.name) ?? [], folder),
    markdownTable(cellRows(cell)),
    ...profileLink(cell, folder),
    ...failures(cell).map(failure => `\`\`\`\n${failure}\n\`\`\``)
  ])
  const verdicts =
    result.verdicts.length > 0 ? ['## Claims', markdownTable(verdictRows(result.verdicts))] : []
  const contenders = Object.entries(result.contenders).map(
    ([name, says]) => `- **${name}**: ${says}`
  )
  const parts = [
    '# Benchmark',
    markdownTable(factRows(result)),
    contenders.join('\n'),
    [...howMeasured, `${units}.`].join('\n'),
    ...cells,
    ...(charts.series.length > 0 ? ['## Curves', images(charts.series, folder)] : []),
    ...leftOut(result),
    ...verdicts,
    ...(comparison === undefined ? [] : [markdownComparison(comparison)])
  ]
  return `${parts.join('\n\n')}\n`
}

/** Of the listing, beside the charts. */
export function profileFile(cell: string): string {
  return `${cell}-perf.txt`
}

function profileLink({ scenario, profile }: CellResult, folder: string): string[] {
  if (profile === undefined) return []
  const path = `${folder}/${profileFile(scenario.name)}`
  return [
    `[Where ${profile.contender} spent its time](${path}), by perf in a run that does not count.`
  ]
}

/** Where, when and with what a result was taken. */
export function factRows(
  result: Pick<Result, 'startedAt' | 'settings' | 'machine' | 'versions'>
): Rows {
  const { machine, versions, settings } = result
  return [
    ['', ''],
    ['taken at', result.startedAt],
    ['commit', versions.commit],
    ['processor', `${machine.processor}, ${machine.cores} cores`],
    ['memory', `${machine.memoryGb} GB`],
    ['kernel', machine.kernel],
    [
      'heliostat, Node.js, librdkafka',
      `${versions.heliostat}, ${versions.node}, ${versions.librdkafka}`
    ],
    ['Kafka', `${versions.sourceKafka} source, ${versions.targetKafka} target, ${versions.java}`],
    ['settings', JSON.stringify(settings)]
  ]
}

function images(charts: readonly Chart[], folder: string): string {
  return charts.map(({ file, title }) => `![${title}](${folder}/${file})`).join('\n')
}

function heading({ scenario, cargo, runs }: CellResult): string {
  const { name, says, codec, recordBytes, partitions } = scenario
  const size = `${(cargo.recordBytes / 1e9).toFixed(1)} GB of records, ${(cargo.wireBytes / 1e9).toFixed(1)} GB on the wire`
  const repeats = Math.max(...runs.map(run => run.repeat))
  const shape = `${codec}, ${recordBytes} B records, partitions: ${partitions}, ${size}`
  return `${name}: ${says} (${shape}, runs: ${repeats})`
}

function cellRows(cell: CellResult): Rows {
  const shown: readonly Column[] = columns[cell.scenario.ends]
  const names = new Set(cell.runs.map(run => run.contender))
  const rows = [...names].map(name => [
    name,
    ...shown.map(column => show(summaryOf(cell, name, column.figure), column)),
    batchKib(cell, name)
  ])
  return [['', ...shown.map(({ title }) => title), 'KiB a batch'], ...rows]
}

function show(summary: Summary, { digits, isPlain }: Column): string {
  if (summary.runs === 0) return '–'
  return isPlain ? formatNumber(summary.median, digits) : showSummary(summary, digits)
}

function batchKib(cell: CellResult, contender: string): string {
  const run = cell.runs.filter(isMeasurement).find(found => found.contender === contender)
  return run?.targetBatchBytes === undefined ? '–' : formatNumber(run.targetBatchBytes / 1024, 1)
}

function verdictRows(verdicts: readonly Verdict[]): Rows {
  const rows = verdicts.map(
    ({ cell, figure, contender, against, againstCell, least, most, value, isReached }) => [
      cell,
      contender ?? 'heliostat',
      [figure, against, againstCell].filter(part => part !== undefined).join(' / '),
      formatNumber(value, 3),
      least === undefined ? `≤ ${formatNumber(most ?? 0, 3)}` : `≥ ${formatNumber(least, 3)}`,
      isReached ? 'yes' : 'NO'
    ]
  )
  return [['cell', 'contender', 'figure', 'measured', 'claimed', 'reached'], ...rows]
}

function failures({ runs }: CellResult): string[] {
  return runs.flatMap(run =>
    'failure' in run ? [`${run.contender} ${run.repeat}: ${run.failure}`] : []
  )
}

export function leftOut(result: Pick<Result, 'leftOut'>): string[] {
  return result.leftOut.map(({ contender, reason }) => `left out: ${contender} (${reason})`)
}

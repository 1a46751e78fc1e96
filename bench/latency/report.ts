// Owns how a latency result looks: the same rows for the terminal and for Markdown.

import { factRows, leftOut } from '../report.ts'
import { summarize } from '../statistics.ts'
import { markdownTable, plainTable, type Rows, showSummary } from '../tables.ts'
import type { LatencyResult } from './result.ts'
import type { LatencyMeasurement, LatencyRun } from './run.ts'

// What a mirror may add to the 99th percentile.
const mostAboveMs = 20
// A consumer that is so far behind itself makes a good part of what is measured.
const mostLagMs = 5

const columns = [
  ['p50', 'p50 ms'],
  ['p90', 'p90 ms'],
  ['p99', 'p99 ms'],
  ['p999', 'p99.9 ms'],
  ['max', 'max ms']
] as const

const views = [
  ['direct', 'source'],
  ['mirrored', 'target'],
  ['later', 'target less source, record by record']
] as const

const howMeasured = [
  'Milliseconds from handing a record to the producer to having it from the consumer. The two consumers read the same records of the same runs at the same time, so that what lies between them is the mirror.',
  '"p99 above" is the 99th percentile on the target less the one on the source. Values are medians over the runs, with the smallest and largest in brackets.',
  '"consumer lag" is how far the slower of the two consumers was behind what its own client had been told of, in 99 of 100 looks, as time at this rate.',
  "CPU is user and system of the mirror, and of the source's broker, while the counted records were sent, without their start; memory is the peak of the whole process."
].join('\n')

export function latencyTerminal(result: LatencyResult): string {
  const tables = [percentileRows(result.runs), verdictRows(result.runs)]
  const notes = notesOf(result)
  const told = notes.length > 0 ? [notes.join('\n')] : []
  return [headingOf(result), ...tables.map(plainTable), ...told, howMeasured].join('\n\n')
}

export function latencyMarkdown(result: LatencyResult): string {
  const contenders = Object.entries(result.contenders).map(
    ([name, says]) => `- **${name}**: ${says}`
  )
  const parts = [
    '# Latency',
    markdownTable(factRows(result)),
    contenders.join('\n'),
    headingOf(result),
    markdownTable(percentileRows(result.runs)),
    markdownTable(verdictRows(result.runs)),
    ...notesOf(result).map(note => `\`\`\`\n${note}\n\`\`\``),
    `${howMeasured}\n${result.units}.`
  ]
  return `${parts.join('\n\n')}\n`
}

function headingOf({ schedule, runs }: LatencyResult): string {
  const { recordBytes, recordsPerSecond, partitions, idlePartitions, records, countedFrom } =
    schedule
  const idle = idlePartitions > 0 ? ` and ${idlePartitions} idle` : ''
  const rate = (recordsPerSecond * recordBytes) / 1e6
  const seconds = (records - countedFrom) / recordsPerSecond
  const repeats = Math.max(...runs.map(run => run.repeat))
  const shape = `${recordBytes} B records, lz4, partitions: ${partitions}${idle}, producer linger 5 ms`
  return `${rate} MB/s for ${Math.round(seconds)} s (${shape}, runs: ${repeats})`
}

function percentileRows(runs: readonly LatencyRun[]): Rows {
  const rows = byContender(runs).flatMap(([contender, measured]) =>
    views.map(([view, says]) => [
      contender,
      says,
      ...columns.map(([share]) => show(1, measured, run => run[view][share]))
    ])
  )
  return [['', 'read from', ...columns.map(([, title]) => title)], ...rows]
}

function verdictRows(runs: readonly LatencyRun[]): Rows {
  const rows = byContender(runs).map(([contender, measured]) => [
    contender,
    show(1, measured, run => run.p99AboveMs),
    isReached(measured) ? 'yes' : 'NO',
    show(1, measured, run => run.sentMbPerSecond),
    show(2, measured, run => run.countedCpuSeconds),
    show(2, measured, run => run.sourceCpuSeconds),
    show(0, measured, run => run.process.peakRssBytes / 1e6),
    show(1, measured, lagMsOf)
  ])
  const head = ['', 'p99 above ms', `under ${mostAboveMs} ms`, 'MB/s sent', 'CPU-s']
  return [[...head, 'source CPU-s', 'peak RSS MB', 'consumer lag ms'], ...rows]
}

/** Whether the median over the runs keeps below; without a whole run nothing is reached. */
function isReached(measured: readonly LatencyMeasurement[]): boolean {
  return summarize(measured.map(run => run.p99AboveMs)).median < mostAboveMs
}

function notesOf(result: LatencyResult): string[] {
  const failures = result.runs.flatMap(run =>
    'failure' in run ? [`${run.contender} ${run.repeat}: ${run.failure}`] : []
  )
  return [...result.runs.flatMap(slowConsumers), ...failures, ...leftOut(result)]
}

function slowConsumers(run: LatencyRun): string[] {
  if (!isWhole(run) || lagMsOf(run) <= mostLagMs) return []
  const { contender, repeat, sourceLagMs, targetLagMs } = run
  const [source, target] = [sourceLagMs, targetLagMs].map(ms => ms.toFixed(1))
  return [
    `${contender} ${repeat}: the consumers were behind by themselves (source ${source} ms, target ${target} ms): this run says more of them than of the mirror`
  ]
}

function lagMsOf({ sourceLagMs, targetLagMs }: LatencyMeasurement): number {
  return Math.max(sourceLagMs, targetLagMs)
}

function byContender(runs: readonly LatencyRun[]): [string, LatencyMeasurement[]][] {
  const names = [...new Set(runs.map(run => run.contender))]
  return names.map(name => [name, runs.filter(isWhole).filter(run => run.contender === name)])
}

function isWhole(run: LatencyRun): run is LatencyMeasurement {
  return !('failure' in run)
}

function show(
  digits: number,
  measured: readonly LatencyMeasurement[],
  figure: (run: LatencyMeasurement) => number
): string {
  return measured.length === 0 ? '–' : showSummary(summarize(measured.map(figure)), digits)
}

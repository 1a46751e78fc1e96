// The benchmark of rebuilding batches: how many bytes of records worker threads decode, renumber and encode
// again in a second, for each codec. `npm run bench -- reseal`; needs no brokers.

import { execFile } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import type { Codec } from '../src/batches/codec.ts'
import type { ResealCell, ResealRun } from './reseal-cell.ts'
import { type Summary, summarize } from './statistics.ts'

const run = promisify(execFile)
const cellProgram = fileURLToPath(new URL('./reseal-cell.js', import.meta.url))

// The batch that a producer makes when nobody has tuned it, and one for throughput.
const shapes = [
  { recordBytes: 1_000, batchBytes: 16_384 },
  { recordBytes: 1_000, batchBytes: 262_144 },
  { recordBytes: 100, batchBytes: 16_384 },
  { recordBytes: 100, batchBytes: 262_144 }
]

// MB of uncompressed batches for each second of CPU; what the others reach is told alone.
const leastMbPerCpuSecond: Partial<Record<Codec, number>> = { none: 150, lz4: 150, snappy: 150 }

// For records of 100 bytes, whatever the batch.
const leastRecordsPerCpuSecond = 1_000_000

const codecs: readonly Codec[] = ['none', 'lz4', 'snappy', 'gzip', 'zstd']

export const resealUsage = `npm run bench -- reseal [options]
  --codec NAME         this codec only: ${codecs.join(', ')}
  --to NAME            written in this codec; its own unless given
  --repeats N          rounds of a second for each cell (default 5)
  --threads N          workers (default 1)
`

/** Returns the exit code. Nothing fails when a figure is too low: the table says so. */
export async function benchReseal(argv: readonly string[]): Promise<number> {
  const chosen = read(argv)
  if (typeof chosen === 'string') {
    console.error(`${chosen}\n\n${resealUsage}`)
    return 2
  }
  console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node.js ${process.version}\n`)
  console.log(header.join('\n'))
  for (const codec of chosen.codecs) {
    for (const shape of shapes) {
      const { repeats, threads, to = codec } = chosen
      const cell: ResealCell = { codec, to, ...shape, repeats, threads }
      const { stdout } = await run(process.execPath, [cellProgram, JSON.stringify(cell)])
      console.log(row(cell, JSON.parse(stdout) as ResealRun))
    }
  }
  console.log(
    '\nMB = 10^6 bytes of uncompressed batches. Every third record is a hole. CPU is user and system of the whole\n' +
      'process: the worker, the thread that feeds it and the collection of garbage.'
  )
  return 0
}

const header = [
  '| codec | record B | batch B | packed to | MB per CPU-second | records per CPU-second | MB/s | peak RSS MB | wanted |',
  '|---|---|---|---|---|---|---|---|---|'
]

function row(
  cell: ResealCell,
  { packedBytes, plainBytes, batchRecords, rounds, peakRssBytes }: ResealRun
): string {
  const perCpu = summarize(rounds.map(round => round.bytes / 1e6 / round.cpuSeconds))
  const perSecond = summarize(rounds.map(round => round.bytes / 1e6 / round.seconds))
  const records = (perCpu.median * 1e6 * batchRecords) / plainBytes
  const cells = [
    cell.to === cell.codec ? cell.codec : `${cell.codec} to ${cell.to}`,
    cell.recordBytes,
    cell.batchBytes,
    `${Math.round((100 * packedBytes) / plainBytes)} %`,
    spread(perCpu),
    Math.round(records).toLocaleString('en'),
    spread(perSecond),
    Math.round(peakRssBytes / 1e6),
    judge(cell, perCpu.median, records)
  ]
  return `| ${cells.join(' | ')} |`
}

function judge(
  { codec, to, recordBytes }: ResealCell,
  mbPerCpuSecond: number,
  recordsPerCpuSecond: number
): string {
  const least = codec === to ? leastMbPerCpuSecond[codec] : undefined
  const isOk = (is: number, wanted: number) =>
    `${wanted.toLocaleString('en')}: ${is >= wanted ? 'yes' : 'NO'}`
  const verdicts = [
    ...(least === undefined ? [] : [`MB ${isOk(mbPerCpuSecond, least)}`]),
    ...(codec === 'none' && to === 'none' && recordBytes === 100
      ? [`records ${isOk(recordsPerCpuSecond, leastRecordsPerCpuSecond)}`]
      : [])
  ]
  return verdicts.join(', ') || '-'
}

function spread({ median, min, max }: Summary): string {
  return `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`
}

interface Chosen {
  codecs: readonly Codec[]
  to?: Codec
  repeats: number
  threads: number
}

function read(argv: readonly string[]): Chosen | string {
  try {
    const text = { type: 'string' } as const
    const options = { codec: text, to: text, repeats: text, threads: text }
    const { values } = parseArgs({ args: [...argv], options })
    const { codec, to: wanted, repeats = '5', threads = '1' } = values
    for (const [name, value] of Object.entries({ repeats, threads })) {
      if (!/^[1-9]\d{0,2}$/.test(value))
        return `--${name}: expected a number from 1 to 999, got ${value}`
    }
    const found = codecs.filter(name => codec === undefined || name === codec)
    if (found.length === 0) return `--codec: expected one of ${codecs.join(', ')}, got ${codec}`
    const to = codecs.find(name => name === wanted)
    if (wanted !== undefined && to === undefined)
      return `--to: expected one of ${codecs.join(', ')}, got ${wanted}`
    return { codecs: found, ...(to && { to }), repeats: Number(repeats), threads: Number(threads) }
  } catch (error) {
    return (error as Error).message
  }
}

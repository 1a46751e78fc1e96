// The benchmark of `heliostat verify`: how fast it reads whole topics, beside Kafka's own consumers that read the same
// two topics at the same time and look at nothing. `npm run bench -- verify`; on real brokers.

import { randomUUID } from 'node:crypto'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fetchJars } from '../test/support/kafka-jars.ts'
import { makeFolder, removeFolder } from '../test/support/process-folder.ts'
import { withClient } from '../test/support/raw-client.ts'
import type { ContenderName } from './contender.ts'
import { ContenderProcess, type ProcessCost } from './contender-process.ts'
import { executable } from './contenders/heliostat.ts'
import { contenders } from './contenders.ts'
import type { Cargo, Round } from './ends.ts'
import { reasonOf } from './failure.ts'
import { mirrorJvm } from './jvm-flags.ts'
import { writeProperties } from './properties-file.ts'
import { type Brokers, realEnds, startBrokers } from './real-ends.ts'
import { taskOf, untilDone } from './runner.ts'
import type { RealScenario } from './scenarios.ts'
import { summarize } from './statistics.ts'

const limitMs = 600_000
const group = 'bench-verify'

const scenario: RealScenario = {
  name: 'verify',
  says: 'both sides read to the end',
  ends: 'real',
  codec: 'lz4',
  recordBytes: 1_024,
  batchBytes: 256 * 1_024,
  partitions: 16,
  totalRecordBytes: 3e9,
  contenders: [],
  repeats: 3
}

// What the target holds decides what has to be looked at: equal batches are not opened, others record by record.
const writers: readonly { name: ContenderName; says: string }[] = [
  { name: 'heliostat', says: 'batches as on the source' },
  { name: 'mirror-maker-2', says: 'every batch cut anew' }
]

export const verifyUsage = `npm run bench -- verify [options]
  --gb N               records on each side, in GB before compression (default 3)
  --repeats N          runs of each reader, by turns (default 3)
`

/** Returns the exit code: 1 when a run failed. */
export async function benchVerify(argv: readonly string[]): Promise<number> {
  const chosen = read(argv)
  if (typeof chosen === 'string') {
    console.error(`${chosen}\n\n${verifyUsage}`)
    return 2
  }
  console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node.js ${process.version}\n`)
  console.log(header.join('\n'))
  const folder = await makeFolder()
  const brokers = await startBrokers()
  try {
    const ends = await realEnds({ ...scenario, totalRecordBytes: chosen.gb * 1e9 }, brokers)
    for (const { name, says } of writers) {
      const round = await ends.begin()
      await fill(name, round, join(folder, name))
      await commitEnds(round)
      const runs = await readByTurns({ round, brokers, cargo: ends.cargo, folder }, chosen.repeats)
      for (const [reader, costs] of runs) console.log(row(says, reader, costs, ends.cargo))
      const { fault } = await round.close()
      if (fault !== undefined) throw new Error(fault)
    }
    await ends.close()
  } catch (error) {
    console.error(reasonOf(error))
    return 1
  } finally {
    await brokers.close()
    await removeFolder(folder)
  }
  console.log(
    '\nMB = 10^6 bytes of records before compression, of one side; the other side is read in the same time. Seconds and\n' +
      'CPU are those of whole processes: of the two consumers the slower one, and the sum.'
  )
  return 0
}

async function fill(name: ContenderName, round: Round, folder: string): Promise<void> {
  const contender = contenders[name]
  const task = await taskOf(round, scenario, folder)
  const mirror = await ContenderProcess.start(await contender.command(task), folder)
  const { failure } = await untilDone(contender, mirror, round, limitMs)
  if (failure !== undefined) throw new Error(`${name}: ${failure}\n${await mirror.lastOutput()}`)
}

/** What a group has committed is what verify looks for on the target. */
async function commitEnds({ topic, source }: Round): Promise<void> {
  return withClient(source, async client => {
    const ends = [...(await client.offsets(topic))].map(([partition, { latest: offset }]) => ({
      topic,
      partition,
      offset
    }))
    await client.groups.offsetCommit(group, ends)
  })
}

interface Reading {
  round: Round
  brokers: Brokers
  cargo: Cargo
  folder: string
}

/** The commands that run side by side. */
type Reader = (reading: Reading) => Promise<string[][]>

const readers: Readonly<Record<string, Reader>> = {
  'heliostat verify': async ({ round: { topic, source, target }, folder }) => [
    [
      ...[process.execPath, executable, 'verify', '--whitelist', topic, '--consumer.config'],
      await writeProperties(folder, 'source.properties', {
        'bootstrap.servers': source,
        'group.id': group
      }),
      '--producer.config',
      await writeProperties(folder, 'target.properties', { 'bootstrap.servers': target })
    ]
  ],
  "two of Kafka's consumers": ({ round: { topic }, brokers, cargo }) =>
    Promise.all(
      [brokers.source, brokers.target].map(async ({ version, bootstrap }) => {
        const { java, classPath, logging } = await fetchJars(version)
        const main = 'org.apache.kafka.tools.ConsumerPerformance'
        const names = ['--topic', topic, '--group', `verify-${randomUUID()}`]
        return [
          ...[java, ...mirrorJvm, ...logging, '-cp', classPath, main, ...names],
          ...['--bootstrap-server', bootstrap, '--messages', `${cargo.records}`]
        ]
      })
    )
}

async function readByTurns(reading: Reading, repeats: number): Promise<Map<string, ProcessCost[]>> {
  const runs = new Map<string, ProcessCost[]>(Object.keys(readers).map(name => [name, []]))
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const [name, commandsOf] of Object.entries(readers)) {
      const commands = await commandsOf(reading)
      const costs = await Promise.all(commands.map(command => runAlone(name, command)))
      const cost = costs.reduce(sideBySide)
      runs.get(name)?.push(cost)
      console.error(`${name} ${repeat}/${repeats}: ${cost.seconds.toFixed(1)} s`)
    }
  }
  return runs
}

async function runAlone(name: string, command: readonly string[]): Promise<ProcessCost> {
  const folder = await makeFolder()
  try {
    const reader = await ContenderProcess.start(command, folder)
    const timer = setTimeout(() => reader.kill(), limitMs)
    const cost = await reader.cost()
    clearTimeout(timer)
    if (cost.exitCode === 0) return cost
    throw new Error(`${name} ended with ${cost.exitCode}\n${await reader.lastOutput()}`)
  } finally {
    await removeFolder(folder)
  }
}

function sideBySide(one: ProcessCost, other: ProcessCost): ProcessCost {
  return {
    exitCode: 0,
    seconds: Math.max(one.seconds, other.seconds),
    userSeconds: one.userSeconds + other.userSeconds,
    systemSeconds: one.systemSeconds + other.systemSeconds,
    peakRssBytes: one.peakRssBytes + other.peakRssBytes
  }
}

const header = [
  '| target | reader | MB/s | seconds | CPU-s per GB | peak RSS MB |',
  '|---|---|---|---|---|---|'
]

function row(
  says: string,
  reader: string,
  costs: readonly ProcessCost[],
  { recordBytes }: Cargo
): string {
  const show = (digits: number, figure: (cost: ProcessCost) => number) => {
    const { median, min, max } = summarize(costs.map(figure))
    return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
  }
  const cells = [
    says,
    reader,
    show(0, ({ seconds }) => recordBytes / 1e6 / seconds),
    show(1, ({ seconds }) => seconds),
    show(
      2,
      ({ userSeconds, systemSeconds }) => (userSeconds + systemSeconds) / (recordBytes / 1e9)
    ),
    show(0, ({ peakRssBytes }) => peakRssBytes / 1e6)
  ]
  return `| ${cells.join(' | ')} |`
}

function read(argv: readonly string[]): { gb: number; repeats: number } | string {
  try {
    const options = { gb: { type: 'string' }, repeats: { type: 'string' } } as const
    const { gb = '3', repeats = '3' } = parseArgs({ args: [...argv], options }).values
    if (!(Number(gb) > 0)) return `--gb: expected a number above 0, got ${gb}`
    if (/^[1-9]\d{0,2}$/.test(repeats)) return { gb: Number(gb), repeats: Number(repeats) }
    return `--repeats: expected a whole number above 0, got ${repeats}`
  } catch (error) {
    return (error as Error).message
  }
}

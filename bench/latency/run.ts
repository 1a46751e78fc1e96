// Owns one latency run: a mirror, a steady load on its source, and the same consumer on both sides at once.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder, removeFolder } from '../../test/support/process-folder.ts'
import { withClient } from '../../test/support/raw-client.ts'
import type { Task } from '../contender.ts'
import { ContenderProcess, type ProcessCost } from '../contender-process.ts'
import { sumOfEnds } from '../end-offsets.ts'
import { reasonOf } from '../failure.ts'
import type { FailedRun } from '../measurement.ts'
import { UsageSampler } from '../process-usage.ts'
import { type Brokers, leftBehind, removeTopics } from '../real-ends.ts'
import { Child } from './child.ts'
import { faultOf, figuresOf, type LatencyFigures } from './figures.ts'
import type { LoadMessage, LoadTask } from './load.ts'
import { type LatencyMirrorName, latencyMirrors } from './mirrors.ts'
import type { ReaderMessage, ReaderTask, Reading } from './reader.ts'
import type { Schedule } from './schedule.ts'

export interface LatencyMeasurement extends LatencyFigures {
  contender: LatencyMirrorName
  repeat: number
  /** Records that were counted. */
  records: number
  /** Between the first and the last counted record. */
  sentMbPerSecond: number
  /** How late the latest counted record was sent. */
  loadLateMs: number
  /** User and system seconds of the mirror in that time, from samples of the process. */
  countedCpuSeconds: number
  /** The same of the source's broker. */
  sourceCpuSeconds: number
  /** The mirror's whole process: start, work and exit. */
  process: ProcessCost
}

export type LatencyRun = LatencyMeasurement | FailedRun

export interface LatencyPlan {
  brokers: Pick<Brokers, 'source' | 'target'>
  schedule: Schedule
  /** A load that is later than this share of its time has another rate than the one asked for: no figure. */
  mostLate: number
}

// A JVM on a busy machine, and MirrorMaker 2 with its topics and rebalances.
const startLimitMs = 120_000
const arriveLimitMs = 30_000
const stopLimitMs = 30_000
const ownTopic = /^bench-latency-/

export async function runLatency(
  contender: LatencyMirrorName,
  repeat: number,
  plan: LatencyPlan
): Promise<LatencyRun> {
  const folder = await makeFolder()
  try {
    const topic = `bench-latency-${contender}-${repeat}`
    await makeTopics(topic, plan)
    return { contender, repeat, ...(await measure(contender, topic, plan, folder)) }
  } catch (error) {
    return { contender, repeat, failure: `failed: ${reasonOf(error)}` }
  } finally {
    await removeFolder(folder)
  }
}

/** Fresh on both sides, and nothing left of other runs. */
async function makeTopics(topic: string, { brokers, schedule }: LatencyPlan): Promise<void> {
  const partitions = schedule.partitions + schedule.idlePartitions
  for (const { bootstrap } of [brokers.source, brokers.target]) {
    await withClient(bootstrap, async client => {
      await removeTopics(client, name => ownTopic.test(name) || leftBehind.test(name))
      await client.admin.createTopics({ name: topic, partitions })
    })
  }
}

type Sent = Extract<LoadMessage, { kind: 'sent' }>
type Measured = Omit<LatencyMeasurement, 'contender' | 'repeat'>

async function measure(
  contender: LatencyMirrorName,
  topic: string,
  { brokers, schedule, mostLate }: LatencyPlan,
  parent: string
): Promise<Measured> {
  const [source, target] = [brokers.source.bootstrap, brokers.target.bootstrap]
  const folder = join(parent, contender)
  await mkdir(folder)
  const group = `bench-${process.pid}-${Date.now()}`
  // The load's codec; batches of the size that a producer has by default.
  const task = { topic, source, target, group, folder, codec: 'lz4', batchBytes: 16_384 }
  const mirror = await ContenderProcess.start(await latencyMirrors[contender].command(task), folder)
  const sourceUsage = brokers.source.nodes.flatMap(({ pid }) =>
    pid === undefined ? [] : new UsageSampler(pid)
  )
  try {
    const { sent, direct, mirrored } = await observe(mirror, task, schedule)
    const fault = faultOf('source', direct) ?? faultOf('target', mirrored)
    if (fault !== undefined) throw new Error(fault)
    const cost = await mirror.stop(stopLimitMs)
    await checkEnds(brokers.target, topic, schedule)
    return {
      ...figuresOf(direct, mirrored, schedule),
      ...sentAsPlanned(sent, schedule, mostLate),
      countedCpuSeconds: mirror.usage.cpuSecondsBetween(sent.firstNs, sent.lastNs),
      sourceCpuSeconds: sourceUsage.reduce(
        (sum, usage) => sum + usage.cpuSecondsBetween(sent.firstNs, sent.lastNs),
        0
      ),
      process: cost
    }
  } catch (error) {
    throw new Error(`${reasonOf(error)}\n${await mirror.lastOutput()}`, { cause: error })
  } finally {
    for (const usage of sourceUsage) usage.stop()
    await mirror.stop(stopLimitMs)
  }
}

interface Observation {
  sent: Sent
  /** What the source's consumer read, and the target's. */
  direct: Reading
  mirrored: Reading
}

/** From the first sign of the mirror to the last record. */
async function observe(
  mirror: ContenderProcess,
  { topic, source, target }: Task,
  schedule: Schedule
): Promise<Observation> {
  const load = startLoad({ bootstrap: source, topic, schedule })
  const direct = startReader('source', { bootstrap: source, topic, schedule })
  const behind = startReader('target', { bootstrap: target, topic, schedule })
  const watch = watchOver(mirror)
  try {
    const signs = [load.next('ready'), direct.next('signed'), behind.next('signed')]
    await watch('start of the mirror', startLimitMs, signs)
    load.post({ kind: 'go' })
    const seconds = (schedule.records - schedule.steadyFrom) / schedule.recordsPerSecond
    const sentLimitMs = seconds * 1_000 + arriveLimitMs
    const [sent] = await watch('load', sentLimitMs, [load.next('sent')])
    for (const reader of [direct, behind]) reader.post({ kind: 'end', limitMs: arriveLimitMs })
    const reads = [direct.next('read'), behind.next('read')] as const
    const [atSource, atTarget] = await watch('consumers', 2 * arriveLimitMs, [...reads])
    return { sent, direct: atSource.reading, mirrored: atTarget.reading }
  } finally {
    await Promise.all([load, direct, behind].map(child => child.close()))
  }
}

/** A record that was written again after the consumers had all of them is only seen here. */
async function checkEnds(
  { bootstrap }: Brokers['target'],
  topic: string,
  { partitions, records }: Schedule
): Promise<void> {
  const held = await withClient(bootstrap, client => sumOfEnds(client, topic, partitions))
  if (held !== records) throw new Error(`the target holds ${held} records in place of ${records}`)
}

function startLoad(task: LoadTask): Child<LoadMessage> {
  return new Child('the load', new URL('./load.js', import.meta.url), task)
}

function startReader(side: string, task: ReaderTask): Child<ReaderMessage> {
  return new Child(`the ${side}'s consumer`, new URL('./reader.js', import.meta.url), task)
}

/** Waits for all of some promises, unless the mirror ends or the time is over. */
function watchOver(mirror: ContenderProcess) {
  const ended = mirror.cost().then(({ exitCode }) => {
    throw new Error(`the mirror ended too early, with ${exitCode}`)
  })
  ended.catch(() => {}) // told by whoever waits then; afterwards its end is asked for
  return async <T extends Promise<unknown>[]>(what: string, limitMs: number, wanted: [...T]) => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`${what}: not done after ${Math.round(limitMs / 1_000)} s`)
      timer = setTimeout(() => reject(error), limitMs)
    })
    try {
      return await Promise.race([Promise.all(wanted), late, ended])
    } finally {
      clearTimeout(timer)
    }
  }
}

function sentAsPlanned(
  { firstNs, lastNs, latestMs }: Sent,
  { records, countedFrom, recordBytes, recordsPerSecond }: Schedule,
  mostLate: number
): Pick<Measured, 'records' | 'sentMbPerSecond' | 'loadLateMs'> {
  const counted = records - countedFrom
  const [seconds, planned] = [(lastNs - firstNs) / 1e9, counted / recordsPerSecond]
  if (seconds > planned * (1 + mostLate)) {
    const [took, wanted] = [seconds.toFixed(1), planned.toFixed(1)]
    throw new Error(
      `the load took ${took} s for the records of ${wanted} s: the machine is too slow`
    )
  }
  const sentMbPerSecond = (counted * recordBytes) / 1e6 / seconds
  return { records: counted, sentMbPerSecond, loadLateMs: latestMs }
}

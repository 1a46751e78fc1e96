// Owns running Kafka's own command-line tools, the oracles of the real-broker tests.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quickJvm, spawnJava } from './jvm.ts'
import { fetchJars, type KafkaJars, targetVersion } from './kafka-jars.ts'
import type { NewTopic } from './raw-admin.ts'
import { withClient } from './raw-client.ts'

export type ToolResult = { stdout: string; stderr: string; code: number | null }
export type ToolOptions = { input?: string | Buffer; timeoutMs?: number; jvm?: string[] }

/** Which tools to run against which cluster; a KafkaCluster fits. */
export type ToolTarget = { version?: string; bootstrap: string }

/** Runs a main class of a Kafka version; a tool that takes too long is killed and its code is null. */
export async function runTool(
  version: string,
  mainClass: string,
  args: string[],
  options: ToolOptions = {}
): Promise<ToolResult> {
  return runJava(await fetchJars(version), mainClass, args, options)
}

export function runJava(
  jars: KafkaJars,
  mainClass: string,
  args: string[],
  { input, timeoutMs = 120_000, jvm = ['-Xmx256m', ...quickJvm] }: ToolOptions = {}
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const all = [...jars.logging, ...jvm, '-cp', jars.classPath, mainClass, ...args]
    const child = spawnJava(jars.java, all, { stdio: ['pipe', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout?.on('data', chunk => stdout.push(chunk))
    child.stderr?.on('data', chunk => stderr.push(chunk))
    // A tool may end before it has read all of its input.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? '')
    child.once('error', reject)
    child.once('close', code => {
      clearTimeout(timer)
      resolve({
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        code
      })
    })
  })
}

/** By a raw request, which spares the start of a JVM. Resolves when every partition has a leader. */
export async function createTopic(
  bootstrap: string,
  name: string,
  partitions = 1,
  options: Omit<NewTopic, 'name' | 'partitions'> = {}
): Promise<void> {
  return withClient(bootstrap, async client => {
    await client.admin.createTopics({ name, partitions, ...options })
  })
}

/** Deletes a topic and makes another under its name. */
export async function recreateTopic(
  bootstrap: string,
  name: string,
  partitions: number
): Promise<void> {
  return withClient(bootstrap, async client => {
    await client.admin.deleteTopics(name)
    await client.admin.createTopics({ name, partitions })
  })
}

export type PerfOptions = {
  records: number
  /** Random letters and digits of this length, the same in every record... */
  recordBytes?: number
  /** ...or one of these lines, chosen at random for each record. */
  payloads?: string[]
  codec?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  batchBytes?: number
  lingerMs?: number
  /** Records a second; -1 is as fast as it goes. */
  throughput?: number
  transactionMs?: number
  props?: Record<string, string | number | boolean>
  timeoutMs?: number
}

/** kafka-producer-perf-test. */
export async function perfTest(
  { version = targetVersion, bootstrap }: ToolTarget,
  topic: string,
  options: PerfOptions
): Promise<ToolResult> {
  const {
    records,
    recordBytes = 100,
    payloads,
    throughput = -1,
    transactionMs,
    timeoutMs = 600_000
  } = options
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-perf-'))
  try {
    const payloadFile = join(folder, 'payloads')
    if (payloads !== undefined) await writeFile(payloadFile, payloads.join('\n'))
    const props = Object.entries({
      'bootstrap.servers': bootstrap,
      'compression.type': options.codec ?? 'none',
      'batch.size': options.batchBytes ?? 16_384,
      'linger.ms': options.lingerMs ?? 5,
      ...options.props
    })
    const args = ['--topic', topic, '--num-records', `${records}`, '--throughput', `${throughput}`]
    args.push(
      ...(payloads === undefined
        ? ['--record-size', `${recordBytes}`]
        : ['--payload-file', payloadFile])
    )
    if (transactionMs !== undefined) args.push('--transaction-duration-ms', `${transactionMs}`)
    // By file: on the command line the tool refuses values with an equals sign, as logins have.
    const propsFile = join(folder, 'producer.properties')
    await writeFile(propsFile, props.map(([key, value]) => `${key}=${value}\n`).join(''))
    args.push('--producer.config', propsFile)
    const main = 'org.apache.kafka.tools.ProducerPerformance'
    return succeeded(main, await runTool(version, main, args, { timeoutMs, jvm: ['-Xmx512m'] }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export type ConsumeOptions = {
  /** Ends after so many records, else when nothing has come for `idleMs`. */
  maxMessages?: number
  idleMs?: number
  partition?: number
  /** The topic is a regular expression. */
  isPattern?: boolean
  isolation?: 'read_committed' | 'read_uncommitted'
  /** Further --property key=value of the formatter. */
  properties?: Record<string, string>
  /** Further settings of the consumer. */
  props?: Record<string, string>
  timeoutMs?: number
}

/**
 * kafka-console-consumer from the beginning, one line a record: time stamp, partition, offset, headers, key and
 * value, between tabs; null is NULL.
 */
export async function consoleConsumer(
  { version = targetVersion, bootstrap }: ToolTarget,
  topic: string,
  options: ConsumeOptions = {}
): Promise<string[]> {
  const { maxMessages, partition, isolation = 'read_uncommitted' } = options
  // A busy machine may take long to the first record; who knows their number need not mind.
  const { idleMs = maxMessages === undefined ? 8_000 : 60_000 } = options
  const formatter = {
    'print.timestamp': 'true',
    'print.partition': 'true',
    'print.offset': 'true',
    'print.headers': 'true',
    'print.key': 'true',
    'print.value': 'true',
    'null.literal': 'NULL',
    ...options.properties
  }
  const args = ['--bootstrap-server', bootstrap, '--isolation-level', isolation]
  args.push(options.isPattern === true ? '--include' : '--topic', topic)
  args.push('--timeout-ms', `${idleMs}`)
  if (maxMessages !== undefined) args.push('--max-messages', `${maxMessages}`)
  if (partition === undefined) args.push('--from-beginning')
  else args.push('--partition', `${partition}`, '--offset', 'earliest')
  for (const [key, value] of Object.entries(formatter)) args.push('--property', `${key}=${value}`)
  for (const [key, value] of Object.entries(options.props ?? {})) {
    args.push('--consumer-property', `${key}=${value}`)
  }
  const main = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
  const result = await runTool(version, main, args, { timeoutMs: options.timeoutMs ?? 120_000 })
  // Running out of records ends it with an error: that is how it is asked to end when no count is given.
  const ranOut = maxMessages === undefined && result.stderr.includes('TimeoutException')
  if (!ranOut) succeeded(main, result)
  return result.stdout.split('\n').slice(0, -1)
}

/** GetOffsetShell: the end (or start) offset of each partition, by topic. */
export async function getOffsets(
  { version = targetVersion, bootstrap }: ToolTarget,
  topic?: string,
  time: 'latest' | 'earliest' = 'latest'
): Promise<Map<string, Map<number, number>>> {
  const args = ['--bootstrap-server', bootstrap, '--time', time]
  if (topic !== undefined) args.push('--topic', topic)
  const main = 'org.apache.kafka.tools.GetOffsetShell'
  const { stdout } = succeeded(main, await runTool(version, main, args))
  const offsets = new Map<string, Map<number, number>>()
  for (const line of stdout.trim().split('\n')) {
    const [, name, partition, offset] = /^(.+):(\d+):(\d+)$/.exec(line) ?? []
    if (name === undefined) continue
    offsets.set(name, (offsets.get(name) ?? new Map()).set(Number(partition), Number(offset)))
  }
  return offsets
}

export type GroupRow = {
  topic: string
  partition: number
  /** Undefined when the tool prints `-`. */
  current: number | undefined
  end: number | undefined
  lag: number | undefined
}

/** kafka-consumer-groups --describe. */
export async function describeGroup(
  { version = targetVersion, bootstrap }: ToolTarget,
  group: string
): Promise<GroupRow[]> {
  const args = ['--bootstrap-server', bootstrap, '--describe', '--group', group]
  const { stdout } = succeeded(groupCommand, await runTool(version, groupCommand, args))
  const rows = stdout.split('\n').map(line => line.trim().split(/\s+/))
  const found = rows.filter(row => row[0] === group)
  return found.map(([, topic, partition, current, end, lag]) => ({
    topic: topic as string,
    partition: Number(partition),
    current: numberOrNone(current),
    end: numberOrNone(end),
    lag: numberOrNone(lag)
  }))
}

/** kafka-consumer-groups --reset-offsets of a group without members, in one topic. */
export async function setOffsets(
  { version = targetVersion, bootstrap }: ToolTarget,
  group: string,
  topic: string,
  to: 'earliest' | 'latest' | number
): Promise<void> {
  const where = typeof to === 'number' ? ['--to-offset', `${to}`] : [`--to-${to}`]
  const args = [
    '--bootstrap-server',
    bootstrap,
    '--reset-offsets',
    '--group',
    group,
    '--topic',
    topic
  ]
  succeeded(groupCommand, await runTool(version, groupCommand, [...args, ...where, '--execute']))
}

/** By a raw request: sets configs of a topic; null goes back to the default. */
export async function alterConfigs(
  bootstrap: string,
  topic: string,
  changes: Record<string, string | number | boolean | null>
): Promise<void> {
  return withClient(bootstrap, async client => {
    await client.admin.alterConfigs({ type: 'topic', name: topic }, changes)
  })
}

/** By a raw request: removes what lies before an offset of a partition. */
export async function deleteRecords(
  bootstrap: string,
  topic: string,
  partition: number,
  before: number
): Promise<void> {
  return withClient(bootstrap, async client => {
    await client.admin.deleteRecords(topic, partition, before)
  })
}

const groupCommand = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'

function succeeded(main: string, result: ToolResult): ToolResult {
  if (result.code === 0) return result
  throw new Error(`${main} ended with ${result.code}:\n${result.stdout}\n${result.stderr}`)
}

function numberOrNone(text: string | undefined): number | undefined {
  return text === undefined || text === '-' ? undefined : Number(text)
}

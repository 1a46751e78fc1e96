// Sources from before Kafka 0.11, whose brokers have Fetch 2 or 3 and no way to tell configs, topic ids or epochs.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { countRecords } from '../support/group-lag.ts'
import { type KafkaCluster, startBroker } from '../support/kafka-broker.ts'
import { targetVersion } from '../support/kafka-jars.ts'
import { perfTest, runTool } from '../support/kafka-tools.ts'
import { killAfterRecords } from '../support/killed-mirror.ts'
import {
  type MirrorOptions,
  mirrorOnce,
  partitionsOf,
  plainEnvironment
} from '../support/mirror-process.ts'
import { OldClient } from '../support/old-client.ts'
import { encodeMessage, encodeWrapped, type OldMessage } from '../support/old-messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { type DecodedRecord, decodeBatch } from '../support/records.ts'
import { readBatches } from '../support/topic-reader.ts'
import { verify } from '../support/verify-process.ts'
import {
  firstOfTen,
  lastOfTen,
  oldVersion,
  startZooKeeperBroker
} from '../support/zookeeper-broker.ts'

const isFull = process.env.HELIOSTAT_FULL === '1'
const lives = isFull ? 20 : 3
const limit = { timeout: isFull ? 600_000 : 240_000 }
const exitLimitMs = 100_000
const codecs = ['none', 'gzip', 'snappy', 'lz4'] as const
const partitions = 2
/** Brokers of that time make topics when they are asked for, unless they are told otherwise. */
const config = { 'auto.create.topics.enable': true, 'num.partitions': partitions }

let old: KafkaCluster
let current: KafkaCluster

before(async () => {
  const [first, second] = await Promise.allSettled([
    startZooKeeperBroker({ version: lastOfTen, config }),
    startBroker({ version: targetVersion })
  ])
  if (first.status === 'fulfilled') old = first.value
  if (second.status === 'fulfilled') current = second.value
  for (const started of [first, second]) if (started.status === 'rejected') throw started.reason
})
after(() => Promise.all([old?.close(), current?.close()]))

// T3
test(
  'every record of a source of 0.10.2 arrives, and what it cannot tell is said',
  limit,
  async t => {
    const client = clientOf(t, old)
    const [written, produced] = [`written-${randomUUID()}`, `produced-${randomUUID()}`]
    for (const topic of [written, produced]) await client.makeTopic(topic)
    await fill(client, written)
    // Kafka's own producer of that time.
    for (const codec of codecs)
      await perfTest(old, produced, { records: 500, recordBytes: 300, codec })

    const topics = [written, produced]
    const options = optionsOf(old, topics.join('|'))
    const plan = await runPlan(t, options)
    const { code, report, mirror } = await mirrorOnce(t, options, exitLimitMs)
    assert.equal(code, 0, mirror.tail())
    for (const topic of topics) await assertSame(client, topic)
    for (const topic of topics) {
      for (const { delivery, deliveryReason, reasons } of partitionsOf(report, topic)) {
        assert.deepEqual([delivery, deliveryReason], ['exactly-once', ''], topic)
        assert.deepEqual(Object.keys(reasons), ['old-broker'], topic)
      }
    }
    const [told, ...more] = mirror.lines.filter(({ msg }) => msg.includes('from before Kafka 0.11'))
    assert.deepEqual(more, [])
    assert.equal(told?.fetchVersion, 3)
    // A right that nobody has to grant is not asked for.
    assert.deepEqual(
      mirror.lines.filter(({ msg }) => msg.includes('configs cannot be read')),
      []
    )
    assert.match(plan, /from before Kafka 0\.11/)
    assert.match(plan, /old-broker/)
    assert.doesNotMatch(plan, /old-format|DescribeConfigs/)

    const verified = await verify(t, { ...options, group: options.group as string })
    assert.equal(verified.code, 0, verified.err + JSON.stringify(verified.lanes))
    await assertConsumed(produced)
  }
)

// P10
test('every record of a source of 0.10.2 once, in order, whatever is killed', limit, async t => {
  const client = clientOf(t, old)
  const topic = `killed-${randomUUID()}`
  await client.makeTopic(topic)
  const load = startOldLoad(client, topic)
  t.after(() => load.stop())
  const consumer = { 'group.instance.id': 'one' }
  const options = { ...optionsOf(old, topic), consumer }
  await killAfterRecords(t, options, lives, () => countThere(topic))
  await load.stop()
  const { code, mirror, report } = await mirrorOnce(t, options, exitLimitMs)
  assert.equal(code, 0, mirror.tail())
  for (const { delivery, deliveryReason } of partitionsOf(report, topic)) {
    assert.deepEqual([delivery, deliveryReason], ['exactly-once', ''])
  }
  await assertSame(client, topic)
})

// Its Fetch has no limit for the answer as a whole, and it tells neither a cluster id nor a group's commits of all topics.
test('every record of a source of 0.10.0 arrives', limit, async t => {
  const first = await startZooKeeperBroker({ version: firstOfTen, config })
  t.after(() => first.close())
  const client = clientOf(t, first)
  const topic = `first-${randomUUID()}`
  await client.makeTopic(topic)
  await fill(client, topic)
  const options = optionsOf(first, topic)
  const { code, mirror, report } = await mirrorOnce(t, options, exitLimitMs)
  assert.equal(code, 0, mirror.tail())
  await assertSame(client, topic)
  for (const { delivery, reasons } of partitionsOf(report, topic)) {
    assert.equal(delivery, 'exactly-once')
    assert.deepEqual(Object.keys(reasons), ['old-broker'])
  }
  const status = await heliostat([
    ...['status', '--bootstrap-server', first.bootstrap],
    ...['--group', options.group as string, '--format', 'json']
  ])
  const [link] = JSON.parse(status).links
  assert.deepEqual(
    link.lanes.map(({ topic: name, committed, logEnd }: Record<string, unknown>) => [
      name,
      committed === logEnd
    ]),
    Array.from({ length: partitions }, () => [topic, true])
  )
})

function clientOf(t: TestContext, cluster: KafkaCluster): OldClient {
  const client = new OldClient(cluster.bootstrap)
  t.after(() => client.close())
  return client
}

function optionsOf(source: KafkaCluster, whitelist: string): MirrorOptions {
  return { source, target: current, whitelist, group: `group-${randomUUID()}` }
}

/** Every codec, null keys and values, and sizes from one byte to more than a Fetch asks of a partition at first. */
async function fill(client: OldClient, topic: string): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    for (const [turn, codec] of codecs.entries()) {
      for (const [index, size] of [1, 100, 70_000, 400_000].entries()) {
        await client.append(topic, partition, packed(messagesOf(turn * 10 + index, size), codec))
      }
    }
  }
}

/** Values that no codec makes small. */
function messagesOf(number: number, size: number): OldMessage[] {
  const noise = randomBytes(size)
  const rows: [string | null, Buffer | null][] = [
    [`key-${number}`, noise],
    [null, noise],
    [`gone-${number}`, null],
    ['', Buffer.alloc(0)]
  ]
  const timestamp = 1_600_000_000_000 + number
  return rows.map(([key, value], at) => ({ magic: 1, offset: at, key, value, timestamp }))
}

function packed(messages: OldMessage[], codec: (typeof codecs)[number]): Buffer {
  const inner = messages.map((message, offset) => ({ ...message, offset }))
  if (codec === 'none') return Buffer.concat(inner.map(encodeMessage))
  const [timestamp, offset] = [inner.at(-1)?.timestamp ?? -1, inner.length - 1]
  return encodeWrapped(inner, { magic: 1, offset, codec, timestamp })
}

/** A batch of each codec in turn, to each partition in turn, until it is stopped. */
function startOldLoad(client: OldClient, topic: string): { stop(): Promise<void> } {
  let isOver = false
  const work = (async () => {
    for (let turn = 0; !isOver; turn++) {
      const codec = codecs[turn % codecs.length] as (typeof codecs)[number]
      const partition = Math.floor(turn / codecs.length) % partitions
      await client.append(topic, partition, packed(messagesOf(turn, 50), codec))
      await delay(10)
    }
  })()
  work.catch(() => {})
  return {
    stop: () => {
      isOver = true
      return work
    }
  }
}

/** 0 while the topic is still to be made. */
async function countThere(topic: string): Promise<number> {
  const client = new RawClient(current.bootstrap)
  try {
    const isThere = (await client.metadata()).topics.some(({ name }) => name === topic)
    return isThere ? await countRecords(current.bootstrap, topic) : 0
  } finally {
    client.close()
  }
}

async function assertSame(source: OldClient, topic: string): Promise<void> {
  const target = new RawClient(current.bootstrap)
  try {
    for (let partition = 0; partition < partitions; partition++) {
      const arrived: DecodedRecord[] = []
      for await (const { bytes } of readBatches(target, topic, partition)) {
        arrived.push(...decodeBatch(bytes).records)
      }
      const wanted = await source.records(topic, partition)
      assert.ok(wanted.length > 0, `${topic}-${partition} is empty`)
      assert.deepEqual(arrived.map(describe), wanted.map(describe), `${topic}-${partition}`)
    }
  } finally {
    target.close()
  }
}

function describe({ offset, timestamp, key, value, headers }: DecodedRecord): string {
  const text = (bytes: Buffer | null) => bytes?.toString('base64') ?? 'null'
  return [offset, timestamp, text(key), text(value), headers.length].join(' ')
}

/** Kafka's own consumer, one that still reads both, sees the same on both sides. */
async function assertConsumed(topic: string): Promise<void> {
  const [ours, theirs] = await Promise.all([old, current].map(cluster => consume(cluster, topic)))
  assert.ok((ours ?? []).length > 0)
  assert.deepEqual(theirs, ours)
}

async function consume({ bootstrap }: KafkaCluster, topic: string): Promise<string[]> {
  const count = await countRecords(current.bootstrap, topic)
  const shown = ['timestamp', 'partition', 'offset', 'key', 'value']
  const { code, stdout, stderr } = await runTool(oldVersion, 'kafka.tools.ConsoleConsumer', [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--from-beginning'],
    ...['--max-messages', `${count}`, '--timeout-ms', '60000'],
    ...shown.flatMap(name => ['--property', `print.${name}=true`])
  ])
  assert.equal(code, 0, stderr)
  return stdout.trimEnd().split('\n').sort()
}

const run = promisify(execFile)
const command = fileURLToPath(new URL('../../../bin/heliostat', import.meta.url))

async function runPlan(
  t: TestContext,
  { source, target, whitelist, group }: MirrorOptions
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-plan-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const [consumer, producer] = [join(folder, 'consumer'), join(folder, 'producer')]
  await writeFile(consumer, `bootstrap.servers=${source.bootstrap}\ngroup.id=${group}\n`)
  await writeFile(producer, `bootstrap.servers=${target.bootstrap}\n`)
  const files = ['--consumer.config', consumer, '--producer.config', producer]
  return heliostat(['plan', '--whitelist', whitelist, ...files, '--format', 'json'])
}

async function heliostat(args: string[]): Promise<string> {
  return (await run(command, args, { env: plainEnvironment() })).stdout
}

// A broker of the time before Kafka 3, with ZooKeeper: logs in the formats 0 and 1 as a source, and itself as a target.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import type { Codec } from '../support/batch-header.ts'
import { compactedConfigs, endCompaction, makeHoles } from '../support/compaction.ts'
import { consumedRecords } from '../support/consumed-records.ts'
import { produceMixed } from '../support/corpus.ts'
import { compareTopics, digestTopic } from '../support/digest.ts'
import { countRecords } from '../support/group-lag.ts'
import { type KafkaCluster, startBroker } from '../support/kafka-broker.ts'
import { targetVersion } from '../support/kafka-jars.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { killAfterRecords } from '../support/killed-mirror.ts'
import { mirrorOnce, partitionsOf } from '../support/mirror-process.ts'
import { appendMessages, encodeMessage, encodeWrapped } from '../support/old-messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { decodeBatch, encodeBatch } from '../support/records.ts'
import { startLoad } from '../support/steady-load.ts'
import { readBatches } from '../support/topic-reader.ts'
import { verify } from '../support/verify-process.ts'
import { waitFor } from '../support/wait.ts'
import { startZooKeeperBroker } from '../support/zookeeper-broker.ts'

const isFull = process.env.HELIOSTAT_FULL === '1'
const lives = isFull ? 20 : 3
const limit = { timeout: isFull ? 600_000 : 240_000 }
const exitLimitMs = 100_000
const oldCodecs = ['none', 'gzip', 'snappy', 'lz4'] as const
/** Kafka's names of the formats: those of the brokers that brought them. */
const kafkaNames = ['0.9.0', '0.10.2'] as const

let old: KafkaCluster
let current: KafkaCluster

before(async () => {
  const [first, second] = await Promise.allSettled([
    // The cleaner looks for work every 15 s unless told otherwise.
    startZooKeeperBroker({
      config: { 'log.message.format.version': '0.10.2', 'log.cleaner.backoff.ms': 100 }
    }),
    startBroker({ version: targetVersion })
  ])
  if (first.status === 'fulfilled') old = first.value
  if (second.status === 'fulfilled') current = second.value
  for (const started of [first, second]) if (started.status === 'rejected') throw started.reason
})
after(() => Promise.all([old?.close(), current?.close()]))

// T3, T11, T12
test('logs of the formats 0 and 1 arrive record by record as they are', limit, async t => {
  const client = new RawClient(old.bootstrap)
  t.after(() => client.close())
  const prefix = `old-${randomUUID()}`
  const named = (name: string) => `${prefix}-${name}`
  const inFormat = ['zero', 'one'].map(named)
  const inside = ['inside-zero', 'inside-one'].map(named)
  const [changed, appended, compacted, deleted] = [
    'changed',
    'appended',
    'compacted',
    'deleted'
  ].map(named) as [string, string, string, string]
  for (const [format, topic] of inFormat.entries()) await fillFormat(client, topic, format)
  for (const [format, topic] of inside.entries()) await fillInside(client, topic, format)
  await fillChanged(client, changed)
  await fillAppended(appended)
  await createTopic(old.bootstrap, compacted, 1, { configs: compactedConfigs })
  await makeHoles(client, compacted, 'gzip')
  await endCompaction(client, compacted)
  await createTopic(old.bootstrap, deleted)
  for (const first of [0, 100]) await client.append(deleted, 0, numbered(first, 100, 'lz4'))
  await client.admin.deleteRecords(deleted, 0, 42)
  await commitEachOffset(client, prefix, inside)

  const options = { source: old, target: current, whitelist: `${prefix}.*`, group: prefix }
  const { code, report, mirror } = await mirrorOnce(t, options, exitLimitMs)
  assert.equal(code, 0, mirror.tail())
  const whole = [...inFormat, changed, compacted]
  // A record of format 0 has no time, and has none on the target: -1, and not that of its arrival.
  assert.deepEqual(await compareTopics(old.bootstrap, current.bootstrap, whole), [])
  const times = { times: 'values' } as const
  assert.deepEqual(await compareTopics(old.bootstrap, current.bootstrap, [appended], times), [])
  assert.deepEqual(await keysOf(current, deleted, 0), numbers(42, 200))
  for (const topic of inside) {
    for (let from = 0; from <= insideRecords; from++) {
      const keys = await keysOf(current, topic, from)
      assert.deepEqual(keys, numbers(from, insideRecords), `${topic} from ${from} on`)
    }
  }
  for (const topic of [...whole, appended, deleted]) {
    for (const { delivery, deliveryReason, reasons } of partitionsOf(report, topic)) {
      assert.deepEqual([delivery, deliveryReason], ['exactly-once', ''], topic)
      assert.ok((reasons['old-format'] ?? 0) > 0, topic)
    }
  }
  for (const { delivery, deliveryReason } of partitionsOf(report, inside[0] as string)) {
    assert.deepEqual([delivery, deliveryReason], ['at-least-once', 'foreign-commit'])
  }

  const complete = [...whole, appended, deleted]
  const verified = await verify(t, { ...options, whitelist: complete.join('|') })
  assert.equal(verified.code, 0, verified.err + JSON.stringify(verified.lanes))
  // What lies before a start that somebody set is missing, and nothing else.
  const begun = await verify(t, { ...options, whitelist: inside.join('|') })
  for (const { topic, partition, counts } of begun.lanes) {
    const { missing, ...others } = counts
    assert.equal(missing, partition, topic)
    assert.ok(Object.values(others).every(count => count === 0))
  }
  await assertConsumed([...whole, appended])
})

/** Each codec as the broker writes it, and as clients of that time did. */
async function fillFormat(client: RawClient, topic: string, format: number): Promise<void> {
  const configs = { 'message.format.version': kafkaNames[format] as string }
  await createTopic(old.bootstrap, topic, 2, { configs })
  const shapes = { nullKeys: true, nullValues: true, batchRecords: 100, records: 1_000 }
  for (const codec of oldCodecs) await produceMixed(old.bootstrap, topic, { ...shapes, codec })
  const magic = format as 0 | 1
  const messages = [0, 1, 2, 3, 4].map(offset => {
    const [key, value] = [offset === 1 ? null : `own-${offset}`, offset === 2 ? null : 'own']
    return { magic, offset, key, value, timestamp: 1_600_000_000_000 + offset }
  })
  await appendMessages(client, topic, 0, Buffer.concat(messages.map(encodeMessage)))
  for (const codec of ['gzip', 'snappy'] as const) {
    const wrapped = encodeWrapped(messages, {
      magic,
      codec,
      offset: 4,
      timestamp: 1_600_000_000_004
    })
    await appendMessages(client, topic, 1, wrapped)
  }
  const formats = new Set<number>()
  for await (const batch of readBatches(client, topic, 0)) formats.add(batch.format)
  assert.deepEqual([...formats], [format])
}

/** One log in all three formats, as a cluster has it that was upgraded twice. */
async function fillChanged(client: RawClient, topic: string): Promise<void> {
  const formatIs = 'message.format.version'
  await createTopic(old.bootstrap, topic, 1, { configs: { [formatIs]: kafkaNames[0] } })
  const formats: number[] = []
  for (const [format, version] of [...kafkaNames, '2.8'].entries()) {
    await client.admin.alterConfigs({ type: 'topic', name: topic }, { [formatIs]: version })
    await untilWritten(client, topic, format)
    const shapes = { records: 300, batchRecords: 50, nullKeys: true, nullValues: true }
    for (const codec of oldCodecs) await produceMixed(old.bootstrap, topic, { ...shapes, codec })
  }
  const newest = { records: 300, batchRecords: 50, codec: 'mixed', headers: true } as const
  await produceMixed(old.bootstrap, topic, newest)
  for await (const { format } of readBatches(client, topic, 0)) {
    if (format !== formats.at(-1)) formats.push(format)
  }
  assert.deepEqual(formats, [0, 1, 2])
}

/** A changed config reaches the log a moment after the answer. */
async function untilWritten(client: RawClient, topic: string, wanted: number): Promise<void> {
  await waitFor(`format ${wanted}`, async () => {
    const offset = await client.append(topic, 0, encodeBatch([{ value: 'which format is this' }]))
    const [batch] = (await client.fetch({ topic, partition: 0, offset })).batches
    return batch?.format === wanted
  })
}

/** Append times in format 1, which the target is to have as the records' own. */
async function fillAppended(topic: string): Promise<void> {
  const type = 'message.timestamp.type'
  await createTopic(old.bootstrap, topic, 1, { configs: { [type]: 'LogAppendTime' } })
  await createTopic(current.bootstrap, topic, 1, { configs: { [type]: 'CreateTime' } })
  for (const codec of oldCodecs) {
    await produceMixed(old.bootstrap, topic, { records: 200, batchRecords: 50, codec })
  }
}

const insideBatches = [
  ['gzip', 4],
  ['none', 3],
  ['lz4', 4]
] as const
const insideRecords = insideBatches.reduce((sum, [, records]) => sum + records, 0)

/** The same log in each partition, one for each offset to begin at. */
async function fillInside(client: RawClient, topic: string, format: number): Promise<void> {
  const configs = { 'message.format.version': kafkaNames[format] as string }
  await createTopic(old.bootstrap, topic, insideRecords + 1, { configs })
  for (const partition of numbers(0, insideRecords + 1).map(Number)) {
    let first = 0
    for (const [codec, records] of insideBatches) {
      await client.append(topic, partition, numbered(first, records, codec))
      first += records
    }
  }
}

/** In the group of a program that knows nothing of batches. */
async function commitEachOffset(
  client: RawClient,
  group: string,
  topics: readonly string[]
): Promise<void> {
  const rows = topics.flatMap(topic =>
    numbers(0, insideRecords + 1).map(from => {
      return { topic, partition: Number(from), offset: Number(from) }
    })
  )
  await client.groups.offsetCommit(group, rows)
}

function numbered(first: number, records: number, codec: Codec): Buffer {
  const inputs = numbers(first, first + records).map(key => ({ key, value: `value of ${key}` }))
  return encodeBatch(inputs, { codec })
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, place) => `${from + place}`)
}

async function keysOf(cluster: KafkaCluster, topic: string, partition: number): Promise<string[]> {
  const client = new RawClient(cluster.bootstrap)
  const keys: string[] = []
  try {
    for await (const { bytes } of readBatches(client, topic, partition)) {
      for (const { key } of decodeBatch(bytes).records) keys.push(`${key}`)
    }
    return keys
  } finally {
    client.close()
  }
}

/** Kafka's own consumer sees the same on both sides. */
async function assertConsumed(topics: readonly string[]): Promise<void> {
  let count = 0
  for (const topic of topics) {
    for (const { records } of (await digestTopic(old.bootstrap, topic)).values()) count += records
  }
  const [ours, theirs] = await Promise.all([
    consumedRecords(old, topics, count),
    consumedRecords(current, topics, count)
  ])
  assert.equal(ours.length, count)
  assert.deepEqual(theirs, ours)
}

// P10. Both at a time, for each waits for its mirror most of the time.
type Sides = { source: KafkaCluster; target: KafkaCluster }
const ways: [what: string, sides: () => Sides][] = [
  ['from formats 0 and 1', () => ({ source: old, target: current })],
  ['into Kafka 2.8', () => ({ source: current, target: old })]
]

test('every record once, in order, whatever is killed: old source, old target', limit, async t => {
  const results = ways.map(([what, sides]) => killAndCompare(t, what, sides()))
  for (const result of await Promise.allSettled(results)) {
    if (result.status === 'rejected') throw result.reason
  }
})

async function killAndCompare(
  t: TestContext,
  what: string,
  { source, target }: Sides
): Promise<void> {
  const topic = `killed-${randomUUID()}`
  const formatOf = (version: string) => ({ configs: { 'message.format.version': version } })
  await createTopic(source.bootstrap, topic, 2, source === old ? formatOf('0.10.2') : {})
  await createTopic(target.bootstrap, topic, 2, target === old ? formatOf('2.8') : {})
  const load = await startLoad(source.bootstrap, topic, { everyMs: 15 })
  t.after(() => load.stop().catch(() => undefined))
  const consumer = { 'group.instance.id': 'one' }
  const options = { source, target, whitelist: topic, group: topic, consumer }
  await killAfterRecords(t, options, lives, () => countRecords(target.bootstrap, topic))
  await load.stop()
  const { code, mirror, report } = await mirrorOnce(t, options, exitLimitMs)
  assert.equal(code, 0, mirror.tail())
  for (const { delivery, deliveryReason } of partitionsOf(report, topic)) {
    assert.deepEqual([delivery, deliveryReason], ['exactly-once', ''], what)
  }
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [], what)
  const { code: verdict, lanes } = await verify(t, options)
  assert.equal(verdict, 0, JSON.stringify(lanes))
}

// Such a topic takes no sequence numbers, and no headers.
test(
  'a target topic of a format before 0.11 is at-least-once, or says what to do',
  limit,
  async t => {
    const topic = `old-target-${randomUUID()}`
    const configs = { 'message.format.version': '0.10.2' }
    await createTopic(current.bootstrap, topic)
    await createTopic(old.bootstrap, topic, 1, { configs })
    const shapes = { nullKeys: true, nullValues: true, batchRecords: 50, records: 400 }
    for (const codec of oldCodecs)
      await produceMixed(current.bootstrap, topic, { ...shapes, codec })
    const options = { source: current, target: old, whitelist: topic, group: topic }
    const refused = await mirrorOnce(t, options, exitLimitMs)
    assert.equal(refused.code, 1)
    const [stopped] = refused.mirror.linesLike({ msg: 'lane stopped', topic, code: 43 })
    assert.match(`${stopped?.fix}`, /message\.format\.version.*enable\.idempotence=false/)

    const producer = { 'enable.idempotence': 'false' }
    const { code, mirror, report } = await mirrorOnce(t, { ...options, producer }, exitLimitMs)
    assert.equal(code, 0, mirror.tail())
    const [partition] = partitionsOf(report, topic)
    assert.deepEqual(
      [partition?.delivery, partition?.deliveryReason],
      ['at-least-once', 'not-idempotent']
    )
    assert.deepEqual(await compareTopics(current.bootstrap, old.bootstrap, [topic]), [])
    const verified = await verify(t, options)
    assert.equal(verified.code, 0, JSON.stringify(verified.lanes))
  }
)

// A run up to the end between real brokers: everything arrives, unchanged, and the report says how.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { produceMixed } from '../support/corpus.ts'
import { compareBatchBytes, compareTopics, digestTopic } from '../support/digest.ts'
import { type KafkaCluster, startPair } from '../support/kafka-broker.ts'
import { consoleConsumer, createTopic } from '../support/kafka-tools.ts'
import { mirrorOnce, partitionsOf } from '../support/mirror-process.ts'
import { RawClient, withClient } from '../support/raw-client.ts'
import { readBatches } from '../support/topic-reader.ts'
import { produceTransactions } from '../support/transactions.ts'

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

const isFull = process.env.HELIOSTAT_FULL === '1'
const limitMs = isFull ? 1_200_000 : 60_000
const mixedRecords = isFull ? 2_000_000 : 200_000

const directions = [
  { name: 'an older source and a newer target', isReversed: false },
  { name: 'a newer source and an older target', isReversed: true }
]

for (const { name, isReversed } of directions) {
  test(`${name}: three topics of mixed codecs arrive whole`, { timeout: limitMs }, async t => {
    const [source, target] = inDirection(isReversed)
    const prefix = `mixed-${randomUUID()}`
    const shares = [
      { topic: `${prefix}-orders`, partitions: 4, records: mixedRecords * 0.5, recordBytes: 100 },
      { topic: `${prefix}-log`, partitions: 3, records: mixedRecords * 0.4, recordBytes: 200 },
      { topic: `${prefix}-state`, partitions: 1, records: mixedRecords * 0.1, recordBytes: 30 }
    ]
    const topics = shares.map(({ topic }) => topic)
    for (const { topic, partitions, ...load } of shares) {
      await createTopic(source.bootstrap, topic, partitions)
      const mixed = { codec: 'mixed', headers: true, nullKeys: true, nullValues: true } as const
      await produceMixed(source.bootstrap, topic, { ...mixed, ...load })
    }

    const whitelist = `${prefix}.*`
    const run = await mirrorOnce(t, { source, target, whitelist, group: prefix }, limitMs)
    assert.equal(run.code, 0, run.mirror.tail())
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, topics), [])
    for (const topic of topics) {
      assert.deepEqual(await compareBatchBytes(source.bootstrap, target.bootstrap, topic), [])
    }
    assert.equal(run.report.records, mixedRecords)
    for (const { topic, partitions, records } of shares) {
      const rows = partitionsOf(run.report, topic)
      assert.equal(rows.length, partitions)
      assert.equal(sum(rows.map(row => row.records)), records)
      for (const { batches, reasons, state, maybeDoubled, lag } of rows) {
        assert.deepEqual(Object.keys(reasons), ['shallow'])
        assert.ok(batches.shallow > 0)
        assert.equal(batches.shallow, reasons.shallow)
        const { reseal, merge, transform, skipped } = batches
        assert.deepEqual([reseal, merge, transform, skipped, maybeDoubled, lag], [0, 0, 0, 0, 0, 0])
        assert.notEqual(state, 'stopped')
      }
    }
    if (isReversed) return
    // Kafka's own consumer finds as many on both sides; that there are no more is known from the digests.
    await Promise.all(
      [source, target].flatMap(side =>
        shares.map(async ({ topic, records }) => {
          const lines = await consoleConsumer(side, topic, { ...quiet, maxMessages: records })
          assert.equal(lines.length, records, topic)
        })
      )
    )
  })

  test(`${name}: target topics are made like the source's`, { timeout: limitMs }, async t => {
    const [source, target] = inDirection(isReversed)
    const prefix = `made-${randomUUID()}`
    const made: Record<string, Record<string, string>> = {
      [`${prefix}-plain`]: {},
      [`${prefix}-kept`]: { 'retention.ms': '1234567890', 'retention.bytes': '987654321' },
      [`${prefix}-large`]: { 'max.message.bytes': '3000000', 'compression.type': 'lz4' },
      [`${prefix}-compacted`]: { 'cleanup.policy': 'compact' },
      [`${prefix}-both`]: { 'cleanup.policy': 'compact,delete' }
    }
    for (const [index, [topic, configs]] of Object.entries(made).entries()) {
      await createTopic(source.bootstrap, topic, index + 1, { configs })
      await produceMixed(source.bootstrap, topic, { records: 1_000, codec: 'lz4' })
    }
    const whitelist = `${prefix}.*`
    const { code, mirror } = await mirrorOnce(t, { source, target, whitelist, group: prefix })
    assert.equal(code, 0, mirror.tail())
    const topics = Object.keys(made)
    for (const topic of topics) {
      assert.deepEqual(await describe(target, topic), await describe(source, topic), topic)
    }
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, topics), [])
  })

  test(`${name}: of transactions, only what was committed`, { timeout: limitMs }, async t => {
    const [source, target] = inDirection(isReversed)
    const topic = `transactions-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 3)
    await produceMixed(source.bootstrap, topic, { records: 3_000, batchRecords: 50 })
    const wanted = { transactions: 12, interleaved: 4, abortEvery: 3, batchesPerPartition: 3 }
    const done = await produceTransactions(source.bootstrap, topic, wanted)
    await produceMixed(source.bootstrap, topic, { records: 3_000, batchRecords: 50 })
    const open = await produceTransactions(source.bootstrap, topic, {
      transactions: 1,
      leaveOpen: true
    })
    await produceMixed(source.bootstrap, topic, { records: 300, batchRecords: 50 })
    const options = { source, target, whitelist: topic, group: topic }

    const first = await mirrorOnce(t, options)
    assert.equal(first.code, 0, first.mirror.tail())
    const counted = await digestTopic(target.bootstrap, topic)
    const visible = sum([...counted.values()].map(({ records }) => records))
    assert.equal(visible, 6_000 + done.committedRecords, 'nothing of the open transaction')
    const rows = partitionsOf(first.report, topic)
    assert.ok(rows.every(({ reasons }) => (reasons.control ?? 0) > 0))
    assert.ok(rows.every(({ reasons }) => (reasons.aborted ?? 0) > 0))
    assert.equal(sum(rows.map(row => row.records)), visible)

    const client = new RawClient(source.bootstrap)
    t.after(() => client.close())
    assert.ok(open.open !== undefined)
    await client.transactions.end(open.open, 'commit')
    const second = await mirrorOnce(t, options)
    assert.equal(second.code, 0, second.mirror.tail())
    const committed = { isolation: 'read_committed' } as const
    assert.deepEqual(
      await compareTopics(source.bootstrap, target.bootstrap, [topic], committed),
      []
    )
    assert.deepEqual(
      await compareBatchBytes(source.bootstrap, target.bootstrap, topic, committed),
      []
    )
  })
}

test('a topic stamped on arrival is stamped on arrival again', { timeout: limitMs }, async t => {
  const { source, target } = pair
  const topic = `appended-${randomUUID()}`
  const configs = { 'message.timestamp.type': 'LogAppendTime' }
  await createTopic(source.bootstrap, topic, 2, { configs })
  await produceMixed(source.bootstrap, topic, { records: 2_000, batchRecords: 100 })
  const { code, mirror } = await mirrorOnce(t, { source, target, whitelist: topic, group: topic })
  assert.equal(code, 0, mirror.tail())
  const client = new RawClient(target.bootstrap)
  t.after(() => client.close())
  let records = 0
  for (const partition of await client.partitions(topic)) {
    for await (const { header } of readBatches(client, topic, partition)) {
      assert.equal(header.timestampType, 'append')
      records += header.recordCount
    }
  }
  assert.equal(records, 2_000)
})

// A line for each record, whatever is in it.
const quiet = {
  properties: {
    'print.timestamp': 'false',
    'print.headers': 'false',
    'print.key': 'false',
    'print.value': 'false'
  }
}

function inDirection(isReversed: boolean): [KafkaCluster, KafkaCluster] {
  return isReversed ? [pair.target, pair.source] : [pair.source, pair.target]
}

const decisive = [
  'compression.type',
  'cleanup.policy',
  'max.message.bytes',
  'message.timestamp.type',
  'retention.ms',
  'retention.bytes'
]

async function describe(
  { bootstrap }: KafkaCluster,
  topic: string
): Promise<{ partitions: number[]; configs: Record<string, string | null | undefined> }> {
  return withClient(bootstrap, async client => {
    const configs = await client.admin.describeConfigs({ type: 'topic', name: topic })
    const partitions = await client.partitions(topic)
    return { partitions, configs: Object.fromEntries(decisive.map(key => [key, configs[key]])) }
  })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

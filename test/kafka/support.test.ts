// Proves the test support itself against real brokers and Kafka's own tools: the codecs, the digest, the loads.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Codec, codecs, isIntact } from '../support/batch-header.ts'
import { produceMixed, produceNumbered, recordNumber } from '../support/corpus.ts'
import { compareBatchBytes, compareTopics, digestTopic } from '../support/digest.ts'
import { type KafkaCluster, startBroker, startPair } from '../support/kafka-broker.ts'
import {
  consoleConsumer,
  createTopic,
  describeGroup,
  getOffsets,
  perfTest,
  setOffsets
} from '../support/kafka-tools.ts'
import { RawClient, withClient } from '../support/raw-client.ts'
import { decodeBatch, encodeBatch, type RecordInput } from '../support/records.ts'
import { readBatches } from '../support/topic-reader.ts'
import { produceTransactions } from '../support/transactions.ts'

let pair: Awaited<ReturnType<typeof startPair>>
let source: KafkaCluster
let target: KafkaCluster

before(async () => {
  pair = await startPair()
  source = pair.source
  target = pair.target
})
after(() => pair?.close())

const time = 1_700_000_000_000

test('Java reads every codec as it was encoded here', async () => {
  for (const cluster of [source, target]) {
    const topic = randomUUID()
    await createTopic(cluster.bootstrap, topic)
    const variants = codecs.map(codec => ({ codec, snappy: 'xerial' as const }))
    const expected: string[] = []
    for (const variant of [...variants, { codec: 'snappy' as const, snappy: 'raw' as const }]) {
      const name = `${variant.codec}-${variant.snappy}`
      const base = expected.length
      const long = 'ab'.repeat(50_000)
      const records: RecordInput[] = [
        { key: name, value: long, timestamp: time },
        { key: null, value: 'no key', timestamp: time + 1 },
        { key: '', value: null, timestamp: time - 5 },
        {
          key: 'k',
          value: '',
          timestamp: time + 2,
          headers: [
            ['h', 'v'],
            ['null', null],
            ['empty', '']
          ]
        }
      ]
      const heads = ['NO_HEADERS', 'NO_HEADERS', 'NO_HEADERS', 'h:v,null:NULL,empty:']
      const bodies = [`${name}\t${long}`, 'NULL\tno key', '\tNULL', 'k\t']
      const times = [time, time + 1, time - 5, time + 2]
      for (const [index, body] of bodies.entries()) {
        expected.push(
          `CreateTime:${times[index]}\tPartition:0\tOffset:${base + index}\t${heads[index]}\t${body}`
        )
      }
      await produceOne(cluster.bootstrap, topic, encodeBatch(records, variant))
    }
    const lines = await consoleConsumer(cluster, topic, { maxMessages: expected.length })
    assert.deepEqual(lines, expected)
  }
})

test("batches of Kafka's own producer are decoded, each codec", async () => {
  const payloads = Array.from({ length: 50 }, (_, index) => `payload ${index} `.repeat(20 + index))
  for (const cluster of [source, target]) {
    const topic = randomUUID()
    await createTopic(cluster.bootstrap, topic)
    for (const codec of codecs) {
      await perfTest(cluster, topic, { records: 500, payloads, codec, batchBytes: 65_536 })
    }
    const batches = await decodeTopic(cluster.bootstrap, topic)
    const seen = batches.map(({ header }) => header.codec)
    assert.deepEqual([...new Set(seen)], [...codecs])
    const records = batches.flatMap(batch => batch.records)
    assert.deepEqual(
      records.map(({ offset }) => offset),
      Array.from({ length: 500 * codecs.length }, (_, offset) => offset)
    )
    assert.ok(records.every(({ value }) => payloads.includes(value?.toString() ?? '')))
    const lines = await consoleConsumer(cluster, topic, { maxMessages: records.length })
    assert.deepEqual(
      lines,
      records.map(({ offset, timestamp, value }) => {
        return `CreateTime:${timestamp}\tPartition:0\tOffset:${offset}\tNO_HEADERS\tNULL\t${value}`
      })
    )
  }
})

test('what was encoded is decoded the same, each codec', () => {
  for (const codec of codecs) {
    const records = Array.from({ length: 300 }, (_, index) => ({
      key: index % 3 === 0 ? null : Buffer.from(`key ${index}`),
      value: index % 4 === 0 ? null : Buffer.alloc(index * 3, index),
      headers: [['name', index % 2 === 0 ? null : Buffer.from([index & 255])]] as [
        string,
        Buffer | null
      ][],
      timestamp: time + ((index * 7_919) % 1_000_000_007) - 500_000
    }))
    const identity = {
      producerId: 2 ** 40,
      producerEpoch: 3,
      baseSequence: 77,
      isTransactional: true
    }
    const batch = encodeBatch(records, { codec, baseOffset: 5_000_000_000, ...identity })
    assert.ok(isIntact(batch))
    const decoded = decodeBatch(batch)
    const { header } = decoded
    assert.equal(header.codec, codec)
    assert.deepEqual({ ...identity }, pick(header, Object.keys(identity)))
    assert.equal(header.maxTimestamp, Math.max(...records.map(({ timestamp }) => timestamp)))
    const expected = records.map((record, index) => ({ offset: 5_000_000_000 + index, ...record }))
    assert.deepEqual(decoded.records, expected)
    batch[70] = (batch[70] as number) ^ 1
    assert.throws(() => decodeBatch(batch), /wrong CRC/)
  }
})

test('the same records have the same digest, whatever their batches and codecs', async () => {
  const topic = randomUUID()
  await Promise.all([source, target].map(({ bootstrap }) => createTopic(bootstrap, topic)))
  const records = sampleRecords(100)
  await produceOne(source.bootstrap, topic, encodeBatch(records, { codec: 'zstd' }))
  for (const [from, codec] of [
    [0, 'gzip'],
    [10, 'none'],
    [60, 'lz4']
  ] as [number, Codec][]) {
    const to = from === 0 ? 10 : from === 10 ? 60 : 100
    await produceOne(target.bootstrap, topic, encodeBatch(records.slice(from, to), { codec }))
  }
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  const [ours, theirs] = await Promise.all(
    [source, target].map(c => digestTopic(c.bootstrap, topic))
  )
  assert.deepEqual(ours, theirs)
  assert.equal(ours?.get(0)?.records, 100)
  assert.deepEqual([ours?.get(0)?.firstOffset, ours?.get(0)?.lastOffset], [0, 99])
  const [difference] = await compareBatchBytes(source.bootstrap, target.bootstrap, topic)
  assert.match(difference?.what ?? '', /codec is zstd on the source, gzip on the target/)
})

const spoilt: [string, (records: RecordInput[]) => RecordInput[], RegExp, number][] = [
  ['changed value', change(40, { value: 'other' }), /^value changed;/, 40],
  ['changed key', change(40, { key: 'other' }), /^key changed;/, 40],
  ['null for an empty value', change(41, { value: null }), /^value changed;/, 41],
  ['null for an empty key', change(42, { key: null }), /^key changed;/, 42],
  ['changed header', change(40, { headers: [['a', 'c']] }), /^headers changed;/, 40],
  ['changed timestamp', change(40, { timestamp: time }), /^timestamp changed;/, 40],
  ['dropped', records => records.toSpliced(40, 1), /^missing on the target \(one record\);/, 40],
  [
    'three dropped',
    records => records.toSpliced(40, 3),
    /^missing on the target \(3 records\);/,
    40
  ],
  ['dropped at the end', records => records.slice(0, -1), /^missing on the target, which ends/, 99],
  [
    'doubled',
    records => records.toSpliced(41, 0, records[40] as RecordInput),
    /record before twice;/,
    41
  ],
  ['swapped', swap(40), /^swapped with the next record;/, 40]
]

for (const [name, spoil, message, offset] of spoilt) {
  test(`a difference is found and named: ${name}`, async () => {
    const topic = randomUUID()
    await Promise.all([source, target].map(({ bootstrap }) => createTopic(bootstrap, topic, 2)))
    const records = sampleRecords(100)
    await produceOne(source.bootstrap, topic, encodeBatch(records, { codec: 'lz4' }), 1)
    await produceOne(target.bootstrap, topic, encodeBatch(spoil(records), { codec: 'lz4' }), 1)
    const differences = await compareTopics(source.bootstrap, target.bootstrap, [topic])
    assert.equal(differences.length, 1)
    const [difference] = differences
    assert.deepEqual([difference?.partition, difference?.sourceOffset], [1, offset])
    assert.match(difference?.what ?? '', message)
  })
}

test('identical batches are identical by bytes, and one flipped byte is not', async () => {
  const topic = randomUUID()
  await Promise.all([source, target].map(({ bootstrap }) => createTopic(bootstrap, topic, 3)))
  const load = { records: 3_000, batchRecords: 100, baseTimestamp: time, headers: true }
  await Promise.all([source, target].map(({ bootstrap }) => produceMixed(bootstrap, topic, load)))
  assert.deepEqual(await compareBatchBytes(source.bootstrap, target.bootstrap, topic), [])
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  await produceOne(source.bootstrap, topic, encodeBatch([{ value: 'a', timestamp: time }]))
  await produceOne(target.bootstrap, topic, encodeBatch([{ value: 'b', timestamp: time }]))
  const [difference] = await compareBatchBytes(source.bootstrap, target.bootstrap, topic)
  assert.deepEqual(difference, {
    topic,
    partition: 0,
    what: 'bytes after the header differ',
    sourceOffset: 1_000,
    targetOffset: 1_000
  })
})

test('a mixed load has every codec, shape and record it promises', async () => {
  const topic = randomUUID()
  await createTopic(source.bootstrap, topic, 4)
  const shapes = { headers: true, nullKeys: true, nullValues: true }
  const ranges = await produceMixed(source.bootstrap, topic, {
    records: 20_050,
    batchRecords: 100,
    ...shapes
  })
  const total = [...ranges.values()].reduce((sum, { first, next }) => sum + next - first, 0)
  assert.equal(total, 20_050)
  const ends = (await getOffsets(source, topic)).get(topic)
  assert.deepEqual(ends, new Map([...ranges].map(([partition, { next }]) => [partition, next])))
  const batches = await decodeTopic(source.bootstrap, topic)
  assert.deepEqual(new Set(batches.map(({ header }) => header.codec)), new Set(codecs))
  const records = batches.flatMap(batch => batch.records)
  for (const part of ['key', 'value'] as const) {
    assert.ok(records.some(record => record[part] === null))
    assert.ok(records.some(record => record[part]?.length === 0))
  }
  assert.ok(records.some(({ headers }) => headers.some(([, value]) => value === null)))
})

test('a numbered load is in order, with nothing missing and nothing twice', async () => {
  const topic = randomUUID()
  await createTopic(target.bootstrap, topic, 3)
  await produceNumbered(target.bootstrap, topic, { records: 2_345, batchRecords: 10 })
  await produceNumbered(target.bootstrap, topic, { records: 100, from: 2_345 })
  for (const partition of [0, 1, 2]) {
    const batches = await decodeTopic(target.bootstrap, topic, partition)
    const numbers = batches.flatMap(({ records }) =>
      records.map(({ value }) => recordNumber(value))
    )
    assert.deepEqual(
      numbers,
      Array.from({ length: 2_445 }, (_, number) => number)
    )
  }
})

test('transactions are read as the isolation level says, here and by Java', async () => {
  for (const cluster of [source, target]) {
    const topic = randomUUID()
    await createTopic(cluster.bootstrap, topic, 2)
    const load = { transactions: 7, abortEvery: 3, interleaved: 3, leaveOpen: true }
    const done = await produceTransactions(cluster.bootstrap, topic, load)
    assert.deepEqual(
      [done.committedRecords, done.abortedRecords, done.openRecords],
      [4 * 40, 2 * 40, 40]
    )
    const count = async (isolation: 'read_committed' | 'read_uncommitted') => {
      const digests = await digestTopic(cluster.bootstrap, topic, { isolation })
      return [...digests.values()].reduce((sum, { records }) => sum + records, 0)
    }
    assert.equal(await count('read_uncommitted'), 7 * 40)
    assert.equal(await count('read_committed'), 4 * 40)
    const lines = await consoleConsumer(cluster, topic, { isolation: 'read_committed' })
    assert.equal(lines.length, 4 * 40)
  }
})

test('committed offsets are the same for the raw client and for Kafka', async () => {
  for (const cluster of [source, target]) {
    const [topic, group] = [randomUUID(), randomUUID()]
    await createTopic(cluster.bootstrap, topic, 2)
    await produceNumbered(cluster.bootstrap, topic, { records: 100 })
    const client = new RawClient(cluster.bootstrap)
    try {
      const offsets = [0, 1].map(partition => ({
        topic,
        partition,
        offset: 30,
        metadata: `m${partition}`
      }))
      await client.groups.offsetCommit(group, offsets)
      const rows = await describeGroup(cluster, group)
      assert.deepEqual(
        rows.map(({ current, end, lag }) => [current, end, lag]),
        [
          [30, 100, 70],
          [30, 100, 70]
        ]
      )
      const fetched = await client.groups.offsetFetch(group, [{ topic, partition: 1 }])
      assert.deepEqual(fetched, [
        { topic, partition: 1, offset: 30, leaderEpoch: -1, metadata: 'm1' }
      ])
      await setOffsets(cluster, group, topic, 'earliest')
      const reset = await client.groups.offsetFetch(group)
      assert.deepEqual(
        reset.map(({ offset }) => offset),
        [0, 0]
      )
    } finally {
      client.close()
    }
  }
})

test('topics grow, lose their beginning, change their configs and go', async () => {
  const topic = randomUUID()
  await createTopic(target.bootstrap, topic, 1, { configs: { 'max.message.bytes': 50_000 } })
  const client = new RawClient(target.bootstrap)
  try {
    await produceNumbered(target.bootstrap, topic, { records: 100, batchRecords: 10 })
    assert.equal(await client.admin.deleteRecords(topic, 0, 25), 25)
    assert.deepEqual(await client.offsets(topic), new Map([[0, { earliest: 25, latest: 100 }]]))
    await client.admin.createPartitions(topic, 3)
    assert.deepEqual(await client.partitions(topic), [0, 1, 2])
    const resource = { type: 'topic', name: topic } as const
    assert.equal((await client.admin.describeConfigs(resource))['max.message.bytes'], '50000')
    await client.admin.alterConfigs(resource, {
      'max.message.bytes': null,
      'retention.ms': 1_000_000
    })
    const configs = await client.admin.describeConfigs(resource)
    assert.deepEqual(
      [configs['max.message.bytes'], configs['retention.ms']],
      ['1048588', '1000000']
    )
    await client.admin.deleteTopics(topic)
    await assert.rejects(client.routes.leader(randomUUID(), 0), /UNKNOWN_TOPIC_OR_PARTITION/)
  } finally {
    client.close()
  }
})

test('a cluster of three survives the loss of a broker, which comes back with its data', async t => {
  const cluster = await startBroker({
    version: target.version,
    nodes: 3,
    config: { 'broker.session.timeout.ms': 3_000, 'broker.heartbeat.interval.ms': 500 }
  })
  t.after(() => cluster.close())
  const topic = randomUUID()
  await createTopic(cluster.bootstrap, topic, 3, { replicationFactor: 3 })
  await produceNumbered(cluster.bootstrap, topic, { records: 100 })
  const whole = await digestTopic(cluster.bootstrap, topic)
  const [first] = cluster.nodes
  await first?.kill('SIGKILL')
  assert.equal(first?.pid, undefined)
  assert.deepEqual(await digestTopic(cluster.bootstrap, topic), whole)
  await first?.start()
  assert.ok(first?.pid)
  await cluster.nodes[1]?.stop()
  assert.deepEqual(await digestTopic(cluster.bootstrap, topic), whole)
})

test('a secured listener takes the users it knows, and ACLs bind them', async t => {
  const password = 'a secret'
  const cluster = await startBroker({
    version: target.version,
    security: {
      protocol: 'SASL_SSL',
      mechanism: 'SCRAM-SHA-512',
      users: { alice: password },
      acls: true
    }
  })
  t.after(() => cluster.close())
  const client = new RawClient(cluster.bootstrap)
  t.after(() => client.close())
  const [open, closed] = [randomUUID(), randomUUID()]
  await client.admin.createTopics({ name: open }, { name: closed })
  await client.admin.createAcls(
    { topic: open, principal: 'User:alice', operation: 'all' },
    { group: '*', principal: 'User:alice', operation: 'all' },
    { cluster: true, principal: 'User:alice', operation: 'idempotentWrite' }
  )
  const secured = { version: target.version, bootstrap: cluster.secured?.bootstrap ?? '' }
  const props = {
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'SCRAM-SHA-512',
    'sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required username="alice" password="${password}";`,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': cluster.secured?.caPath ?? ''
  }
  await perfTest(secured, open, { records: 10, props })
  assert.equal((await consoleConsumer(secured, open, { maxMessages: 10, props })).length, 10)
  const refused = await perfTest(secured, closed, { records: 10, props }).catch(error => error)
  assert.match(String(refused.stderr ?? refused), /TopicAuthorizationException/)
})

test('a listener with TLS asks its clients for their certificate', async t => {
  const security = { protocol: 'SSL', clientCertificate: true } as const
  const cluster = await startBroker({ version: source.version, security })
  t.after(() => cluster.close())
  const topic = randomUUID()
  await createTopic(cluster.bootstrap, topic)
  const secured = { version: source.version, bootstrap: cluster.secured?.bootstrap ?? '' }
  const trust = {
    'security.protocol': 'SSL',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': cluster.secured?.caPath ?? ''
  }
  const own = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': cluster.secured?.clientKeystorePath ?? ''
  }
  await perfTest(secured, topic, { records: 10, props: { ...trust, ...own } })
  const refused = await perfTest(secured, topic, {
    records: 1,
    props: { ...trust, 'max.block.ms': 3_000 }
  }).catch(error => error)
  assert.match(String(refused.stderr ?? refused), /Ssl|SSL|certificate/)
})

async function produceOne(
  bootstrap: string,
  topic: string,
  batch: Buffer,
  partition = 0
): Promise<void> {
  return withClient(bootstrap, async client => {
    await client.append(topic, partition, batch)
  })
}

async function decodeTopic(bootstrap: string, topic: string, only?: number) {
  return withClient(bootstrap, async client => {
    const partitions = only === undefined ? await client.partitions(topic) : [only]
    const decoded = []
    for (const partition of partitions) {
      for await (const { bytes } of readBatches(client, topic, partition))
        decoded.push(decodeBatch(bytes))
    }
    return decoded
  })
}

function sampleRecords(count: number): RecordInput[] {
  return Array.from({ length: count }, (_, index) => ({
    key: index === 42 ? '' : `key ${index}`,
    value: index === 41 ? '' : `value ${index}`,
    headers: index % 2 === 0 ? ([['a', 'b']] as [string, string][]) : [],
    timestamp: time + index
  }))
}

function change(at: number, to: RecordInput): (records: RecordInput[]) => RecordInput[] {
  return records => records.with(at, { ...records[at], ...to })
}

function swap(at: number): (records: RecordInput[]) => RecordInput[] {
  return records => {
    const [first, second] = records.slice(at, at + 2) as [RecordInput, RecordInput]
    return records.with(at, second).with(at + 1, first)
  }
}

function pick(from: object, keys: string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)))
}

// How target topics come to be and grow between real brokers, and what that means for lanes.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { decodeCheckpoint } from '../../src/mirror/checkpoint.ts'
import { type KafkaCluster, startPair } from '../support/kafka-broker.ts'
import { createTopic, describeGroup } from '../support/kafka-tools.ts'
import {
  type Ends,
  laneOf,
  produce,
  readValues,
  recordTexts,
  startMirror as startAnyMirror,
  waitFor
} from '../support/mock-mirror.ts'
import { RawClient, withClient } from '../support/raw-client.ts'

let pair: Awaited<ReturnType<typeof startPair>>
let ends: Ends

before(async () => {
  pair = await startPair()
  ends = {
    source: { bootstrapServers: pair.source.bootstrap },
    target: { bootstrapServers: pair.target.bootstrap }
  }
})
after(() => pair?.close())

function startMirror(t: TestContext, options: Parameters<typeof startAnyMirror>[2]) {
  return startAnyMirror(t, ends, { ...options, sessionMs: 6_000 })
}

async function grow({ bootstrap }: KafkaCluster, topic: string, partitions: number): Promise<void> {
  return withClient(bootstrap, async client => {
    await client.admin.createPartitions(topic, partitions)
  })
}

async function waitForRecords(topic: string, partition: number, count: number): Promise<void> {
  await waitFor(
    async () => {
      try {
        return (await readValues(ends.target, topic, partition)).length >= count
      } catch {
        return false
      }
    },
    `${count} records in ${topic}-${partition} of the target`,
    15_000
  )
}

test('T16: new topics and new partitions arrive from their first record within ten seconds', async t => {
  const prefix = randomUUID()
  const [first, later] = [`${prefix}-first`, `${prefix}-later`]
  await createTopic(pair.source.bootstrap, first, 1)
  const { stop } = startMirror(t, {
    include: `${prefix}.*`,
    group: prefix,
    autoOffsetReset: 'latest',
    discoveryIntervalMs: 3_000
  })
  await waitFor(
    async () => (await partitionsOf(pair.target, first)).length === 1,
    'the first topic'
  )

  await createTopic(pair.source.bootstrap, later, 2)
  await produce(ends.source, later, 1, 100)
  const createdAt = performance.now()
  await waitForRecords(later, 1, 100)
  assert.ok(performance.now() - createdAt < 10_000)

  await grow(pair.source, first, 3)
  await produce(ends.source, first, 2, 100)
  const grownAt = performance.now()
  await waitForRecords(first, 2, 100)
  assert.ok(performance.now() - grownAt < 10_000)
  assert.deepEqual(await readValues(ends.target, first, 2), recordTexts(first, 2, 100))
  assert.deepEqual(await partitionsOf(pair.target, first), [0, 1, 2])
  const { exitCode, reason } = await stop()
  assert.equal(exitCode, 0, reason)
})

test('partitions added while the mirror was down are added on the target too', async t => {
  const topic = randomUUID()
  await createTopic(pair.source.bootstrap, topic, 2)
  await produce(ends.source, topic, 0, 50)
  const options = { include: topic, group: topic, untilCaughtUp: true }
  const first = await startMirror(t, options).result
  assert.equal(first.exitCode, 0, first.reason)
  await grow(pair.source, topic, 4)
  await produce(ends.source, topic, 3, 50)
  const second = await startMirror(t, { ...options, autoOffsetReset: 'latest' }).result
  assert.equal(second.exitCode, 0, second.reason)
  assert.deepEqual(await readValues(ends.target, topic, 0), recordTexts(topic, 0, 50))
  assert.deepEqual(await readValues(ends.target, topic, 3), recordTexts(topic, 3, 50))
})

test('a target topic that had fewer partitions from the start is left as it is', async t => {
  const topic = randomUUID()
  await createTopic(pair.source.bootstrap, topic, 3)
  await createTopic(pair.target.bootstrap, topic, 1)
  for (const partition of [0, 1, 2]) await produce(ends.source, topic, partition, 20)
  for (const run of [1, 2]) {
    const options = { include: topic, group: topic, untilCaughtUp: true }
    const { exitCode, reason } = await startMirror(t, options).result
    assert.equal(exitCode, 1, `run ${run}`)
    assert.match(reason, /too-few-partitions, and 1 more/)
    assert.deepEqual(await partitionsOf(pair.target, topic), [0])
  }
  assert.deepEqual(await readValues(ends.target, topic, 0), recordTexts(topic, 0, 20))
})

test('a target topic that recompresses is named at the start', async t => {
  const topic = randomUUID()
  await createTopic(pair.source.bootstrap, topic, 1)
  await createTopic(pair.target.bootstrap, topic, 1, { configs: { 'compression.type': 'gzip' } })
  const options = { include: topic, group: topic, untilCaughtUp: true }
  const { result, log } = startMirror(t, options)
  assert.equal((await result).exitCode, 0)
  const lines = log.filter(({ msg }) => /recompresses/.test(msg))
  assert.deepEqual(
    lines.map(({ topic, compressionType }) => [topic, compressionType]),
    [[topic, 'gzip']]
  )
})

test("commits carry the lane's checkpoint, and Kafka's own tool reads lag 0", async t => {
  const topic = randomUUID()
  await createTopic(pair.source.bootstrap, topic, 2)
  await produce(ends.source, topic, 0, 70)
  const { mirror, stop } = startMirror(t, { include: topic, group: topic })
  await waitFor(() => laneOf(mirror, topic, 0)?.committed === 70, 'a commit')
  await waitFor(() => laneOf(mirror, topic, 1)?.committed === 0, 'a commit of the empty partition')
  await stop()
  const rows = await describeGroup(pair.source, topic)
  assert.deepEqual(rows.map(({ partition, lag }) => [partition, lag]).sort(), [
    [0, 0],
    [1, 0]
  ])
  const client = new RawClient(pair.source.bootstrap)
  t.after(() => client.close())
  const committed = await client.groups.offsetFetch(topic, [{ topic, partition: 0 }])
  const decoded = decodeCheckpoint(committed[0]?.metadata ?? '')
  assert.equal(decoded.kind, 'own')
  if (decoded.kind !== 'own') return
  const { targetClusterId, nextSequence, targetEnd, isInStep, producerId } = decoded.checkpoint
  assert.deepEqual(
    [targetClusterId, nextSequence, targetEnd, isInStep],
    [pair.target.clusterId, 70, 70, true]
  )
  assert.ok(producerId >= 0)
})

async function partitionsOf({ bootstrap }: KafkaCluster, topic: string): Promise<number[]> {
  const client = new RawClient(bootstrap)
  try {
    return await client.partitions(topic)
  } catch {
    return []
  } finally {
    client.close()
  }
}

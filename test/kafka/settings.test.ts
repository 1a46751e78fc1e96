// Settings and flags that change how batches move and how target topics come to be, each seen at its effect.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { produceMixed, produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { type KafkaCluster, startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { anyPort, readMetric } from '../support/mirror-metrics.ts'
import { mirrorOnce, partitionsOf, startMirror } from '../support/mirror-process.ts'
import { RawClient, withClient } from '../support/raw-client.ts'
import { readBatches } from '../support/topic-reader.ts'
import { waitFor } from '../support/wait.ts'

const limit = { timeout: 150_000 }
let source: KafkaCluster
let target: KafkaCluster
let close: () => Promise<void>

before(async () => {
  ;({ source, target, close } = await startPair({ target: { nodes: 3 } }))
})
after(() => close?.())

test('without idempotence everything arrives, under no producer id', limit, async t => {
  const topic = `plain-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 3)
  await produceMixed(source.bootstrap, topic, { records: 60_000, codec: 'mixed', headers: true })
  const options = { ...optionsFor(topic), producer: { 'enable.idempotence': 'false' } }
  const { code, mirror, report } = await mirrorOnce(t, options)
  assert.equal(code, 0, mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  for (const { delivery, maybeDoubled } of partitionsOf(report, topic)) {
    assert.deepEqual([delivery, maybeDoubled], ['at-least-once', 0])
  }
  const client = new RawClient(target.bootstrap)
  t.after(() => client.close())
  for (const partition of await client.partitions(topic)) {
    for await (const { header } of readBatches(client, topic, partition)) {
      const { producerId, producerEpoch, baseSequence } = header
      assert.deepEqual([producerId, producerEpoch, baseSequence], [-1, -1, -1])
    }
  }
  const notes = mirror.linesLike({ msg: 'configuration note' }).map(({ note }) => `${note}`)
  assert.ok(notes.some(note => /enable\.idempotence: false: .* at-least-once/.test(note)))
})

test('a small queue.size holds little before a slow target', limit, async t => {
  const topic = `slow-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 2)
  const records = 40_000
  const load = { records, recordBytes: 200, batchRecords: 50, codec: 'none' } as const
  await produceMixed(source.bootstrap, topic, load)
  await limitProduce(50_000)
  t.after(() => limitProduce(null))
  const flags = ['--queue.size', '100']
  const mirror = await startMirror(t, { ...optionsFor(topic), flags, http: anyPort })
  let most = 0
  const isThrottled = async () => {
    most = Math.max(most, await readMetric(mirror, 'heliostat_buffer_bytes'))
    return (await readMetric(mirror, 'heliostat_throttle_seconds_total')) > 0
  }
  await mirror.until('a target that throttles', isThrottled)
  assert.ok((await countRecords(target.bootstrap, topic)) < records, 'there is more to come')
  await limitProduce(null)
  const isDone = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
  await mirror.until('lag 0', isDone, 50_000)
  assert.ok(most < 4e6, `${most} bytes held`)
  assert.equal(await mirror.stop(), 0, mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  const peakRssBytes = Number((await mirror.line({ msg: 'the run ended' })).peakRssBytes)
  assert.ok(peakRssBytes < 160e6, `${peakRssBytes} bytes`)
  t.diagnostic(`${most} bytes held, ${Math.round(peakRssBytes / 1e6)} MB at most`)
})

test('with --no-create-topics only what is there is mirrored', limit, async t => {
  const prefix = `kept-${randomUUID()}`
  const [present, absent] = [`${prefix}-present`, `${prefix}-absent`]
  for (const topic of [present, absent]) {
    await createTopic(source.bootstrap, topic, 2)
    await produceNumbered(source.bootstrap, topic, { records: 1_000 })
  }
  await createTopic(target.bootstrap, present, 2)
  const options = { ...optionsFor(prefix), flags: ['--no-create-topics'] }
  const first = await mirrorOnce(t, options)
  assert.equal(first.code, 1, first.mirror.tail())
  assert.match(first.report.reason, /-absent-\d did not finish: target-topic-missing, and 1 more/)
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [present]), [])
  assert.equal(await countRecords(target.bootstrap, absent), 0)
  const [told] = first.mirror.linesLike({ msg: 'lane stopped', topic: absent })
  assert.match(`${told?.detail}`, /--no-create-topics is set: create it with 2 partitions/)

  await createTopic(target.bootstrap, absent, 2)
  const second = await mirrorOnce(t, options)
  assert.equal(second.code, 0, second.mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [present, absent]), [])
})

for (const { asked, given } of [
  { asked: 2, given: 2 },
  { asked: 5, given: 3 }
]) {
  test(`--replication-factor ${asked} on three brokers makes ${given} replicas`, limit, async t => {
    const topic = `replicas-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 2)
    await produceNumbered(source.bootstrap, topic, { records: 100 })
    const flags = ['--replication-factor', `${asked}`]
    const { code, mirror } = await mirrorOnce(t, { ...optionsFor(topic), flags })
    assert.equal(code, 0, mirror.tail())
    const client = new RawClient(target.bootstrap)
    t.after(() => client.close())
    const [found] = (await client.metadata([topic])).topics
    assert.deepEqual(
      found?.partitions.map(({ replicas }) => replicas.length),
      [given, given]
    )
    const warned = mirror.lines.filter(({ msg }) => /^target topics get fewer replicas/.test(msg))
    assert.equal(warned.length, given < asked ? 1 : 0, mirror.tail())
  })
}

test('with --grow-partitions a target topic that was too small is grown', limit, async t => {
  const topic = `small-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 3)
  await createTopic(target.bootstrap, topic, 1)
  await produceNumbered(source.bootstrap, topic, { records: 1_000 })
  const options = optionsFor(topic)
  const first = await mirrorOnce(t, options)
  assert.equal(first.code, 1)
  assert.match(first.report.reason, /too-few-partitions/)
  const second = await mirrorOnce(t, { ...options, flags: ['--grow-partitions'] })
  assert.equal(second.code, 0, second.mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
})

test('more in-sync replicas than there are at all are warned of', limit, async t => {
  const topic = `insync-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 2)
  await createTopic(target.bootstrap, topic, 2, { configs: { 'min.insync.replicas': 2 } })
  await produceNumbered(source.bootstrap, topic, { records: 1_000 })
  const { code, mirror } = await mirrorOnce(t, optionsFor(topic))
  const [warned] = mirror.lines.filter(({ msg }) => /asks for more in-sync replicas/.test(msg))
  assert.deepEqual([warned?.topic, warned?.minInSyncReplicas, warned?.replicas], [topic, 2, 1])
  // Since Kafka 3.7 a topic needs no more of them than it has replicas.
  assert.equal(code, 0, mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
})

// Last, since it takes a broker of the target away for a while.
test('lanes wait while a replica is missing, and say so', { timeout: 180_000 }, async t => {
  const topic = `missing-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 1)
  const [healthy, ill] = target.nodes
  assert.ok(healthy !== undefined && ill !== undefined)
  const assignments = [[healthy.id, ill.id]]
  await createTopic(target.bootstrap, topic, 1, {
    assignments,
    configs: { 'min.insync.replicas': 2 }
  })
  await ill.kill('SIGKILL')
  await waitFor('the replica to be out of sync', async () => (await inSync(topic)) === 1)
  await produceNumbered(source.bootstrap, topic, { records: 1_000 })
  const mirror = await startMirror(t, optionsFor(topic))
  const waiting = await mirror.line({ msg: 'lane backs off and tries again', topic })
  assert.equal(waiting.reason, 'not-enough-replicas', JSON.stringify(waiting))
  assert.equal(await countRecords(target.bootstrap, topic), 0)
  await ill.start()
  const hasAll = async () => (await countRecords(target.bootstrap, topic)) === 1_000
  await mirror.until('the records', hasAll, 40_000)
  assert.equal(await mirror.stop(), 0, mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
})

/** In-sync replicas of the first partition. */
async function inSync(topic: string): Promise<number> {
  return withClient(target.bootstrap, async client => {
    const [found] = (await client.metadata([topic])).topics
    return found?.partitions[0]?.isr.length ?? 0
  })
}

function optionsFor(prefix: string) {
  return { source, target, whitelist: `${prefix}.*`, group: prefix }
}

/** Bytes a second that a client may write to each broker of the target; null lifts the limit. */
async function limitProduce(rate: number | null): Promise<void> {
  return withClient(target.bootstrap, async client => {
    await client.admin.alterQuota(null, 'producer_byte_rate', rate)
  })
}

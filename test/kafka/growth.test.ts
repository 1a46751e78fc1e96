// Topics and partitions that come while the mirror runs, those that never are mirrored, and a target that is too small.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords } from '../support/group-lag.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { mirrorOnce, partitionsOf, startMirror } from '../support/mirror-process.ts'
import { RawClient } from '../support/raw-client.ts'

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

const limit = { timeout: 150_000 }
/** What is promised for a new topic or partition, from its creation to its records at the target. */
const promiseMs = 10_000

for (const reset of ['earliest', 'latest'] as const) {
  test(`new topics and partitions come from their first record, ${reset}`, limit, async t => {
    const { source, target } = pair
    const prefix = `growth-${randomUUID()}`
    const [old, young, empty] = [`${prefix}-old`, `${prefix}-young`, `${prefix}-empty`]
    await createTopic(source.bootstrap, old, 1)
    await produceNumbered(source.bootstrap, old, { records: 1_000 })
    const consumer = { 'auto.offset.reset': reset }
    const whitelist = `${prefix}.*`
    const options = { source, target, whitelist, group: prefix, consumer }
    const mirror = await startMirror(t, options)
    await mirror.line({ msg: 'lanes started' })
    // The records that were there at the start: all of them, or none.
    const atStart = reset === 'earliest' ? 1_000 : 0
    await produceNumbered(source.bootstrap, old, { records: 500, from: 1_000 })
    const hasOld = async () => (await countRecords(target.bootstrap, old)) >= atStart + 500
    await mirror.until('the records of the old topic', hasOld)

    const client = new RawClient(source.bootstrap)
    t.after(() => client.close())
    const startedAt = Date.now()
    await createTopic(source.bootstrap, young, 3)
    await produceNumbered(source.bootstrap, young, { records: 1_000 })
    await client.admin.createPartitions(old, 4)
    await produceNumbered(source.bootstrap, old, { records: 1_000, from: 1_500 })
    await createTopic(source.bootstrap, empty, 2)
    const hasAll = async () =>
      (await countRecords(target.bootstrap, young)) >= 3_000 &&
      (await countRecords(target.bootstrap, old)) >= atStart + 500 + 4_000
    await mirror.until('the new records', hasAll, promiseMs - (Date.now() - startedAt))

    const targetClient = new RawClient(target.bootstrap)
    t.after(() => targetClient.close())
    assert.deepEqual(await targetClient.partitions(old), [0, 1, 2, 3])
    assert.deepEqual(await targetClient.partitions(young), [0, 1, 2])
    const hasEmpty = async () => {
      const [found] = (await targetClient.metadata([empty])).topics
      return found?.partitions.length === 2
    }
    await mirror.until('the topic without records', hasEmpty)
    assert.equal(await mirror.stop(), 0, mirror.tail())

    const differences = await compareTopics(source.bootstrap, target.bootstrap, [young, old])
    if (reset === 'earliest') assert.deepEqual(differences, [])
    else
      assert.deepEqual(
        differences.map(at => `${at.topic}-${at.partition}`),
        [`${old}-0`]
      )
    assert.equal(await countRecords(target.bootstrap, old), atStart + 500 + 4_000)
  })
}

test('with latest, a topic that came while the mirror was down is whole', limit, async t => {
  const { source, target } = pair
  const prefix = `down-${randomUUID()}`
  const [old, young] = [`${prefix}-old`, `${prefix}-young`]
  await createTopic(source.bootstrap, old, 2)
  const consumer = { 'auto.offset.reset': 'latest' }
  const options = { source, target, whitelist: `${prefix}.*`, group: prefix, consumer }
  const first = await mirrorOnce(t, options)
  assert.equal(first.code, 0, first.mirror.tail())
  await createTopic(source.bootstrap, young, 2)
  for (const topic of [old, young]) {
    await produceNumbered(source.bootstrap, topic, { records: 500 })
  }
  const second = await mirrorOnce(t, options)
  assert.equal(second.code, 0, second.mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [old, young]), [])
})

test(
  "T23: Kafka's internal topics and mirrors' control topics are never mirrored",
  limit,
  async t => {
    const { source, target } = pair
    const prefix = `ordinary-${randomUUID()}`
    const control = [
      'heartbeats',
      'other.heartbeats',
      'other.checkpoints.internal',
      'mm2-offsets.other.internal',
      'mm2-configs.other.internal'
    ]
    for (const topic of [prefix, ...control]) {
      await createTopic(source.bootstrap, topic)
      await produceNumbered(source.bootstrap, topic, { records: 10 })
    }
    // A transaction and a commit make Kafka's own topics on the source.
    const client = new RawClient(source.bootstrap)
    t.after(() => client.close())
    await client.transactions.initProducerId(prefix)
    await client.groups.offsetCommit(prefix, [{ topic: prefix, partition: 0, offset: 1 }])
    const names = (await client.metadata()).topics.map(({ name }) => name)
    for (const name of ['__consumer_offsets', '__transaction_state', ...control]) {
      assert.ok(names.includes(name), `${name} is on the source`)
    }

    const whitelist = `${prefix}|__.*|.*heartbeats|.*internal`
    const { code, report, mirror } = await mirrorOnce(t, {
      source,
      target,
      whitelist,
      group: `${prefix}-mirror`
    })
    assert.equal(code, 0, mirror.tail())
    assert.deepEqual(
      report.links.flatMap(({ topics }) => topics.map(({ topic }) => topic)),
      [prefix]
    )
    const targetClient = new RawClient(target.bootstrap)
    t.after(() => targetClient.close())
    const atTarget = (await targetClient.metadata()).topics.map(({ name }) => name)
    assert.ok(atTarget.includes(prefix))
    for (const name of control) assert.ok(!atTarget.includes(name), `${name} is not on the target`)
  }
)

test('a target topic with fewer partitions stops only the lanes beyond it', limit, async t => {
  const { source, target } = pair
  const prefix = `small-${randomUUID()}`
  const [small, whole] = [`${prefix}-small`, `${prefix}-whole`]
  await createTopic(source.bootstrap, small, 4)
  await createTopic(source.bootstrap, whole, 2)
  await createTopic(target.bootstrap, small, 2)
  for (const topic of [small, whole]) {
    await produceNumbered(source.bootstrap, topic, { records: 500 })
  }
  const options = { source, target, whitelist: `${prefix}.*`, group: prefix }
  const first = await mirrorOnce(t, options)
  assert.equal(first.code, 1, first.mirror.tail())
  assert.match(first.report.reason, /too-few-partitions/)
  assert.equal(first.report.exitCode, 1)
  assert.deepEqual(
    partitionsOf(first.report, small).map(row => [row.partition, row.reason, row.records]),
    [
      [0, 'none', 500],
      [1, 'none', 500],
      [2, 'too-few-partitions', 0],
      [3, 'too-few-partitions', 0]
    ]
  )
  const stopped = first.mirror.linesLike({ msg: 'lane stopped', reason: 'too-few-partitions' })
  assert.ok(stopped.length > 0 && stopped.every(({ topic }) => topic === small))
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [whole]), [])
  const targetClient = new RawClient(target.bootstrap)
  t.after(() => targetClient.close())
  assert.deepEqual(await targetClient.partitions(small), [0, 1], 'it was not grown')
  assert.equal(await countRecords(target.bootstrap, small), 1_000)

  // Its operator adds the partitions: the lanes begin where they have not begun.
  await targetClient.admin.createPartitions(small, 4)
  const second = await mirrorOnce(t, options)
  assert.equal(second.code, 0, second.mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [small, whole]), [])
})

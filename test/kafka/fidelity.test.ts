// What cannot be passed on unchanged is rebuilt: the same records in the same order, with their own times.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Codec } from '../support/batch-header.ts'
import { produceMixed, produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords } from '../support/group-lag.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic, setOffsets } from '../support/kafka-tools.ts'
import { mirrorOnce, partitionsOf } from '../support/mirror-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { decodeBatch, encodeBatch } from '../support/records.ts'
import { readBatches } from '../support/topic-reader.ts'
import { waitFor } from '../support/wait.ts'

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  // The cleaner looks for work every 15 s unless told otherwise.
  pair = await startPair({ source: { config: { 'log.cleaner.backoff.ms': 100 } } })
})
after(() => pair?.close())

const limit = { timeout: 60_000 }
const compacted = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': 0.001,
  'segment.ms': 100
}

for (const codec of ['lz4', 'none'] as const) {
  test(
    `holes that compaction left (${codec}) are closed, and nothing else changes`,
    limit,
    async t => {
      const { source, target } = pair
      const prefix = `holes-${randomUUID()}`
      const [holed, whole] = [`${prefix}-holed`, `${prefix}-whole`]
      await createTopic(source.bootstrap, holed, 2, { configs: compacted })
      await createTopic(source.bootstrap, whole, 2)
      await produceNumbered(source.bootstrap, whole, { records: 2_000 })
      await produceNumbered(source.bootstrap, holed, { records: 2_000 })
      const client = new RawClient(source.bootstrap)
      t.after(() => client.close())
      await makeHoles(client, holed, codec)

      const options = { source, target, whitelist: `${prefix}.*`, group: prefix }
      const { code, report, mirror } = await mirrorOnce(t, options)
      assert.equal(code, 0, mirror.tail())
      assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [holed, whole]), [])
      const [rebuilt, other] = partitionsOf(report, holed)
      assert.ok((rebuilt?.batches.reseal ?? 0) > 0)
      assert.equal(rebuilt?.batches.reseal, rebuilt?.reasons.holes)
      assert.equal(other?.batches.reseal, 0)
      assert.equal(rebuilt?.delivery, 'exactly-once')

      // The next run has nothing to do.
      const again = await mirrorOnce(t, options)
      assert.equal(again.code, 0, again.mirror.tail())
      assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [holed, whole]), [])
    }
  )
}

test(
  'a batch that is larger than the target takes is split; a single record that is stops its lane',
  limit,
  async t => {
    const { source, target } = pair
    const topic = `large-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 2)
    await createTopic(target.bootstrap, topic, 2, { configs: { 'max.message.bytes': 20_000 } })
    await produceMixed(source.bootstrap, topic, { records: 2_000, batchRecords: 50 })
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const large = { records: 1_000, batchRecords: 1_000, partitions: 1, codec } as const
      await produceMixed(source.bootstrap, topic, large)
    }
    const options = { source, target, whitelist: topic, group: topic }
    const { code, report, mirror } = await mirrorOnce(t, options)
    assert.equal(code, 0, mirror.tail())
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
    const [split, other] = partitionsOf(report, topic)
    assert.ok((split?.reasons['too-large'] ?? 0) > 5, JSON.stringify(split?.reasons))
    assert.equal(other?.batches.reseal, 0)

    const client = new RawClient(source.bootstrap)
    t.after(() => client.close())
    await client.append(topic, 1, encodeBatch([{ key: 'small', value: 'x' }]))
    await client.append(topic, 1, encodeBatch([{ key: 'large', value: 'x'.repeat(30_000) }]))
    const next = await mirrorOnce(t, options)
    assert.equal(next.code, 1, next.mirror.tail())
    assert.match(next.report.reason, /too-large/)
    assert.equal(await countRecords(target.bootstrap, topic), 7_001)
  }
)

test(
  'a start inside a batch: what lies before it is cut off, and deleted records do not come back',
  limit,
  async t => {
    const { source, target } = pair
    const prefix = `inside-${randomUUID()}`
    const [deleted, taken] = [`${prefix}-deleted`, `${prefix}-taken`]
    const client = new RawClient(source.bootstrap)
    t.after(() => client.close())
    for (const topic of [deleted, taken]) {
      await createTopic(source.bootstrap, topic, 1)
      for (const first of [0, 100]) {
        const records = numbers(first, first + 100).map(key => ({ key, value: 'v' }))
        await client.append(topic, 0, encodeBatch(records, { codec: 'lz4' }))
      }
    }
    await client.admin.deleteRecords(deleted, 0, 42)
    await setOffsets(source, prefix, taken, 57)
    const options = { source, target, whitelist: `${prefix}.*`, group: prefix }
    const { code, report, mirror } = await mirrorOnce(t, options)
    assert.equal(code, 0, mirror.tail())
    for (const topic of [deleted, taken]) {
      assert.deepEqual(partitionsOf(report, topic)[0]?.reasons, { shallow: 1, 'head-trim': 1 })
    }
    assert.deepEqual(await keysOf(target.bootstrap, deleted), numbers(42, 200))
    assert.deepEqual(await keysOf(target.bootstrap, taken), numbers(57, 200))
  }
)

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, place) => `${from + place}`)
}

async function keysOf(bootstrap: string, topic: string): Promise<string[]> {
  const client = new RawClient(bootstrap)
  const keys: string[] = []
  try {
    for await (const { bytes } of readBatches(client, topic, 0)) {
      for (const { key } of decodeBatch(bytes).records) keys.push(String(key))
    }
  } finally {
    client.close()
  }
  return keys
}

test(
  'append times become the times of the records where the target has create times',
  limit,
  async t => {
    const { source, target } = pair
    const topic = `append-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 1, {
      configs: { 'message.timestamp.type': 'LogAppendTime' }
    })
    await createTopic(target.bootstrap, topic, 1, {
      configs: { 'message.timestamp.type': 'CreateTime' }
    })
    await produceMixed(source.bootstrap, topic, { records: 1_000, batchRecords: 50 })
    const options = { source, target, whitelist: topic, group: topic }
    const { code, report, mirror } = await mirrorOnce(t, options)
    assert.equal(code, 0, mirror.tail())
    assert.ok((partitionsOf(report, topic)[0]?.reasons['append-time'] ?? 0) > 0)
    const differences = await compareTopics(source.bootstrap, target.bootstrap, [topic])
    // Their kind is the one thing that differs.
    for (const { what } of differences) assert.match(what, /^timestamp type changed; 1000 .* 1000 /)
  }
)

test('holes between batches are no holes: what is left passes unchanged', limit, async t => {
  const { source, target } = pair
  const topic = `gaps-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 1, { configs: compacted })
  const client = new RawClient(source.bootstrap)
  t.after(() => client.close())
  // Batches of one record each: compaction takes whole ones.
  for (let number = 0; number < 40; number++) {
    const record = { key: number % 2 === 0 ? 'same' : `other-${number}`, value: `${number}` }
    await client.append(topic, 0, encodeBatch([record], { codec: 'lz4' }))
  }
  await untilCompacted(client, topic, records => records < 40)
  const { code, mirror } = await mirrorOnce(t, { source, target, whitelist: topic, group: topic })
  assert.equal(code, 0, mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
})

/** Batches in partition 0 of which compaction takes every other record. Gives where the first of them begins. */
async function makeHoles(client: RawClient, topic: string, codec: Codec): Promise<number> {
  const batch = (round: number) =>
    encodeBatch(
      Array.from({ length: 20 }, (_, place) => ({
        key: place % 2 === 0 ? `again-${place}` : `once-${round}-${place}`,
        value: `value ${round} ${place}`.repeat(10)
      })),
      { codec }
    )
  for (let round = 0; round < 3; round++) await client.append(topic, 0, batch(round))
  await untilCompacted(client, topic, () => true)
  for await (const { header } of readBatches(client, topic, 0)) {
    if (header.recordCount !== header.lastOffsetDelta + 1) return header.baseOffset
  }
  throw new Error(`${topic}-0 has no holes`)
}

/**
 * Appends a record now and then, for only that begins a new segment and makes the one before it cleanable, until
 * some record is gone.
 */
async function untilCompacted(
  client: RawClient,
  topic: string,
  holds: (records: number) => boolean
): Promise<void> {
  let roll = 0
  await waitFor(
    'the cleaner',
    async () => {
      await client.append(topic, 0, encodeBatch([{ key: `roll-${roll++}`, value: 'x' }]))
      let records = 0
      for await (const { header } of readBatches(client, topic, 0)) records += header.recordCount
      const isCleaned = (await client.listOffset(topic, 0, 'latest')) > records
      return isCleaned && holds(records - roll)
    },
    { everyMs: 200 }
  )
}

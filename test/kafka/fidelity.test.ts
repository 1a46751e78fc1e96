// What cannot be passed on unchanged is rebuilt: the same records in the same order, with their own times.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { compactedConfigs, makeHoles, untilCompacted } from '../support/compaction.ts'
import { produceMixed, produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords } from '../support/group-lag.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { mirrorOnce, partitionsOf } from '../support/mirror-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  // The cleaner looks for work every 15 s unless told otherwise.
  pair = await startPair({ source: { config: { 'log.cleaner.backoff.ms': 100 } } })
})
after(() => pair?.close())

const limit = { timeout: 150_000 }

test(
  'holes that compaction left in plain batches are closed, and nothing else changes',
  limit,
  async t => {
    const { source, target } = pair
    const prefix = `holes-${randomUUID()}`
    const [holed, whole] = [`${prefix}-holed`, `${prefix}-whole`]
    await createTopic(source.bootstrap, holed, 2, { configs: compactedConfigs })
    await createTopic(source.bootstrap, whole, 2)
    await produceNumbered(source.bootstrap, whole, { records: 2_000 })
    await produceNumbered(source.bootstrap, holed, { records: 2_000 })
    const client = new RawClient(source.bootstrap)
    t.after(() => client.close())
    await makeHoles(client, holed, 'none')

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

test(
  'T8: a batch that is larger than the target takes is split; a single record that is stops its lane',
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

test('holes between batches are no holes: what is left passes unchanged', limit, async t => {
  const { source, target } = pair
  const topic = `gaps-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 1, { configs: compactedConfigs })
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

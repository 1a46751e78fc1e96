// Small batches that wait for a far target arrive merged: once, in order, with every record as it was.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { codecs } from '../../src/batches/codec.ts'
import { produceMixed, produceNumbered } from '../support/corpus.ts'
import { type CompareOptions, compareBatchBytes, compareTopics } from '../support/digest.ts'
import { startFarProxy } from '../support/far-proxy.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { killAgainAndAgain } from '../support/killed-mirror.ts'
import type { LoopbackProxy } from '../support/loopback-proxy.ts'
import { anyPort, readMetric } from '../support/mirror-metrics.ts'
import {
  type MirrorOptions,
  mirrorOnce,
  partitionsOf,
  startMirror
} from '../support/mirror-process.ts'
import { findMisnumbered } from '../support/numbered-once.ts'
import { seededRandom } from '../support/random.ts'
import { withClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { startLoad } from '../support/steady-load.ts'
import { readBatches } from '../support/topic-reader.ts'
import { produceTransactions } from '../support/transactions.ts'

const limit = { timeout: 120_000 }

const roundTripMs = 20

// Near, batches are not merged.
let proxy: LoopbackProxy
let pair: Awaited<ReturnType<typeof startPair>>
before(async () => {
  proxy = await startFarProxy(roundTripMs)
  const config = { 'advertised.listeners': `PLAINTEXT://${proxy.address}` }
  pair = await startPair({ target: { config } })
  proxy.forwardTo(pair.target.nodes[0]?.port ?? 0)
})
after(async () => {
  await pair?.close()
  await proxy?.close()
})

for (const codec of codecs) {
  test(
    `${codec}: batches of one record arrive in larger ones, all else as it was`,
    limit,
    async t => {
      const topic = await bothTopics(1)
      const records = 3_000
      const shape = { codec, batchRecords: 1, headers: true, nullKeys: true, nullValues: true }
      await produceMixed(pair.source.bootstrap, topic, { records, ...shape })
      const { code, report, mirror } = await mirrorOnce(t, optionsFor(topic))
      assert.equal(code, 0, mirror.tail())
      const [row] = partitionsOf(report, topic)
      assert.equal(row?.delivery, 'exactly-once')
      const merged = row?.batches.merge ?? 0
      assert.ok(merged > records / 2, `${merged} merged`)
      assert.deepEqual(row?.reasons, { 'tiny-batches': merged, shallow: records - merged })
      const sizes = await batchSizes(topic)
      assert.ok(sizes.length < records / 4, `${sizes.length} batches on the target`)
      assert.deepEqual(await differences(topic), [])
    }
  )
}

test(
  'killed again and again among merged batches, none is lost and none comes twice',
  limit,
  async t => {
    const topic = await bothTopics(2)
    const records = 20_000
    await produceNumbered(pair.source.bootstrap, topic, { records, batchRecords: 1 })
    const load = await startLoad(pair.source.bootstrap, topic, { batchRecords: 1, everyMs: 1 })
    t.after(() => load.stop().catch(() => undefined))
    const flags = ['--offset.commit.interval.ms', '300']
    const options = { ...optionsFor(topic), flags }
    const lives = await killAgainAndAgain(t, options, 5, seededRandom(t))
    await load.stop()
    for (const { delivery } of lives.started) assert.equal(delivery, 'exactly-once')
    const { code, mirror } = await mirrorOnce(t, options)
    assert.equal(code, 0, mirror.tail())
    t.diagnostic(`${lives.arrived} records found behind commits`)
    const sizes = await batchSizes(topic)
    assert.ok(Math.max(...sizes) > 100, 'nothing was merged')
    assert.deepEqual(await differences(topic), [])
  }
)

test(
  'committed transactions are merged across their ends, aborted ones are left out',
  limit,
  async t => {
    const topic = await bothTopics(1)
    const shape = { transactions: 40, abortEvery: 4, interleaved: 2 }
    const load = { ...shape, batchesPerPartition: 30, batchRecords: 1 }
    await produceTransactions(pair.source.bootstrap, topic, load)
    const { code, report, mirror } = await mirrorOnce(t, optionsFor(topic))
    assert.equal(code, 0, mirror.tail())
    const [row] = partitionsOf(report, topic)
    assert.equal(row?.records, 30 * 30)
    assert.ok((row?.batches.merge ?? 0) > 0)
    assert.deepEqual(await differences(topic, { isolation: 'read_committed' }), [])
  }
)

test('with --merge off every batch arrives as it was', limit, async t => {
  const topic = await bothTopics(1)
  const shape = { records: 1_000, codec: 'none', batchRecords: 1 } as const
  await produceMixed(pair.source.bootstrap, topic, shape)
  const options = { ...optionsFor(topic), flags: ['--merge', 'off'] }
  const { code, report, mirror } = await mirrorOnce(t, options)
  assert.equal(code, 0, mirror.tail())
  const [row] = partitionsOf(report, topic)
  assert.deepEqual(row?.reasons, { shallow: 1_000 })
  assert.deepEqual(await compareBatchBytes(pair.source.bootstrap, pair.target.bootstrap, topic), [])
})

test('once the backlog is gone a steady trickle is not merged', limit, async t => {
  const topic = await bothTopics(1)
  await produceNumbered(pair.source.bootstrap, topic, { records: 2_000, batchRecords: 1 })
  const mirror = await startMirror(t, { ...optionsFor(topic), http: anyPort })
  const delivered = () => readMetric(mirror, 'heliostat_delivered_records_total', { topic })
  const merged = () => readMetric(mirror, 'heliostat_path_batches_total', { path: 'merge' })
  await mirror.until('the backlog', async () => (await delivered()) >= 2_000)
  const before = await merged()
  assert.ok(before > 0)
  const load = await startLoad(pair.source.bootstrap, topic, { batchRecords: 1, everyMs: 10 })
  await delay(2_000)
  await load.stop()
  await mirror.until('the trickle', async () => (await delivered()) >= 2_000 + load.records)
  assert.equal(await merged(), before)
  assert.equal(await mirror.stop(), 0)
  assert.deepEqual(await differences(topic), [])
})

test(
  'a batch that the target refuses stops its lane where it stands, merged or not',
  limit,
  async t => {
    const topic = `merged-${randomUUID()}`
    await createTopic(pair.source.bootstrap, topic, 1)
    await createTopic(pair.target.bootstrap, topic, 1, { configs: { 'cleanup.policy': 'compact' } })
    const { bootstrap } = pair.source
    await produceNumbered(bootstrap, topic, { records: 700, batchRecords: 1 })
    // Compacted topics take no null keys.
    const batch = encodeBatch([{ key: null, value: 'v' }], { codec: 'none' })
    await withClient(bootstrap, client => client.append(topic, 0, batch))
    await produceNumbered(bootstrap, topic, { records: 300, from: 700, batchRecords: 1 })
    const { code, report, mirror } = await mirrorOnce(t, optionsFor(topic))
    assert.equal(code, 1, mirror.tail())
    const [row] = partitionsOf(report, topic)
    assert.deepEqual([row?.state, row?.reason, row?.records], ['stopped', 'refused', 700])
    assert.deepEqual(await findMisnumbered(pair.target.bootstrap, topic, 700), [])
  }
)

function optionsFor(topic: string): MirrorOptions {
  return { source: pair.source, target: pair.target, whitelist: topic, group: topic }
}

async function bothTopics(partitions: number): Promise<string> {
  const topic = `merged-${randomUUID()}`
  await Promise.all(
    [pair.source, pair.target].map(({ bootstrap }) => createTopic(bootstrap, topic, partitions))
  )
  return topic
}

function differences(topic: string, options?: CompareOptions) {
  return compareTopics(pair.source.bootstrap, pair.target.bootstrap, [topic], options)
}

/** Records in each batch on the target. */
async function batchSizes(topic: string): Promise<number[]> {
  return withClient(pair.target.bootstrap, async client => {
    const sizes: number[] = []
    for (const partition of await client.partitions(topic)) {
      for await (const { header } of readBatches(client, topic, partition)) {
        sizes.push(header.recordCount)
      }
    }
    return sizes
  })
}

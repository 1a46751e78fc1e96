// Batches rebuilt in the codec that was asked for, on real brokers: read by Java, once and in order, whatever dies.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { codecs } from '../../src/batches/codec.ts'
import { numberedRecord } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { startPair } from '../support/kafka-broker.ts'
import { consoleConsumer, createTopic } from '../support/kafka-tools.ts'
import { countArrived, startedLines } from '../support/killed-mirror.ts'
import { mirrorOnce, partitionsOf, startMirror } from '../support/mirror-process.ts'
import { findMisnumbered } from '../support/numbered-once.ts'
import { seededRandom } from '../support/random.ts'
import { withClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { startLoad } from '../support/steady-load.ts'
import { readBatches } from '../support/topic-reader.ts'

type Codec = (typeof codecs)[number]

const limit = { timeout: 120_000 }
const batchRecords = 50

let pair: Awaited<ReturnType<typeof startPair>>
before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

test('Java reads every codec made of every other', limit, async t => {
  const batchesEach = 4
  const prefix = `recompressed-${randomUUID()}`
  const topicOf = (codec: Codec) => `${prefix}-${codec}`
  const topics = codecs.map(topicOf)
  await Promise.all(topics.map(topic => bothTopics(topic, codecs.length)))
  for (const topic of topics) {
    for (const [partition, codec] of codecs.entries()) {
      await append(topic, partition, codec, batchesEach)
    }
  }
  const levels: Partial<Record<Codec, number>> = { gzip: 9, zstd: 19 }
  const flags = codecs.flatMap(codec => {
    const level = levels[codec] === undefined ? '' : `:${levels[codec]}`
    return ['--recompress', `.*-${codec}=${codec}${level}`]
  })
  const whitelist = `${prefix}-.*`
  const names = { ...pair, whitelist, group: prefix }
  const { code, report, mirror } = await mirrorOnce(t, { ...names, flags })
  assert.equal(code, 0, mirror.tail())

  for (const codec of codecs) {
    const topic = topicOf(codec)
    const rows = partitionsOf(report, topic)
    assert.equal(rows.length, codecs.length)
    for (const { partition, batches, reasons, delivery } of rows) {
      const isSame = codecs[partition] === codec
      assert.deepEqual(
        [batches.shallow, batches.reseal],
        isSame ? [batchesEach, 0] : [0, batchesEach]
      )
      assert.deepEqual(reasons, isSame ? { shallow: batchesEach } : { forced: batchesEach })
      assert.equal(delivery, 'exactly-once')
      assert.deepEqual(await codecsOf(topic, partition), Array(batchesEach).fill(codec))
    }
  }
  assert.deepEqual(await compareTopics(pair.source.bootstrap, pair.target.bootstrap, topics), [])
  const maxMessages = topics.length * codecs.length * batchesEach * batchRecords
  const [written, read] = await Promise.all(
    [pair.source, pair.target].map(side =>
      consoleConsumer(side, whitelist, { isPattern: true, maxMessages })
    )
  )
  assert.equal(read?.length, maxMessages)
  assert.deepEqual(read?.sort(), written?.sort())
})

test(
  'killed again and again, a mirror that recompresses loses and doubles none',
  limit,
  async t => {
    const topic = `recompressed-${randomUUID()}`
    await bothTopics(topic, 4)
    const load = await startLoad(pair.source.bootstrap, topic, {
      everyMs: 50,
      batchRecords: 20,
      isIdempotent: true
    })
    t.after(() => load.stop().catch(() => undefined))
    const options = { ...pair, whitelist: topic, group: topic, flags: ['--recompress', 'zstd'] }
    const random = seededRandom(t)
    let arrived = 0
    for (let life = 0; life < 4; life++) {
      const before = await countOnTarget(topic)
      const mirror = await startMirror(t, options)
      await mirror.until('records', async () => (await countOnTarget(topic)) > before)
      await delay(random.between(0, 500))
      mirror.kill('SIGKILL')
      await mirror.exited
      arrived += countArrived(mirror)
      for (const { delivery } of startedLines(mirror)) assert.equal(delivery, 'exactly-once')
    }
    await load.stop()
    const { code, mirror } = await mirrorOnce(t, options)
    assert.equal(code, 0, mirror.tail())
    arrived += countArrived(mirror)
    t.diagnostic(`${load.records} records, ${arrived} found behind commits`)
    assert.ok(arrived > 0)
    assert.deepEqual(await findMisnumbered(pair.target.bootstrap, topic, load.records), [])
    assert.deepEqual(new Set(await codecsOf(topic, 0)), new Set(['zstd']))
  }
)

test(
  'the codec of the file is that of rebuilt batches alone, and the start says so',
  limit,
  async t => {
    const topic = `rebuilt-${randomUUID()}`
    await createTopic(pair.source.bootstrap, topic, 1)
    const configs = { 'max.message.bytes': '20000' }
    await createTopic(pair.target.bootstrap, topic, 1, { configs })
    await append(topic, 0, 'none', 1, 20)
    await append(topic, 0, 'none', 1, 400)
    await append(topic, 0, 'none', 1, 20)
    const producer = { 'compression.type': 'zstd', 'compression.zstd.level': 9 }
    const names = { ...pair, whitelist: topic, group: topic, producer }
    const { code, report, mirror } = await mirrorOnce(t, names)
    assert.equal(code, 0, mirror.tail())
    const [row] = partitionsOf(report, topic)
    assert.equal(row?.reasons.shallow, 2)
    assert.ok((row?.reasons['too-large'] ?? 0) > 0)
    const found = await codecsOf(topic, 0)
    assert.deepEqual([found[0], found.at(-1)], ['none', 'none'])
    assert.deepEqual(new Set(found.slice(1, -1)), new Set(['zstd']))
    assert.deepEqual(await compareTopics(pair.source.bootstrap, pair.target.bootstrap, [topic]), [])
    const msg = 'batches pass in the codec of the source; compression.type is for rebuilt ones only'
    assert.deepEqual(
      mirror.linesLike({ msg }).map(({ level, codec, asked }) => [level, codec, asked]),
      [['warn', 'none', 'zstd']]
    )
  }
)

test('what a handler leaves as it is gets the codec too', limit, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-handler-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'handler.mjs')
  await writeFile(file, 'export default record => record')
  const topic = `handled-${randomUUID()}`
  await bothTopics(topic, 1)
  await append(topic, 0, 'lz4', 2)
  await append(topic, 0, 'gzip', 2)
  const flags = ['--message.handler', file, '--recompress', 'gzip:1']
  const names = { ...pair, whitelist: topic, group: topic }
  const { code, report, mirror } = await mirrorOnce(t, { ...names, flags })
  assert.equal(code, 0, mirror.tail())
  assert.equal(partitionsOf(report, topic)[0]?.batches.transform, 4)
  assert.deepEqual(await codecsOf(topic, 0), Array(4).fill('gzip'))
  assert.deepEqual(await compareTopics(pair.source.bootstrap, pair.target.bootstrap, [topic]), [])
})

async function bothTopics(topic: string, partitions: number): Promise<void> {
  await Promise.all(
    [pair.source, pair.target].map(({ bootstrap }) => createTopic(bootstrap, topic, partitions))
  )
}

/** Batches of numbered records, some with headers, to one partition of the source. */
function append(
  topic: string,
  partition: number,
  codec: Codec,
  batches: number,
  records = batchRecords
): Promise<void> {
  return withClient(pair.source.bootstrap, async client => {
    for (let batch = 0; batch < batches; batch++) {
      const inputs = Array.from({ length: records }, (_, place) => {
        const number = batch * records + place
        const headers: [string, Buffer][] = place % 5 === 0 ? [['h', Buffer.from(`${place}`)]] : []
        return { ...numberedRecord(partition, number, 100), headers, timestamp: Date.now() + place }
      })
      await client.append(topic, partition, encodeBatch(inputs, { codec }))
    }
  })
}

async function countOnTarget(topic: string): Promise<number> {
  return withClient(pair.target.bootstrap, async client => {
    const partitions = await client.partitions(topic)
    const ends = await Promise.all(partitions.map(partition => client.logEnd(topic, partition)))
    return ends.reduce((sum, end) => sum + end, 0)
  })
}

/** Of the batches that the target has. */
function codecsOf(topic: string, partition: number): Promise<Codec[]> {
  return withClient(pair.target.bootstrap, async client => {
    const found: Codec[] = []
    for await (const { header } of readBatches(client, topic, partition)) found.push(header.codec)
    return found
  })
}

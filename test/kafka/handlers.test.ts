// Handlers on real brokers: what they make of the records arrives once and in order, whatever dies meanwhile.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { partitionOfKey } from '../../src/transform/key-partition.ts'
import { produceMixed, produceNumbered, recordNumber } from '../support/corpus.ts'
import { compareBatchBytes, compareTopics } from '../support/digest.ts'
import { writeHandler } from '../support/handler-file.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { killAgainAndAgain } from '../support/killed-mirror.ts'
import { type MirrorOptions, mirrorOnce, partitionsOf } from '../support/mirror-process.ts'
import { readNumbers } from '../support/numbered-once.ts'
import { seededRandom } from '../support/random.ts'
import type { DecodedRecord } from '../support/records.ts'
import {
  assertSplit,
  readRecords,
  splitHandler,
  splitPartitions
} from '../support/split-records.ts'
import { startLoad } from '../support/steady-load.ts'

const limit = { timeout: 120_000 }

let pair: Awaited<ReturnType<typeof startPair>>
before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

const identity = 'export default record => record'
const everyThird = `export default record => {
  const number = Number.parseInt(record.value.toString(), 10)
  return number % 3 === 0 ? record : null
}`

test('what a handler leaves as it is passes byte for byte', limit, async t => {
  const topic = await bothTopics(3)
  await produceMixed(pair.source.bootstrap, topic, { records: 30_000 })
  const { code, report, mirror } = await mirrorOnce(t, await withHandler(t, topic, identity))
  assert.equal(code, 0, mirror.tail())
  for (const { batches, delivery } of partitionsOf(report, topic)) {
    assert.ok(batches.transform > 0)
    assert.deepEqual([batches.shallow, batches.reseal, delivery], [0, 0, 'exactly-once'])
  }
  assert.deepEqual(await compareBatchBytes(pair.source.bootstrap, pair.target.bootstrap, topic), [])
  assert.deepEqual(await compareTopics(pair.source.bootstrap, pair.target.bootstrap, [topic]), [])
})

test(
  'killed again and again, a handler that drops records loses and doubles none',
  limit,
  async t => {
    const topic = await bothTopics(4)
    const load = await startLoad(pair.source.bootstrap, topic, {
      everyMs: 50,
      batchRecords: 20,
      isIdempotent: true
    })
    t.after(() => load.stop().catch(() => undefined))
    const options = await withHandler(t, topic, everyThird)
    const flags = [...(options.flags ?? []), '--offset.commit.interval.ms', '700']
    const consumer = { 'group.instance.id': 'one' }
    const lives = await killAgainAndAgain(t, { ...options, consumer, flags }, 6, seededRandom(t))
    await load.stop()
    t.diagnostic(`${load.records} records, ${lives.arrived} found behind commits`)
    for (const { delivery } of lives.started) assert.equal(delivery, 'exactly-once')
    const { code, mirror } = await mirrorOnce(t, options)
    assert.equal(code, 0, mirror.tail())
    const found = await readNumbers(pair.target.bootstrap, topic)
    const expected = Array.from({ length: load.records / 4 }, (_, number) => number)
    for (const [partition, numbers] of found) {
      const wanted = expected.filter(number => number % 3 === 0)
      assert.deepEqual(numbers, wanted, `partition ${partition}`)
    }
    assert.equal(found.size, 4)
  }
)

test('on an error the lane stops, or the record is left out and told', limit, async t => {
  const failing = `export default record => {
    if (record.offset === 700) throw new Error('no such country')
    return record
  }`
  const topic = await bothTopics(1)
  await produceNumbered(pair.source.bootstrap, topic, { records: 1_000, batchRecords: 100 })
  const options = await withHandler(t, topic, failing)
  const stopped = await mirrorOnce(t, options)
  assert.equal(stopped.code, 1, stopped.mirror.tail())
  const [row] = partitionsOf(stopped.report, topic)
  assert.deepEqual([row?.state, row?.reason, row?.records], ['stopped', 'handler-failed', 700])
  const [told] = stopped.mirror.linesLike({ msg: 'batch cannot be handled' })
  assert.match(`${told?.detail}`, /handler .* failed on the record at offset 700: no such country/)

  const flags = [...(options.flags ?? []), '--on-handler-error', 'skip']
  const skipped = await mirrorOnce(t, { ...options, flags })
  assert.equal(skipped.code, 0, skipped.mirror.tail())
  const numbers = (await readNumbers(pair.target.bootstrap, topic)).get(0)
  const wanted = Array.from({ length: 1_000 }, (_, number) => number).filter(n => n !== 700)
  assert.deepEqual(numbers, wanted)
})

test('a handler that never returns is ended, and counts as failed', limit, async t => {
  const endless = `export default record => {
    if (record.offset === 250) for (;;);
    return record
  }`
  const topic = await bothTopics(2)
  await produceNumbered(pair.source.bootstrap, topic, { records: 500, batchRecords: 100 })
  const options = await withHandler(t, topic, endless)
  const flags = [
    ...(options.flags ?? []),
    '--handler-timeout-ms',
    '3000',
    '--on-handler-error',
    'skip'
  ]
  const { code, mirror } = await mirrorOnce(t, { ...options, flags })
  assert.equal(code, 0, mirror.tail())
  for (const numbers of (await readNumbers(pair.target.bootstrap, topic)).values()) {
    const wanted = Array.from({ length: 500 }, (_, number) => number)
    assert.deepEqual(
      numbers,
      wanted.filter(number => number < 200 || number >= 300)
    )
  }
})

test(
  'what a handler fails on goes to the dead letters, with where from and why',
  limit,
  async t => {
    const failing = `export default record => {
    if (record.offset % 100 === 7) throw new Error('no such country')
    return record
  }`
    const topic = await bothTopics(2)
    await produceMixed(pair.source.bootstrap, topic, { records: 2_000, batchRecords: 250 })
    const options = await withHandler(t, topic, failing)
    const flags = [...(options.flags ?? []), '--on-handler-error', 'dead-letter']
    const { code, report, mirror } = await mirrorOnce(t, { ...options, flags })
    assert.equal(code, 0, mirror.tail())
    for (const { delivery } of partitionsOf(report, topic)) assert.equal(delivery, 'exactly-once')
    const [all, passed, letters] = await Promise.all([
      readRecords(pair.source.bootstrap, topic),
      readRecords(pair.target.bootstrap, topic),
      readRecords(pair.target.bootstrap, `${topic}.dlq`)
    ])
    for (const [partition, records] of all) {
      const failed = records.filter(({ offset }) => offset % 100 === 7)
      assert.equal(failed.length, 10)
      const wanted = failed.map(({ offset, headers, ...record }) => ({
        ...record,
        headers: [
          ...headers,
          ['heliostat.source.cluster', Buffer.from('source')],
          ['heliostat.source.topic', Buffer.from(topic)],
          ['heliostat.source.partition', Buffer.from(`${partition}`)],
          ['heliostat.source.offset', Buffer.from(`${offset}`)],
          ['heliostat.handler', Buffer.from(`${flags[1]}`)],
          ['heliostat.error', Buffer.from('no such country')]
        ]
      }))
      assert.deepEqual(letters.get(partition)?.map(withoutOffset), wanted)
      const rest = records.filter(({ offset }) => offset % 100 !== 7)
      assert.deepEqual(passed.get(partition)?.map(withoutOffset), rest.map(withoutOffset))
    }
  }
)

test('a handler splits a topic and chooses partitions by key', limit, async t => {
  const splitting = `export default record => {
    const number = Number.parseInt(record.value.toString(), 10)
    if (number % 2 === 0) return record
    record.topic += '-odd'
    record.partition = 'by-key'
    return record
  }`
  const topic = await bothTopics(3)
  await createTopic(pair.target.bootstrap, `${topic}-odd`, 5)
  await produceNumbered(pair.source.bootstrap, topic, { records: 1_000, batchRecords: 100 })
  const { code, report, mirror } = await mirrorOnce(t, await withHandler(t, topic, splitting))
  assert.equal(code, 0, mirror.tail())
  for (const { delivery, deliveryReason } of partitionsOf(report, topic)) {
    assert.deepEqual([delivery, deliveryReason], ['exactly-once', ''])
  }
  const even = await readRecords(pair.target.bootstrap, topic)
  for (const records of even.values()) {
    assert.deepEqual(
      records.map(({ value }) => recordNumber(value)),
      Array.from({ length: 500 }, (_, place) => place * 2)
    )
  }
  const odd = await readRecords(pair.target.bootstrap, `${topic}-odd`)
  assert.equal(
    [...odd.values()].reduce((sum, records) => sum + records.length, 0),
    1_500
  )
  for (const [partition, records] of odd) {
    const last = new Map<string, number>()
    for (const { key, value } of records) {
      assert.equal(partitionOfKey(key as Buffer, 5), partition)
      const [from] = `${key}`.split('-') as [string]
      const number = recordNumber(value)
      assert.ok(number > (last.get(from) ?? -1), `${number} of ${from} is out of order`)
      last.set(from, number)
    }
  }
})

test('killed again and again, what goes to other partitions is there once', limit, async t => {
  const topic = await bothTopics(3)
  await createTopic(pair.target.bootstrap, `${topic}-other`, splitPartitions)
  const load = await startLoad(pair.source.bootstrap, topic, {
    everyMs: 50,
    batchRecords: 20,
    isIdempotent: true
  })
  t.after(() => load.stop().catch(() => undefined))
  const options = await withHandler(t, topic, splitHandler)
  // Handlers' threads take most of a second to start.
  const flags = [...(options.flags ?? []), '--offset.commit.interval.ms', '2000']
  const consumer = { 'group.instance.id': 'one' }
  const mirrors = { ...options, consumer, flags }
  const random = seededRandom(t)
  let lives = await killAgainAndAgain(t, mirrors, 6, random, 3_000)
  // On a busy machine all of them may have died before they wrote.
  for (let more = 0; lives.arrived === 0 && more < 4; more++)
    lives = await killAgainAndAgain(t, mirrors, 3, random, 6_000)
  await load.stop()
  t.diagnostic(`${load.records} records, ${lives.arrived} found behind commits`)
  assert.ok(lives.arrived > 0)
  for (const { delivery } of lives.started) assert.equal(delivery, 'exactly-once')
  const { code, report, mirror } = await mirrorOnce(t, options)
  assert.equal(code, 0, mirror.tail())
  for (const { delivery } of partitionsOf(report, topic)) assert.equal(delivery, 'exactly-once')
  await assertSplit(pair.target.bootstrap, topic, { partitions: 3, count: load.records / 3 })
})

function withoutOffset({ offset: _, ...record }: DecodedRecord) {
  return record
}

test('a handler that allocates without end is ended, and the policy decides', limit, async t => {
  const greedy = `export default record => {
    if (record.offset !== 250) return record
    const kept = []
    for (;;) kept.push(new Array(100_000).fill(0.5))
  }`
  const topic = await bothTopics(1)
  await produceNumbered(pair.source.bootstrap, topic, { records: 500, batchRecords: 100 })
  const options = await withHandler(t, topic, greedy)
  const stopped = await mirrorOnce(t, options)
  assert.equal(stopped.code, 1, stopped.mirror.tail())
  const [row] = partitionsOf(stopped.report, topic)
  assert.deepEqual([row?.state, row?.reason, row?.records], ['stopped', 'handler-failed', 200])
  const [told] = stopped.mirror.linesLike({ msg: 'batch cannot be handled' })
  assert.match(`${told?.detail}`, /offset 200: .*memory limit/)

  const flags = [...(options.flags ?? []), '--on-handler-error', 'skip']
  const { code, mirror } = await mirrorOnce(t, { ...options, flags })
  assert.equal(code, 0, mirror.tail())
  const wanted = Array.from({ length: 500 }, (_, number) => number)
  assert.deepEqual(
    (await readNumbers(pair.target.bootstrap, topic)).get(0),
    wanted.filter(number => number < 200 || number >= 300)
  )
})

async function bothTopics(partitions: number): Promise<string> {
  const topic = `handled-${randomUUID()}`
  await Promise.all(
    [pair.source, pair.target].map(({ bootstrap }) => createTopic(bootstrap, topic, partitions))
  )
  return topic
}

async function withHandler(t: TestContext, topic: string, code: string): Promise<MirrorOptions> {
  const file = await writeHandler(t, code)
  const names = { whitelist: topic, group: topic }
  return { source: pair.source, target: pair.target, ...names, flags: ['--message.handler', file] }
}

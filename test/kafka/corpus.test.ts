// All shapes of batches at once, between real clusters in both directions: every record arrives as it was, and Kafka's
// own consumer agrees.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { consumedRecords } from '../support/consumed-records.ts'
import { compareBatchBytes, compareTopics, digestTopic } from '../support/digest.ts'
import {
  fillEveryShape,
  firstLeft,
  insideOffsets,
  type ShapeName,
  shapeNames
} from '../support/every-shape.ts'
import { countRecords } from '../support/group-lag.ts'
import { type KafkaCluster, startPair } from '../support/kafka-broker.ts'
import { countArrived } from '../support/killed-mirror.ts'
import {
  type BoundedRun,
  mirrorOnce,
  partitionsOf,
  startMirror
} from '../support/mirror-process.ts'
import { type RawClient, withClient } from '../support/raw-client.ts'
import { type DecodedRecord, decodeBatch } from '../support/records.ts'
import { readBatches } from '../support/topic-reader.ts'
import { verify } from '../support/verify-process.ts'

const limit = { timeout: 240_000 }
const isolation = 'read_committed'

/** One direction, once its mirror has run. */
type Copy = BoundedRun & Options

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  // The cleaner looks for work every 15 s unless told otherwise.
  const side = { config: { 'log.cleaner.backoff.ms': 100 } }
  pair = await startPair({ source: side, target: side })
})
after(() => pair?.close())

// T1, T2, T5, T6, T10, T11, T12, T18, T19
test('every shape, from 3.9 to 4.1', limit, async t => {
  const options = await prepare(pair.source, pair.target)
  const copy = await mirrorAll(t, options)
  await assertSame(t, copy)
  assertPaths(copy)
})

// P1
test('every shape, from 4.1 to 3.9, with a mirror that is killed before', limit, async t => {
  const options = await prepare(pair.target, pair.source)
  const flags = ['--offset.commit.interval.ms', '600000']
  const killed = await startMirror(t, { ...options, flags })
  const counts = () =>
    Promise.all(
      shapeNames.map(shape => countRecords(options.target.bootstrap, named(options, shape)))
    )
  await killed.until('records everywhere', async () => !(await counts()).includes(0), 60_000)
  killed.kill('SIGKILL')
  await killed.exited
  const copy = await mirrorAll(t, options)
  assert.ok(countArrived(copy.mirror) > 0)
  for (const shape of shapeNames) assertDelivery(copy, shape, ['exactly-once', ''])
  await assertSame(t, copy)
})

type Options = {
  source: KafkaCluster
  target: KafkaCluster
  whitelist: string
  group: string
  consumer: Record<string, string>
}

/** The filled source, with a group that begins inside the batches of one topic. */
async function prepare(source: KafkaCluster, target: KafkaCluster): Promise<Options> {
  const group = `shapes-${randomUUID()}`
  await fillEveryShape(source, target, group)
  await commitEachOffset(source, group)
  return {
    source,
    target,
    whitelist: `${group}-.*`,
    group,
    consumer: { 'group.instance.id': 'one' }
  }
}

async function mirrorAll(t: TestContext, options: Options): Promise<Copy> {
  const copy = { ...(await mirrorOnce(t, options, 120_000)), ...options }
  assert.equal(copy.code, 0, copy.mirror.tail())
  return copy
}

async function assertSame(t: TestContext, copy: Copy): Promise<void> {
  await assertEqualDigests(copy)
  await assertDense(copy)
  await assertDeleted(copy)
  await assertInside(copy)
  assertWarned(copy)
  await assertVerified(t, copy)
  await assertConsumed(copy)
}

function named({ group }: { group: string }, shape: ShapeName): string {
  return `${group}-${shape}`
}

/** In the group of a program that knows nothing of batches. */
async function commitEachOffset(source: KafkaCluster, group: string): Promise<void> {
  const topic = named({ group }, 'inside')
  const rows = Array.from({ length: insideOffsets + 1 }, (_, from) => {
    return { topic, partition: from, offset: from }
  })
  await withClient(source.bootstrap, client => client.groups.offsetCommit(group, rows))
}

const wholeShapes = ['mixed', 'transactions', 'compacted', 'recompressed'] as const

async function assertEqualDigests(copy: Copy): Promise<void> {
  const compare = (shapes: readonly ShapeName[], times: 'typed' | 'values' | 'none') => {
    const topics = shapes.map(shape => named(copy, shape))
    const { source, target } = copy
    return compareTopics(source.bootstrap, target.bootstrap, topics, { isolation, times })
  }
  assert.deepEqual(await compare(wholeShapes, 'typed'), [])
  const [mixed] = wholeShapes
  const { source, target } = copy
  const bytes = await compareBatchBytes(source.bootstrap, target.bootstrap, named(copy, mixed))
  assert.deepEqual(bytes, [])
  assert.deepEqual(await compare(['append-to-create'], 'values'), [])
  assert.deepEqual(await compare(['create-to-append', 'append-to-append'], 'none'), [])
}

/** What is on the target has nothing of the source's history: no holes, markers, transactions or delete horizons. */
async function assertDense(copy: Copy): Promise<void> {
  await withClient(copy.target.bootstrap, async client => {
    for (const shape of shapeNames) {
      const topic = named(copy, shape)
      for (const partition of await client.partitions(topic)) {
        for await (const { header } of readBatches(client, topic, partition)) {
          const place = `${topic}-${partition} at ${header.baseOffset}`
          assert.equal(header.recordCount, header.lastOffsetDelta + 1, place)
          assert.equal(header.attributes & 0xfff0, 0, place)
          if (shape === 'recompressed') assert.equal(header.codec, 'gzip', place)
        }
      }
    }
  })
}

async function assertDeleted(copy: Copy): Promise<void> {
  const topic = named(copy, 'deleted')
  await withClient(copy.target.bootstrap, async client => {
    for (const partition of await client.partitions(topic)) {
      const keys = (await recordsFrom(client, topic, partition, 0)).map(({ key }) => Number(key))
      const left = Array.from({ length: 120 - firstLeft }, (_, place) => firstLeft + place)
      assert.deepEqual(keys, left, `partition ${partition}`)
    }
  })
}

async function assertInside(copy: Copy): Promise<void> {
  const topic = named(copy, 'inside')
  for (let from = 0; from <= insideOffsets; from++) {
    const [ours, theirs] = await Promise.all([
      withClient(copy.source.bootstrap, client => recordsFrom(client, topic, from, from)),
      withClient(copy.target.bootstrap, client => recordsFrom(client, topic, from, 0))
    ])
    assert.deepEqual(theirs.map(withoutOffset), ours.map(withoutOffset), `from offset ${from} on`)
  }
}

async function recordsFrom(
  client: RawClient,
  topic: string,
  partition: number,
  from: number
): Promise<DecodedRecord[]> {
  const records: DecodedRecord[] = []
  for await (const { bytes } of readBatches(client, topic, partition, { isolation })) {
    records.push(...decodeBatch(bytes).records.filter(({ offset }) => offset >= from))
  }
  return records
}

function withoutOffset({ offset: _, ...record }: DecodedRecord): object {
  return record
}

function assertPaths(copy: Copy): void {
  const expected: [ShapeName, string[]][] = [
    ['mixed', ['shallow']],
    ['transactions', ['aborted', 'control', 'shallow']],
    ['compacted', ['empty', 'holes', 'shallow']],
    ['append-to-create', ['append-time']],
    ['create-to-append', ['shallow']],
    ['append-to-append', ['shallow']],
    ['recompressed', ['shallow']],
    ['deleted', ['head-trim', 'shallow']],
    ['inside', ['aborted', 'control', 'head-trim', 'shallow']]
  ]
  for (const [shape, reasons] of expected) {
    const partitions = partitionsOf(copy.report, named(copy, shape))
    const found = new Set(partitions.flatMap(({ reasons }) => Object.keys(reasons)))
    assert.deepEqual([...found].sort(), reasons, shape)
    const isSet = shape === 'inside'
    assertDelivery(copy, shape, isSet ? ['at-least-once', 'foreign-commit'] : ['exactly-once', ''])
  }
}

function assertDelivery(copy: Copy, shape: ShapeName, level: readonly string[]): void {
  for (const { delivery, deliveryReason } of partitionsOf(copy.report, named(copy, shape))) {
    assert.deepEqual([delivery, deliveryReason], level, shape)
  }
}

function assertWarned(copy: Copy): void {
  const warnings = copy.mirror.lines.filter(({ msg }) => msg.includes('recompresses every batch'))
  assert.deepEqual(
    warnings.map(({ level, topic, compressionType }) => [level, topic, compressionType]),
    [['warn', named(copy, 'recompressed'), 'gzip']]
  )
}

async function assertVerified(t: TestContext, copy: Copy): Promise<void> {
  const { source, target, group } = copy
  const complete = shapeNames.filter(shape => shape !== 'inside')
  const whitelist = complete.map(shape => named(copy, shape)).join('|')
  for (const flags of [[], ['--counts']]) {
    const { code, err, lanes } = await verify(t, { source, target, group, whitelist, flags })
    assert.equal(code, 0, err + JSON.stringify(lanes))
  }
  // What lies before a start that somebody set is missing, and nothing else.
  const begun = await verify(t, { source, target, group, whitelist: named(copy, 'inside') })
  for (const { partition, counts } of begun.lanes) {
    const { missing, ...others } = counts
    const committed = Array.from({ length: partition }, (_, offset) => offset).filter(isCommitted)
    assert.equal(missing, committed.length, `partition ${partition}`)
    assert.ok(Object.values(others).every(count => count === 0))
  }
}

/** Of the topic `inside`: 6 and 10 are markers, 7 to 9 are aborted. */
function isCommitted(offset: number): boolean {
  return offset !== 6 && !(offset >= 7 && offset <= 10)
}

/** Kafka's consumer, on all topics whose times are to be the same. */
async function assertConsumed(copy: Copy): Promise<void> {
  const topics = [...wholeShapes, 'append-to-create' as const].map(shape => named(copy, shape))
  let count = 0
  for (const topic of topics) {
    const digests = await digestTopic(copy.source.bootstrap, topic, { isolation })
    for (const { records } of digests.values()) count += records
  }
  const [ours, theirs] = await Promise.all([
    consumedRecords(copy.source, topics, count),
    consumedRecords(copy.target, topics, count)
  ])
  assert.equal(ours.length, count)
  assert.deepEqual(theirs, ours)
}

// A group that MirrorMaker 1 leaves in the middle of its work is taken over with the same files, and can go back.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { decodeCheckpoint } from '../../src/mirror/checkpoint.ts'
import { produceNumbered } from '../support/corpus.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic, describeGroup } from '../support/kafka-tools.ts'
import { makeFolder, startMirrorMaker } from '../support/mirror-maker.ts'
import { startMirrorMaker1 } from '../support/mirror-maker-1.ts'
import { RawClient, withClient } from '../support/raw-client.ts'
import { decodeBatch } from '../support/records.ts'
import { readBatches } from '../support/topic-reader.ts'
import { waitFor } from '../support/wait.ts'

const limit = { timeout: 180_000 }
const partitions = 4
const batchRecords = 500
/** In each partition. */
const records = 30_000
/** In all more than MirrorMaker's producer buffers, and so sends after it is told to end: 32 MiB. */
const recordBytes = 400
/** A member that was killed keeps others of another kind out of its group for so long. */
const sessionMs = 6_000
const commitFlags = ['--offset.commit.interval.ms', '1000']

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(
    `MirrorMaker 1 ended by ${signal}: nothing missing, and twice only what it had not committed`,
    limit,
    async t => {
      const topic = `taken-${randomUUID()}`
      const { folder, args } = await prepare(t, topic)
      await copyWithMirrorMaker1(t, topic, folder, [...args, ...commitFlags], signal)
      const left = await readCommits(topic)
      assert.ok(
        left.some(({ offset }) => offset % batchRecords !== 0),
        `a commit inside a batch: ${left.map(({ offset }) => offset)}`
      )
      const copied = countByPartition(await readTarget(topic))

      const mirror = startMirrorMaker(t, folder, [...args, ...commitFlags])
      const isDone = async () => (await groupLag(pair.source.bootstrap, topic, [topic])) === 0
      await mirror.until('lag 0', isDone, 60_000)
      assert.equal(await mirror.stop(), 0, mirror.tail())
      if (signal === 'SIGKILL') {
        const [kept] = mirror.linesLike({
          msg: 'the group does not take this member; trying again'
        })
        assert.match(`${kept?.fix}`, /stop MirrorMaker everywhere/)
      }
      const found = await readTarget(topic)
      assert.equal(found.size, partitions * records, 'records that are on the target')

      for (let partition = 0; partition < partitions; partition++) {
        const offset = left.find(row => row.partition === partition)?.offset ?? 0
        const twice = [...found].filter(([key, times]) => isOf(key, partition) && times > 1)
        assert.ok(twice.every(([, times]) => times === 2))
        assert.equal(twice.length, (copied.get(partition) ?? 0) - offset, `twice: ${partition}`)
      }
    }
  )
}

test(
  'afterwards the offsets are ordinary ones, and MirrorMaker 1 goes on with them',
  limit,
  async t => {
    const topic = `back-${randomUUID()}`
    const { folder, args } = await prepare(t, topic)
    await copyWithMirrorMaker1(t, topic, folder, args, 'SIGTERM')
    const mirror = startMirrorMaker(t, folder, args)
    const hasAll = async () => (await readTarget(topic)).size === partitions * records
    await mirror.until('all records', hasAll, 60_000)
    assert.equal(await mirror.stop(), 0, mirror.tail())
    const rows = await describeGroup(pair.source, topic)
    assert.deepEqual(
      rows.map(({ partition, current, lag }) => [partition, current, lag]).sort(),
      [0, 1, 2, 3].map(partition => [partition, records, 0])
    )

    const before = await countRecords(pair.target.bootstrap, topic)
    await produceNumbered(pair.source.bootstrap, topic, { records: 1_000, from: records })
    const maker = await startMirrorMaker1(t, folder, args)
    const describe = () => maker.output()
    const wanted = before + 1_000 * partitions
    const hasMore = async () => (await countRecords(pair.target.bootstrap, topic)) >= wanted
    await waitFor('the new records', hasMore, { describe, limitMs: 60_000 })
    await maker.end('SIGTERM')
    assert.equal(
      await countRecords(pair.target.bootstrap, topic),
      wanted,
      'MirrorMaker repeats none'
    )
    for (const { offset, metadata } of await readCommits(topic)) {
      assert.equal(offset, records + 1_000)
      assert.equal(decodeCheckpoint(metadata ?? '').kind, 'none')
    }
  }
)

// The first commit of a lane is where it starts, be it inside a batch: the next run must still know what to do there.
test(
  'a mirror that dies before its first own commit is followed by one that goes on',
  limit,
  async t => {
    const topic = `died-${randomUUID()}`
    const { folder, args } = await prepare(t, topic)
    await copyWithMirrorMaker1(t, topic, folder, args, 'SIGTERM')
    const first = startMirrorMaker(t, folder, [...args, '--offset.commit.interval.ms', '600000'])
    const copied = await countRecords(pair.target.bootstrap, topic)
    const hasMoved = async () => (await countRecords(pair.target.bootstrap, topic)) > copied
    await first.until('a batch of its own', hasMoved)
    first.kill('SIGKILL')
    await first.exited
    const own = await readCommits(topic)
    assert.ok(own.every(({ metadata }) => decodeCheckpoint(metadata ?? '').kind === 'own'))
    assert.ok(own.some(({ offset }) => offset % batchRecords !== 0))
    const second = startMirrorMaker(t, folder, [...args, ...bounded])
    assert.equal(await second.exit(60_000), 0, second.tail())
    const found = await readTarget(topic)
    assert.equal(found.size, partitions * records)
    assert.equal(Math.max(...found.values()), 1, 'records twice')
  }
)

const bounded = ['--until-caught-up', '--http', 'off']
/** A filled topic, one of its name on the target, and the files that MirrorMaker and heliostat are given. */
async function prepare(t: TestContext, topic: string): Promise<{ folder: string; args: string[] }> {
  const { source, target } = pair
  await createTopic(source.bootstrap, topic, partitions)
  await createTopic(target.bootstrap, topic, partitions)
  await produceNumbered(source.bootstrap, topic, {
    records,
    recordBytes,
    batchRecords,
    codec: 'lz4'
  })
  const folder = await makeFolder(t)
  const consumer = [
    `bootstrap.servers=${source.bootstrap}`,
    `group.id=${topic}`,
    'auto.offset.reset=earliest',
    `session.timeout.ms=${sessionMs}`,
    'heartbeat.interval.ms=2000',
    'partition.assignment.strategy=org.apache.kafka.clients.consumer.RoundRobinAssignor'
  ]
  const producer = [
    `bootstrap.servers=${target.bootstrap}`,
    'acks=all',
    'compression.type=lz4',
    'max.in.flight.requests.per.connection=1'
  ]
  await writeFile(join(folder, 'consumer.properties'), `${consumer.join('\n')}\n`)
  await writeFile(join(folder, 'producer.properties'), `${producer.join('\n')}\n`)
  const files = ['--consumer.config', 'consumer.properties', '--producer.config']
  return { folder, args: [...files, 'producer.properties', '--whitelist', topic] }
}

/** Lets MirrorMaker 1 work until a part of the records is on the target. */
async function copyWithMirrorMaker1(
  t: TestContext,
  topic: string,
  folder: string,
  args: string[],
  signal: 'SIGTERM' | 'SIGKILL'
): Promise<void> {
  const maker = await startMirrorMaker1(t, folder, args)
  const describe = () => maker.output()
  const hasSome = async () => (await countRecords(pair.target.bootstrap, topic)) > 8_000
  await waitFor('some records', hasSome, { limitMs: 60_000, everyMs: 20, describe })
  if (signal === 'SIGKILL') {
    const hasCommitted = async () => (await readCommits(topic)).length > 0
    await waitFor('a commit', hasCommitted, { everyMs: 20, describe })
  }
  await maker.end(signal)
  const copied = await countRecords(pair.target.bootstrap, topic)
  assert.ok(copied < partitions * records, `stopped in the middle: ${copied}`)
}

async function readCommits(topic: string) {
  return withClient(pair.source.bootstrap, async client => {
    const rows = await client.groups.offsetFetch(topic)
    return rows.filter(row => row.topic === topic && row.offset >= 0)
  })
}

/** How often each record is on the target, by its key. MirrorMaker 1 may have put it into any partition. */
async function readTarget(topic: string): Promise<Map<string, number>> {
  const client = new RawClient(pair.target.bootstrap)
  const times = new Map<string, number>()
  try {
    for (const partition of await client.partitions(topic)) {
      for await (const { bytes } of readBatches(client, topic, partition)) {
        for (const { key } of decodeBatch(bytes).records) {
          times.set(`${key}`, (times.get(`${key}`) ?? 0) + 1)
        }
      }
    }
    return times
  } finally {
    client.close()
  }
}

/** Keys begin with the partition of the source. */
function isOf(key: string, partition: number): boolean {
  return key.startsWith(`${partition}-`)
}

function countByPartition(times: ReadonlyMap<string, number>): Map<number, number> {
  const counts = new Map<number, number>()
  for (const [key, count] of times) {
    const partition = Number.parseInt(key, 10)
    counts.set(partition, (counts.get(partition) ?? 0) + count)
  }
  return counts
}

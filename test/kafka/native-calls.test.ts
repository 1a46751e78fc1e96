// What the addon tells of groups and of batches, held against brokers that do what brokers do.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import {
  type BatchHeader,
  Cluster,
  Group,
  type GroupEvent,
  type Isolation,
  type Properties,
  type TopicPartition
} from '../../src/native/index.ts'
import { produceNumbered } from '../support/corpus.ts'
import { type KafkaCluster, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion, targetVersion } from '../support/kafka-jars.ts'
import { createTopic, deleteRecords } from '../support/kafka-tools.ts'
import { RawClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { produceTransactions } from '../support/transactions.ts'
import { waitFor } from '../support/wait.ts'

const limit = { timeout: 150_000 }
const timeoutMs = 10_000
let one: KafkaCluster
let two: KafkaCluster

before(async () => {
  const started = await Promise.all([
    startBroker({ version: sourceVersion }),
    startBroker({ version: targetVersion, nodes: 2 })
  ])
  ;[one, two] = started as [KafkaCluster, KafkaCluster]
})
after(() => Promise.all([one, two].map(cluster => cluster?.close())))

test('the offsets of a group, with and without members', limit, async t => {
  const topic = randomUUID()
  await createTopic(one.bootstrap, topic, 3)
  const client = new RawClient(one.bootstrap)
  t.after(() => client.close())
  const wanted = [
    { topic, partition: 0, offset: 7, metadata: '' },
    { topic, partition: 2, offset: 0, metadata: 'h1;ünïcode=✓' }
  ]
  await client.groups.offsetCommit(topic, wanted)
  const cluster = open(t, one)
  const offsets = await cluster.groupOffsets(topic, timeoutMs)
  assert.deepEqual(
    offsets.sort((a, b) => a.partition - b.partition),
    wanted
  )
  assert.deepEqual(await cluster.groupOffsets(`${topic}-unknown`, timeoutMs), [])
  assert.equal((await cluster.describeGroup(topic, timeoutMs)).state, 'Empty')
})

test('a group is described: none, with members, and left', limit, async t => {
  const topic = randomUUID()
  await createTopic(one.bootstrap, topic, 3)
  const cluster = open(t, one)
  const unknown = await cluster.describeGroup(topic, timeoutMs)
  assert.equal(unknown.state, 'Dead')
  assert.deepEqual(unknown.members, [])

  const members = [
    join(t, topic, [topic], { 'client.id': 'first' }),
    join(t, topic, [topic], { 'client.id': 'second', 'group.instance.id': 'rack-2' })
  ]
  const isShared = () => members.every(member => member.partitions.length > 0)
  await waitFor('a share for both', isShared)
  const described = await waitFor('a stable group', async () => {
    const description = await cluster.describeGroup(topic, timeoutMs)
    return description.state === 'Stable' && description.members.length === 2 && description
  })
  assert.equal(described.assignor, 'cooperative-sticky')
  assert.equal(`${described.coordinator?.host}:${described.coordinator?.port}`, one.bootstrap)
  const found = described.members.sort((a, b) => (a.clientId < b.clientId ? -1 : 1))
  assert.deepEqual(
    found.map(({ clientId, instanceId, host }) => [clientId, instanceId, host]),
    [
      ['first', '', '/127.0.0.1'],
      ['second', 'rack-2', '/127.0.0.1']
    ]
  )
  for (const [index, { memberId, partitions }] of found.entries()) {
    const member = members[index] as Member
    assert.equal(memberId, member.group.memberId())
    assert.deepEqual(names(partitions), names(member.partitions))
  }
  assert.deepEqual(names(found.flatMap(({ partitions }) => partitions)), [
    `${topic}-0`,
    `${topic}-1`,
    `${topic}-2`
  ])
  await Promise.all(members.map(member => member.leave()))
  const left = await waitFor('a group that was left', async () => {
    const description = await cluster.describeGroup(topic, timeoutMs)
    return description.members.length < 2 && description
  })
  // A static member stays until its session runs out.
  assert.deepEqual(
    left.members.map(({ instanceId }) => instanceId),
    ['rack-2']
  )
})

test('a new partition is given out by the metadata of the discovery', limit, async t => {
  const topic = randomUUID()
  await createTopic(one.bootstrap, topic, 1)
  const refresh = { 'topic.metadata.refresh.interval.ms': '300000' }
  const member = join(t, topic, [topic], refresh)
  await waitFor('the first partition', () => member.partitions.length === 1)
  const client = new RawClient(one.bootstrap)
  t.after(() => client.close())
  await client.admin.createPartitions(topic, 3)
  const metadata = await member.group.metadata(timeoutMs)
  const found = metadata.topics.find(entry => entry.topic === topic)
  assert.equal(found?.partitions.length, 3)
  await waitFor('the new partitions', () => member.partitions.length === 3, { limitMs: 3_000 })
})

test('headers of small, large and largest batches in one call', limit, async t => {
  const topic = randomUUID()
  await createTopic(one.bootstrap, topic, 4)
  const client = new RawClient(one.bootstrap)
  t.after(() => client.close())
  const sizes = [100, 16_384, 900_000]
  for (const [partition, bytes] of sizes.entries()) {
    for (let number = 0; number < 3; number++) {
      await client.append(topic, partition, batchOf(bytes))
    }
  }
  const asked = [0, 1, 2, 3].map(partition => ({ topic, partition, offset: 0 }))
  const found = await open(t, one).readHeaders(asked, 4_096, 'read_uncommitted', timeoutMs)
  assert.deepEqual(
    found.map(({ topic: name, partition, failure }) => [name, partition, failure]),
    asked.map(({ partition }) => [topic, partition, undefined])
  )
  for (const [partition, bytes] of sizes.entries()) {
    const row = found[partition]
    assert.ok(row !== undefined && row.batches.length > 0)
    assert.deepEqual([row.logStartOffset, row.highWatermark, row.lastStableOffset], [0, 6, 6])
    for (const [place, header] of row.batches.entries()) {
      assert.deepEqual(shape(header), [place * 2, place * 2 + 1, 2, 2, 'none', -1])
      assert.ok(Math.abs(header.bytes - bytes) < 200, `${header.bytes} of ${bytes}`)
      assert.deepEqual([header.firstTimestamp, header.maxTimestamp], [1_000, 2_000])
    }
  }
  // Three small ones fit, of the others what a broker has to send at least.
  assert.equal(found[0]?.batches.length, 3)
  assert.deepEqual([found[3]?.batches, found[3]?.highWatermark], [[], 0])
})

test('headers inside a batch, at the end, and before the start of the log', limit, async t => {
  const topic = randomUUID()
  await createTopic(one.bootstrap, topic, 1)
  await produceNumbered(one.bootstrap, topic, { records: 300, batchRecords: 100 })
  const cluster = open(t, one)
  const read = async (offset: number) => {
    const [row] = await cluster.readHeaders(
      [{ topic, partition: 0, offset }],
      4_096,
      'read_uncommitted',
      timeoutMs
    )
    assert.ok(row !== undefined)
    return row
  }
  const inside = await read(150)
  assert.deepEqual(
    inside.batches.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset]).slice(0, 1),
    [[100, 199]]
  )
  const end = await read(300)
  assert.deepEqual([end.batches, end.failure, end.highWatermark], [[], undefined, 300])
  const beyond = await read(301)
  assert.equal(beyond.failure?.name, 'OFFSET_OUT_OF_RANGE')
  await deleteRecords(one.bootstrap, topic, 0, 150)
  const deleted = await read(20)
  assert.equal(deleted.failure?.name, 'OFFSET_OUT_OF_RANGE')
  const cut = await read(150)
  assert.equal(cut.logStartOffset, 150)
  assert.deepEqual(cut.batches.map(({ baseOffset }) => baseOffset).slice(0, 1), [100])
})

test('headers of a topic that is not there, beside one that is', limit, async t => {
  const topic = randomUUID()
  await createTopic(one.bootstrap, topic, 1)
  await produceNumbered(one.bootstrap, topic, { records: 10 })
  const asked = [
    { topic: `${topic}-unknown`, partition: 0, offset: 0 },
    { topic, partition: 5, offset: 0 },
    { topic, partition: 0, offset: 0 }
  ]
  const rows = await open(t, one).readHeaders(asked, 4_096, 'read_committed', timeoutMs)
  assert.deepEqual(
    rows.map(({ failure, batches }) => [failure?.name, batches.length]),
    [
      ['UNKNOWN_TOPIC_OR_PARTITION', 0],
      ['UNKNOWN_TOPIC_OR_PARTITION', 0],
      [undefined, 1]
    ]
  )
  assert.deepEqual(await open(t, one).readHeaders([], 4_096, 'read_committed', timeoutMs), [])
})

test('headers below and beyond an open transaction', limit, async t => {
  const topic = randomUUID()
  await createTopic(one.bootstrap, topic, 1)
  await produceNumbered(one.bootstrap, topic, { records: 10 })
  const { open: transaction } = await produceTransactions(one.bootstrap, topic, {
    transactions: 1,
    leaveOpen: true
  })
  const client = new RawClient(one.bootstrap)
  t.after(async () => {
    if (transaction) await client.transactions.end(transaction, 'abort')
    client.close()
  })
  const cluster = open(t, one)
  const read = async (offset: number, isolation: Isolation) => {
    const asked = [{ topic, partition: 0, offset }]
    const [row] = await cluster.readHeaders(asked, 65_536, isolation, timeoutMs)
    assert.equal(row?.failure, undefined)
    return row
  }
  const committed = await read(0, 'read_committed')
  assert.deepEqual([committed?.batches.length, committed?.lastStableOffset], [1, 10])
  assert.ok((committed?.highWatermark ?? 0) > 10)
  // Nothing that may be read lies there: it is the end, and comes soon.
  const startedAt = performance.now()
  assert.deepEqual((await read(10, 'read_committed'))?.batches, [])
  assert.ok(performance.now() - startedAt < 5_000)
  const uncommitted = await read(10, 'read_uncommitted')
  assert.ok((uncommitted?.batches.length ?? 0) > 0)
  for (const batch of uncommitted?.batches ?? []) {
    assert.equal(batch.isTransactional, true)
    assert.equal(batch.producerId, transaction?.producerId)
  }
})

const slow = { timeout: 150_000 }

test('headers and committed offsets of a thousand partitions in one call', slow, async t => {
  const topic = randomUUID()
  const count = 1_000
  const client = new RawClient(one.bootstrap)
  t.after(() => client.close())
  await createTopic(one.bootstrap, topic, count)
  // A busy disk takes its time to make them all.
  const isThere = () => client.offsets(topic).catch(() => undefined)
  await waitFor('the partitions', isThere, { limitMs: 100_000 })
  await produceNumbered(one.bootstrap, topic, { records: 10, inFlight: 1 })
  const cluster = open(t, one)
  const asked = Array.from({ length: count }, (_, partition) => ({ topic, partition, offset: 0 }))
  const beforeHeaders = performance.now()
  const rows = await cluster.readHeaders(asked, 4_096, 'read_committed', timeoutMs)
  t.diagnostic(`headers in ${Math.round(performance.now() - beforeHeaders)} ms`)
  assert.equal(rows.filter(({ batches }) => batches.length === 1).length, count)
  assert.deepEqual(
    rows.map(({ partition }) => partition),
    asked.map(({ partition }) => partition)
  )

  const wanted = asked.map(row => ({ ...row, metadata: 'x'.repeat(2_000) }))
  for (let from = 0; from < count; from += 100) {
    await client.groups.offsetCommit(topic, wanted.slice(from, from + 100))
  }
  const beforeOffsets = performance.now()
  const offsets = await cluster.groupOffsets(topic, timeoutMs)
  t.diagnostic(`offsets in ${Math.round(performance.now() - beforeOffsets)} ms`)
  assert.deepEqual(
    offsets.sort((a, b) => a.partition - b.partition),
    wanted
  )
})

test(
  'a broker that hangs or dies costs its own partitions, and no more than the time',
  limit,
  async t => {
    const topic = randomUUID()
    const client = new RawClient(two.bootstrap)
    t.after(() => client.close())
    await client.admin.createTopics({ name: topic, assignments: [[1], [2], [1], [2]] })
    await produceNumbered(two.bootstrap, topic, { records: 10 })
    const [healthy, ill] = two.nodes
    assert.ok(healthy !== undefined && ill !== undefined)
    const cluster = open(t, { bootstrap: `127.0.0.1:${healthy.port}` })
    const asked = [0, 1, 2, 3].map(partition => ({ topic, partition, offset: 0 }))
    const read = async (withinMs: number) => {
      const startedAt = performance.now()
      const rows = await cluster.readHeaders(asked, 4_096, 'read_uncommitted', withinMs)
      const tookMs = performance.now() - startedAt
      assert.ok(tookMs < withinMs + 2_000, `${tookMs} ms`)
      return rows.map(({ batches, failure }) => failure?.name ?? batches.length)
    }
    assert.deepEqual(await read(timeoutMs), [1, 1, 1, 1])
    await ill.kill('SIGSTOP')
    // The metadata may be asked for at the broker that hangs: then the call as a whole runs out of time. And a
    // signal may take a moment.
    const readOnce = async () => {
      const rows = await read(2_000).catch(() => undefined)
      return rows?.some(row => row !== 1) && rows
    }
    const hung = await waitFor('an answer of the other broker', readOnce)
    await ill.kill('SIGCONT')
    assert.deepEqual([hung[0], hung[2]], [1, 1])
    assert.match(`${hung[1]} ${hung[3]}`, /^_\w+ _\w+$/)
    await ill.kill('SIGKILL')
    const dead = await waitFor('an answer without the dead broker', readOnce)
    assert.deepEqual([dead[0], dead[2]], [1, 1])
    assert.match(`${dead[1]} ${dead[3]}`, /^_?[A-Z]\w+ _?[A-Z]\w+$/)
  }
)

type Member = { group: Group; partitions: TopicPartition[]; leave(): Promise<void> }

/** A member that takes and gives back what the group says. */
function join(
  t: TestContext,
  groupId: string,
  topics: string[],
  properties: Properties = {}
): Member {
  const group = new Group({
    'bootstrap.servers': one.bootstrap,
    'group.id': groupId,
    'session.timeout.ms': '6000',
    'heartbeat.interval.ms': '500',
    ...properties
  })
  const timer = setInterval(() => {
    for (const event of group.poll()) handle(event)
  }, 50)
  const leave = () => {
    clearInterval(timer)
    return group.close()
  }
  t.after(leave)
  const member: Member = { group, partitions: [], leave }
  const handle = (event: GroupEvent) => {
    if (event.type === 'assign') {
      group.assign()
      member.partitions.push(...event.partitions)
    } else if (event.type === 'revoke') {
      group.unassign()
      const gone = new Set(names(event.partitions))
      member.partitions = member.partitions.filter(row => !gone.has(nameOf(row)))
    }
  }
  group.subscribe(topics)
  return member
}

function open(t: TestContext, { bootstrap }: { bootstrap: string }): Cluster {
  const cluster = new Cluster({ 'bootstrap.servers': bootstrap })
  t.after(() => cluster.close())
  return cluster
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

function names(partitions: readonly TopicPartition[]): string[] {
  return partitions.map(nameOf).sort()
}

/** Two records that make a batch of about so many bytes. */
function batchOf(bytes: number): Buffer {
  const value = 'x'.repeat(Math.max(1, Math.floor((bytes - 80) / 2)))
  return encodeBatch([
    { value, timestamp: 1_000 },
    { value, timestamp: 2_000 }
  ])
}

function shape(header: BatchHeader): unknown[] {
  const { baseOffset, lastOffset, records, magic, codec, producerId } = header
  return [baseOffset, lastOffset, records, magic, codec, producerId]
}

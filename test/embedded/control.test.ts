// The control part of the addon (Cluster, Group, MockCluster) on librdkafka's embedded mock clusters.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import {
  Cluster,
  failureOf,
  Group,
  type GroupEvent,
  MockCluster,
  nativeVersion,
  type OffsetToCommit,
  type TopicPartition
} from '../../src/native/index.ts'

const addonPath = createRequire(import.meta.url).resolve('#addon')

function startMock(t: TestContext, topics: Record<string, number>): MockCluster {
  const mock = new MockCluster(2)
  for (const [topic, partitions] of Object.entries(topics)) mock.createTopic(topic, partitions, 2)
  t.after(() => mock.close())
  return mock
}

function openCluster(t: TestContext, mock: MockCluster): Cluster {
  const cluster = new Cluster({ 'bootstrap.servers': mock.bootstrapServers })
  t.after(() => cluster.close())
  return cluster
}

async function waitFor(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 30_000; !condition(); await sleep(20)) {
    assert.ok(Date.now() < end, `waited in vain: ${what}`)
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** A member that answers every rebalance at once and remembers what it was told. */
class Member {
  readonly group: Group
  readonly events: GroupEvent[] = []
  readonly owned = new Set<string>()
  readonly #timer: NodeJS.Timeout

  constructor(t: TestContext, mock: MockCluster) {
    this.group = new Group({
      'bootstrap.servers': mock.bootstrapServers,
      'group.id': 'mirrors',
      // The mock lets a rebalance last for all but a second of the session.
      'session.timeout.ms': '2000'
    })
    this.#timer = setInterval(() => this.#poll(), 20)
    t.after(() => this.close())
  }

  #poll(): void {
    for (const event of this.group.poll()) {
      this.events.push(event)
      if (event.type === 'assign') {
        this.group.assign()
        for (const partition of event.partitions) this.owned.add(nameOf(partition))
      } else if (event.type === 'revoke') {
        this.group.unassign()
        for (const partition of event.partitions) this.owned.delete(nameOf(partition))
      }
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.group.close()
  }
}

test('the addon names its librdkafka and what it was built with', () => {
  const version = nativeVersion()
  assert.match(version.librdkafka, /^\d+\.\d+\.\d+/)
  assert.ok(version.features.includes('lz4'))
})

test('a property that librdkafka refuses is an error with its text', () => {
  assert.throws(
    () => new Cluster({ 'bootstrap.serverz': 'x' }),
    error => {
      assert.equal(failureOf(error)?.name, '_INVALID_ARG')
      assert.match(String(error), /bootstrap\.serverz/)
      return true
    }
  )
  assert.throws(() => new Group({ 'bootstrap.servers': 'x' }), /group\.id/)
})

test('metadata lists all topics, or those named with a failure for what is missing', async t => {
  const mock = startMock(t, { orders: 4, 'log.web': 1 })
  const cluster = openCluster(t, mock)

  const all = await cluster.metadata(undefined, 5_000)
  assert.deepEqual(all.topics.map(({ topic }) => topic).sort(), ['log.web', 'orders'])
  assert.equal(all.brokers.length, 2)

  const named = await cluster.metadata(['absent', 'orders'], 5_000)
  const [absent, orders] = named.topics
  assert.equal(absent?.failure?.name, 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(orders?.partitions.length, 4)
  assert.equal(orders?.partitions[0]?.replicas.length, 2)
  assert.equal(orders?.failure, undefined)

  const after = await cluster.metadata(undefined, 5_000)
  assert.equal(after.topics.length, 2, 'asking for a topic does not create it')
})

test('the cluster id is undefined when it cannot be had within the time', async t => {
  const mock = startMock(t, {})
  assert.match((await openCluster(t, mock).clusterId(5_000)) ?? '', /^mockCluster/)

  const unreachable = new Cluster({ 'bootstrap.servers': '127.0.0.1:1' })
  t.after(() => unreachable.close())
  assert.equal(await unreachable.clusterId(200), undefined)
})

test('an unreachable cluster fails the call as retriable and tells why in its events', async t => {
  const unreachable = new Cluster({ 'bootstrap.servers': '127.0.0.1:1' })
  t.after(() => unreachable.close())
  const error = await unreachable.metadata(undefined, 500).catch((reason: unknown) => reason)
  assert.equal(failureOf(error)?.retriable, true)

  const names: string[] = []
  const drain = () => {
    for (const event of unreachable.drainEvents()) {
      if (event.type === 'error') names.push(event.failure.name)
    }
    return names.includes('_TRANSPORT')
  }
  await waitFor(drain, 'an error event about the connection')
})

test('list offsets answers every partition, in the order asked', async t => {
  const cluster = openCluster(t, startMock(t, { orders: 600, payments: 600 }))
  const partitions = ['orders', 'payments']
    .flatMap(topic => Array.from({ length: 600 }, (_, partition) => ({ topic, partition })))
    .reverse()

  const offsets = await cluster.listOffsets(partitions, -1, 'read_committed', 20_000)
  assert.deepEqual(offsets.map(nameOf), partitions.map(nameOf))
  assert.ok(offsets.every(({ offset, failure }) => offset === 0 && failure === undefined))
})

test('list offsets gives a missing partition a failure of its own', async t => {
  const cluster = openCluster(t, startMock(t, { orders: 1 }))
  const [orders, absent, ninth] = await cluster.listOffsets(
    [
      { topic: 'orders', partition: 0 },
      { topic: 'absent', partition: 0 },
      { topic: 'orders', partition: 9 }
    ],
    -2,
    'read_uncommitted',
    10_000
  )
  assert.equal(orders?.offset, 0)
  assert.equal(absent?.offset, -1)
  assert.equal(absent?.failure?.name, 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(ninth?.offset, -1)
  assert.equal(ninth?.failure?.name, '_UNKNOWN_PARTITION')
})

test('an admin call that the cluster does not know fails with its reason', async t => {
  const cluster = openCluster(t, startMock(t, {}))
  const newTopic = { topic: 'new', partitions: 1, replicationFactor: 1, configs: {} }
  const error = await cluster.createTopics([newTopic], 5_000).catch((reason: unknown) => reason)
  assert.equal(failureOf(error)?.name, '_UNSUPPORTED_FEATURE')
  assert.deepEqual(await cluster.createTopics([], 300), [])
})

test('a closed cluster closes again and refuses calls', async t => {
  const cluster = openCluster(t, startMock(t, { orders: 1 }))
  const pending = cluster.metadata(undefined, 5_000)
  await Promise.all([cluster.close(), cluster.close()])
  assert.equal((await pending).topics.length, 1, 'a call under way is finished')
  await assert.rejects(cluster.metadata(undefined, 5_000), /the cluster is closed/)
  assert.deepEqual(cluster.drainEvents(), [])
})

test('events that nobody drains are bounded, and the drain says how many went', async t => {
  const mock = startMock(t, { orders: 1 })
  const cluster = new Cluster({ 'bootstrap.servers': mock.bootstrapServers, debug: 'all' })
  t.after(() => cluster.close())
  for (let i = 0; i < 100; i++) await cluster.metadata(undefined, 5_000)
  const events = cluster.drainEvents()
  assert.equal(events.length, 1_000)
  const [first] = events
  assert.ok(first?.type === 'log' && first.facility === 'DROPPED', JSON.stringify(first))
})

test('a member is assigned every partition and commits offsets with metadata', async t => {
  const mock = startMock(t, { orders: 3 })
  const member = new Member(t, mock)
  assert.equal(member.group.memberId(), '')
  member.group.subscribe(['orders'])
  await waitFor(() => member.owned.size === 3, 'all partitions')
  assert.notEqual(member.group.memberId(), '')

  const results = await member.group.commit([
    { topic: 'orders', partition: 0, offset: 7, metadata: '{"v":1,"é":"ü"}' },
    { topic: 'orders', partition: 2, offset: 5_000_000_000, metadata: '' }
  ])
  assert.deepEqual(results, [
    { topic: 'orders', partition: 0, offset: 7 },
    { topic: 'orders', partition: 2, offset: 5_000_000_000 }
  ])
  const partitions = [0, 1, 2].map(partition => ({ topic: 'orders', partition }))
  assert.deepEqual(await member.group.committed(partitions, 5_000), [
    { topic: 'orders', partition: 0, offset: 7, metadata: '{"v":1,"é":"ü"}' },
    { topic: 'orders', partition: 1, offset: -1, metadata: '' },
    { topic: 'orders', partition: 2, offset: 5_000_000_000, metadata: '' }
  ])
})

test('a large commit goes in several requests', async t => {
  const mock = startMock(t, { orders: 900 })
  const member = new Member(t, mock)
  member.group.subscribe(['orders'])
  await waitFor(() => member.owned.size === 900, 'all partitions')

  const offsets: OffsetToCommit[] = Array.from({ length: 900 }, (_, partition) => ({
    topic: 'orders',
    partition,
    offset: partition,
    metadata: 'm'.repeat(1_500)
  }))
  const results = await member.group.commit(offsets)
  assert.equal(results.length, 900)
  assert.ok(results.every(({ failure }) => failure === undefined))
  const committed = await member.group.committed(offsets, 10_000)
  assert.ok(committed.every((offset, partition) => offset.offset === partition))
  assert.ok(committed.every(({ metadata }) => metadata.length === 1_500))
})

test('a commit that fails as a whole fails each of its offsets', async t => {
  const mock = startMock(t, { orders: 2 })
  const member = new Member(t, mock)
  member.group.subscribe(['orders'])
  await waitFor(() => member.owned.size === 2, 'all partitions')

  const offsetCommit = 8
  const groupAuthorizationFailed = 30
  mock.pushErrors(offsetCommit, [groupAuthorizationFailed])
  const results = await member.group.commit(
    [0, 1].map(partition => ({ topic: 'orders', partition, offset: 1, metadata: '' }))
  )
  assert.deepEqual(
    results.map(({ failure }) => failure?.name),
    ['GROUP_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED']
  )
})

test('a second member takes half, cooperatively, and gives it back', async t => {
  const mock = startMock(t, { orders: 4 })
  const first = new Member(t, mock)
  first.group.subscribe(['orders'])
  await waitFor(() => first.owned.size === 4, 'all partitions')

  const second = new Member(t, mock)
  second.group.subscribe(['orders'])
  await waitFor(() => second.owned.size === 2, 'half of the partitions')
  assert.equal(first.owned.size, 2)
  const revoked = first.events.filter(event => event.type === 'revoke')
  assert.equal(revoked.length, 1)
  assert.equal(revoked[0]?.partitions.length, 2, 'only what moves is revoked')
  assert.equal(revoked[0]?.lost, false)

  await second.close()
  await waitFor(() => first.owned.size === 4, 'what the second member had')
})

test('a topic that is made after the subscription is assigned when metadata tells of it', async t => {
  const mock = startMock(t, { orders: 1 })
  const member = new Member(t, mock)
  member.group.subscribe(['orders', 'later'])
  await waitFor(() => member.owned.size === 1, 'the topic that exists')
  mock.createTopic('later', 2, 1)
  const listed = await member.group.metadata(5_000)
  assert.ok(listed.topics.some(({ topic }) => topic === 'later'))
  await waitFor(() => member.owned.size === 3, 'the topic made later')
  const errors = member.events.filter(event => event.type === 'error')
  assert.ok(errors.length <= 1, 'a missing topic is reported once, not at each refresh')
})

test('an empty subscription gives everything back', async t => {
  const mock = startMock(t, { orders: 2 })
  const member = new Member(t, mock)
  member.group.subscribe(['orders'])
  await waitFor(() => member.owned.size === 2, 'all partitions')
  member.group.subscribe([])
  await waitFor(() => member.owned.size === 0, 'the revocation')
})

test('a group closes with a rebalance that nobody answered, and closes again', async t => {
  const mock = startMock(t, { orders: 2 })
  const group = new Group({ 'bootstrap.servers': mock.bootstrapServers, 'group.id': 'mirrors' })
  group.subscribe(['orders'])
  await waitFor(() => group.poll().some(({ type }) => type === 'assign'), 'the assignment')
  const start = Date.now()
  await Promise.all([group.close(), group.close()])
  assert.ok(Date.now() - start < 5_000)
  assert.deepEqual(group.poll(), [])
  assert.throws(() => group.subscribe(['orders']), /the group is closed/)
})

test('a group closes in time when its cluster is gone', async t => {
  const mock = startMock(t, { orders: 2 })
  const member = new Member(t, mock)
  member.group.subscribe(['orders'])
  await waitFor(() => member.owned.size === 2, 'all partitions')
  mock.setBrokerUp(1, false)
  mock.setBrokerUp(2, false)
  const start = Date.now()
  await member.close()
  assert.ok(Date.now() - start < 15_000)
})

// Opens one of everything, with a call under way that cannot end soon.
const openEverything = `
  const { createRequire } = require('node:module')
  const { Cluster, Group, MockCluster } = createRequire(${JSON.stringify(addonPath)})(${JSON.stringify(addonPath)})
  const mock = new MockCluster(1)
  mock.createTopic('orders', 2, 1)
  const cluster = new Cluster({ 'bootstrap.servers': mock.bootstrapServers })
  const group = new Group({ 'bootstrap.servers': mock.bootstrapServers, 'group.id': 'mirrors' })
  group.subscribe(['orders'])
  const unreachable = new Cluster({ 'bootstrap.servers': '127.0.0.1:1' })
  unreachable.metadata(undefined, 1000).catch(() => {})
`

test('worker threads load the addon and end with everything open', async () => {
  const source = `${openEverything}
    cluster.metadata(['orders'], 5000).then(({ topics }) => {
      require('node:worker_threads').parentPort.postMessage(topics[0].partitions.length)
    })
    setInterval(() => group.poll(), 20)`
  const workers = Array.from({ length: 3 }, () => new Worker(source, { eval: true }))
  const answers = await Promise.all(workers.map(worker => once(worker, 'message')))
  assert.deepEqual(answers.flat(), [2, 2, 2])
  await Promise.all(workers.map(worker => worker.terminate()))
})

for (const [how, end] of [
  ['runs out of work', ''],
  ['calls process.exit', 'setTimeout(() => process.exit(0), 100)']
]) {
  test(`a process that ${how} ends with everything open`, async () => {
    const child = spawn(process.execPath, ['-e', openEverything + end], { stdio: 'inherit' })
    const [code, signal] = await once(child, 'exit')
    assert.deepEqual([code, signal], [0, null])
  })
}

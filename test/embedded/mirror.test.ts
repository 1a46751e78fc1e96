// The whole mirror between two of librdkafka's embedded mock clusters.
//
// The mock has no admin calls, so topics are made by the test, and growing partitions is shown on real brokers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  laneOf,
  type Pair,
  produce,
  readValues,
  recordTexts,
  startMirror,
  startPair,
  waitFor
} from '../support/mock-mirror.ts'

async function waitForRecords(pair: Pair, topic: string, partition: number, count: number) {
  await waitFor(
    async () => (await readValues(pair.target, topic, partition)).length >= count,
    `${count} records in ${topic}-${partition} of the target`
  )
}

async function assertMirrored(pair: Pair, topic: string, partition: number, count: number) {
  const values = await readValues(pair.target, topic, partition)
  assert.deepEqual(values, recordTexts(topic, partition, count))
}

test('a bounded run mirrors every record of three topics in order and exits 0', async t => {
  const pair = startPair(t, { orders: 2, 'log.web': 1, payments: 1 })
  await produce(pair.source, 'orders', 0, 500)
  await produce(pair.source, 'orders', 1, 300)
  await produce(pair.source, 'log.web', 0, 200)
  const { exitCode, reason, state } = await startMirror(t, pair, { untilCaughtUp: true }).result
  assert.equal(exitCode, 0, reason)
  assert.equal(state.phase, 'ended')
  await assertMirrored(pair, 'orders', 0, 500)
  await assertMirrored(pair, 'orders', 1, 300)
  await assertMirrored(pair, 'log.web', 0, 200)
  const lanes = state.links[0]?.lanes() ?? []
  assert.equal(lanes.length, 4)
  const orders = lanes.find(lane => lane.topic === 'orders' && lane.partition === 0)
  assert.equal(orders?.records, 500)
  assert.equal(orders?.committed, 500)
  assert.equal(orders?.lag, 0)
  assert.deepEqual(state.links[0]?.goal, { records: 1_000, done: 1_000 })
})

test('a bounded run without a topic to mirror says so and exits 0', async t => {
  const pair = startPair(t, { orders: 1 })
  const running = startMirror(t, pair, { untilCaughtUp: true, include: 'absent' })
  const { exitCode, reason } = await running.result
  assert.equal(exitCode, 0)
  assert.match(reason, /no topic/)
  assert.ok(running.log.some(({ msg, level }) => level === 40 && /no topic/.test(msg)))
})

test('a second run goes on where the first one was stopped: nothing missing, nothing twice', async t => {
  const pair = startPair(t, { orders: 1 })
  await produce(pair.source, 'orders', 0, 400)
  const first = startMirror(t, pair)
  await waitForRecords(pair, 'orders', 0, 1)
  const { exitCode, reason } = await first.stop()
  assert.equal(exitCode, 0, reason)
  await produce(pair.source, 'orders', 0, 200, 400)
  const second = await startMirror(t, pair, { untilCaughtUp: true }).result
  assert.equal(second.exitCode, 0, second.reason)
  await assertMirrored(pair, 'orders', 0, 600)
})

test('a topic that appears later is mirrored from its first record, also with latest', async t => {
  const pair = startPair(t, { orders: 1 }, { orders: 1, late: 1 })
  await produce(pair.source, 'orders', 0, 100)
  const { mirror, stop } = startMirror(t, pair, { autoOffsetReset: 'latest' })
  await waitFor(() => laneOf(mirror, 'orders', 0)?.state === 'caught-up', 'the lane of orders')
  pair.source.createTopic('late', 1, 1)
  await produce(pair.source, 'late', 0, 150)
  await produce(pair.source, 'orders', 0, 50, 100)
  await waitForRecords(pair, 'late', 0, 150)
  await waitForRecords(pair, 'orders', 0, 50)
  await stop()
  await assertMirrored(pair, 'late', 0, 150)
  const values = await readValues(pair.target, 'orders', 0)
  assert.deepEqual(values, recordTexts('orders', 0, 150).slice(100))
})

test('without a commit and with none, the lane is refused and a bounded run exits 1', async t => {
  const pair = startPair(t, { orders: 1 })
  const running = startMirror(t, pair, { untilCaughtUp: true, autoOffsetReset: 'none' })
  const { exitCode, reason } = await running.result
  assert.equal(exitCode, 1)
  assert.match(reason, /orders-0 .*no-start-offset/)
})

test('lanes without a target partition stop alone, with their reason', async t => {
  const pair = startPair(t, { orders: 3 }, { orders: 1 })
  for (const partition of [0, 1, 2]) await produce(pair.source, 'orders', partition, 50)
  const { exitCode, reason, state } = await startMirror(t, pair, { untilCaughtUp: true }).result
  assert.equal(exitCode, 1)
  assert.match(reason, /orders-[12] .*too-few-partitions, and 1 more/)
  await assertMirrored(pair, 'orders', 0, 50)
  const lanes = state.links[0]?.lanes() ?? []
  const stopped = lanes.filter(lane => lane.reason === 'too-few-partitions')
  assert.deepEqual(stopped.map(({ partition, state }) => [partition, state]).sort(), [
    [1, 'stopped'],
    [2, 'stopped']
  ])
})

test('a target topic that cannot be created stops its lanes and no others', async t => {
  const pair = startPair(t, { orders: 1, payments: 1 }, { orders: 1 })
  await produce(pair.source, 'orders', 0, 50)
  const { exitCode, reason } = await startMirror(t, pair, { untilCaughtUp: true }).result
  assert.equal(exitCode, 1)
  assert.match(reason, /payments-0 .*target-topic-refused/)
  await assertMirrored(pair, 'orders', 0, 50)
})

test('leader changes and a broker that comes back on either side cost nothing', async t => {
  const pair = startPair(t, { orders: 2 })
  for (const side of [pair.source, pair.target]) {
    side.setLeader('orders', 0, 1)
    side.setLeader('orders', 1, 2)
  }
  const { stop } = startMirror(t, pair)
  await produce(pair.source, 'orders', 0, 100)
  await produce(pair.source, 'orders', 1, 100)
  await waitForRecords(pair, 'orders', 1, 100)
  pair.source.setLeader('orders', 0, 2)
  pair.target.setLeader('orders', 1, 1)
  await produce(pair.source, 'orders', 0, 100, 100)
  await produce(pair.source, 'orders', 1, 100, 100)
  await waitForRecords(pair, 'orders', 0, 200)
  await waitForRecords(pair, 'orders', 1, 200)
  pair.target.setBrokerUp(1, false)
  await produce(pair.source, 'orders', 1, 100, 200)
  pair.target.setBrokerUp(1, true)
  await waitForRecords(pair, 'orders', 1, 300)
  const { exitCode, reason } = await stop()
  assert.equal(exitCode, 0, reason)
  await assertMirrored(pair, 'orders', 0, 200)
  await assertMirrored(pair, 'orders', 1, 300)
})

test('a drain that runs out of time exits 4 with what was acknowledged committed', async t => {
  const pair = startPair(t, { orders: 1 })
  await produce(pair.source, 'orders', 0, 100)
  const { mirror, stop } = startMirror(t, pair, { drainTimeoutMs: 500 })
  await waitFor(() => laneOf(mirror, 'orders', 0)?.committed === 100, 'the first commit')
  for (const broker of [1, 2]) pair.target.setBrokerUp(broker, false)
  await produce(pair.source, 'orders', 0, 50, 100)
  await waitFor(() => laneOf(mirror, 'orders', 0)?.lag === 50, 'a batch that cannot be sent')
  const startedAt = performance.now()
  const { exitCode, reason, state } = await stop()
  assert.equal(exitCode, 4, reason)
  assert.ok(performance.now() - startedAt < 8_000)
  assert.equal(state.links[0]?.lanes()[0]?.committed, 100)
})

test('a refused batch ends the run with 1 when sending must not fail', async t => {
  const pair = startPair(t, { orders: 1 })
  const { mirror, result } = startMirror(t, pair, { abortOnSendFailure: true })
  await produce(pair.source, 'orders', 0, 100)
  await waitFor(() => laneOf(mirror, 'orders', 0)?.committed === 100, 'the first commit')
  // INVALID_RECORD, to the next Produce and to what is rebuilt after it.
  pair.target.pushErrors(0, [87, 87])
  await produce(pair.source, 'orders', 0, 50, 100)
  const { exitCode, reason, state } = await result
  assert.equal(exitCode, 1)
  assert.match(reason, /orders-0 stopped: refused/)
  assert.equal(state.links[0]?.lanes()[0]?.committed, 100)
})

test('a signal while no cluster can be reached ends the wait', async t => {
  const pair = startPair(t, {})
  for (const broker of [1, 2]) pair.source.setBrokerUp(broker, false)
  const { log, stop } = startMirror(t, pair)
  await waitFor(() => log.some(({ msg }) => /cannot be reached/.test(msg)), 'a word about it')
  const line = log.find(({ msg }) => /cannot be reached/.test(msg))
  assert.equal(line?.bootstrapServers, pair.source.bootstrapServers)
  const { exitCode, reason } = await stop()
  assert.equal(exitCode, 0)
  assert.match(reason, /before both clusters were reached/)
})

test('one cluster on both sides is a loop', async t => {
  const { source } = startPair(t, { orders: 1 })
  const { result } = startMirror(t, { source, target: source })
  await assert.rejects(result, { name: 'ConfigError', message: /same cluster/ })
})

test('two members share the partitions, and one takes over what the other leaves', async t => {
  const partitions = [0, 1, 2, 3]
  const pair = startPair(t, { orders: partitions.length })
  for (const partition of partitions) await produce(pair.source, 'orders', partition, 100)
  const first = startMirror(t, pair)
  await waitFor(() => laneOf(first.mirror, 'orders', 3)?.records === 100, 'the first member')
  const second = startMirror(t, pair)
  await waitFor(() => (second.mirror.state().links[0]?.lanes().length ?? 0) === 2, 'a share')
  for (const partition of partitions) await produce(pair.source, 'orders', partition, 100, 100)
  for (const partition of partitions) await waitForRecords(pair, 'orders', partition, 200)
  const { exitCode, reason, state } = await first.stop()
  assert.equal(exitCode, 0, reason)
  const revoked = state.links[0]?.lanes().filter(lane => lane.state === 'revoked')
  assert.equal(revoked?.length, 2)
  assert.ok(revoked?.every(({ records }) => records >= 100))
  for (const partition of partitions) await produce(pair.source, 'orders', partition, 100, 200)
  for (const partition of partitions) await waitForRecords(pair, 'orders', partition, 300)
  await second.stop()
  for (const partition of partitions) await assertMirrored(pair, 'orders', partition, 300)
})

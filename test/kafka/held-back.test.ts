// A transaction that nobody ends, on a real broker: T18.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { HeldBack, type StableEnd } from '../../src/mirror/held-back.ts'
import { Lane } from '../../src/mirror/lane.ts'
import { Cluster, type Isolation } from '../../src/native/index.ts'
import { produceNumbered } from '../support/corpus.ts'
import { type KafkaCluster, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion } from '../support/kafka-jars.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { RawClient } from '../support/raw-client.ts'
import { produceTransactions } from '../support/transactions.ts'

const periodMs = 200
const timeoutMs = 5_000

let source: KafkaCluster

before(async () => {
  source = await startBroker({ version: sourceVersion })
})
after(() => source?.close())

test('an open transaction is told with its producer, and so is its end', {
  timeout: 150_000
}, async t => {
  const topic = `held-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 1)
  const load = { transactions: 3, abortEvery: 0, leaveOpen: true }
  const { open, committedRecords } = await produceTransactions(source.bootstrap, topic, load)
  assert.ok(open !== undefined)
  const cluster = new Cluster({ 'bootstrap.servers': source.bootstrap })
  t.after(() => cluster.close())
  const lines: Record<string, unknown>[] = []
  const lane = new Lane(topic, 0)
  let seen: StableEnd = { lastStableOffset: -1, highWatermark: -1 }
  const heldBack = new HeldBack({
    source: cluster,
    ends: () => [[lane, seen]],
    log: pino({ base: null }, { write: text => lines.push(JSON.parse(text)) }),
    periodMs
  })
  const look = async () => {
    const read = async (isolation: Isolation) =>
      (await cluster.listOffsets([{ topic, partition: 0 }], -1, isolation, timeoutMs))[0]?.offset ??
      -1
    const lastStableOffset = await read('read_committed')
    seen = { lastStableOffset, highWatermark: await read('read_uncommitted') }
    await heldBack.look()
  }
  await look()
  assert.ok(seen.lastStableOffset >= committedRecords && seen.lastStableOffset < seen.highWatermark)
  await delay(2 * periodMs)
  await look()
  assert.equal(lines.length, 0, 'nothing has come in since')
  await produceNumbered(source.bootstrap, topic, { records: 100 })
  await look()
  await look()
  assert.equal(lines.length, 1)
  assert.equal(lines[0]?.producerId, open.producerId)
  assert.equal(lines[0]?.lastStableOffset, seen.lastStableOffset)
  assert.ok(lane.heldBackMs >= periodMs)

  const client = new RawClient(source.bootstrap)
  t.after(() => client.close())
  await client.transactions.end(open, 'abort')
  while (lane.heldBackMs > 0) await look()
  assert.match(`${lines[1]?.msg}`, /has ended/)
})

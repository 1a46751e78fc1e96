// Brokers of the source that hand over, die, come back or stand still under a load: every record once, in order, and
// the mirror goes on by itself.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type KafkaNode, shortSessions, startPair } from '../support/kafka-broker.ts'
import { LoadRun, type LoadRunOptions } from '../support/load-run.ts'
import { RawClient } from '../support/raw-client.ts'
import { moveLeader, moveLeaders } from '../support/raw-leaders.ts'

const isFull = process.env.HELIOSTAT_FULL === '1'
const limit = { timeout: isFull ? 400_000 : 240_000 }
const partitions = 3
const replicated: LoadRunOptions = { sourceTopic: { partitions, replicationFactor: 3 } }
const frozenMs = isFull ? 60_000 : 5_000

let pair: Awaited<ReturnType<typeof startPair>>
let client: RawClient

before(async () => {
  pair = await startPair({ source: { nodes: 3, config: shortSessions } })
  client = new RawClient(pair.source.bootstrap)
})
after(async () => {
  client?.close()
  await pair?.close()
})

test('F1: leaders of the source move to other brokers and back', limit, async t => {
  const run = await LoadRun.start(t, pair, replicated)
  for (let turn = 0; turn < (isFull ? 30 : 2); turn++) {
    await moveLeaders(client, run.topic)
    t.diagnostic(`every lane goes on ${await run.everyLaneGoesOn()} ms after turn ${turn}`)
  }
  await run.finish()
})

test('F2: a leader of the source is killed, and comes back', limit, async t => {
  const run = await LoadRun.start(t, pair, replicated)
  const node = await leaderOf(run.topic, 0)
  await node.kill('SIGKILL')
  const isOut = async () => !(await rowOf(run.topic, 0)).isr.includes(node.id)
  const killedAt = performance.now()
  await run.mirror.until('its replica out of sync', isOut, 60_000)
  await run.everyLaneGoesOn()
  const wentOnMs = Math.round(performance.now() - killedAt)
  t.diagnostic(`every lane goes on within ${wentOnMs} ms after the kill`)
  await node.start()
  const isBack = async () => (await rowOf(run.topic, 0)).isr.length === 3
  await run.mirror.until('all replicas in sync', isBack, 60_000)
  await moveLeader(client, run.topic, 0, node.id)
  t.diagnostic(`every lane goes on ${await run.everyLaneGoesOn()} ms after it leads again`)
  await run.finish()
})

test('F12: a leader of the source stands still, and wakes', limit, async t => {
  const run = await LoadRun.start(t, pair, replicated)
  const node = await leaderOf(run.topic, 0)
  await node.kill('SIGSTOP')
  t.after(() => node.kill('SIGCONT'))
  await delay(frozenMs)
  await node.kill('SIGCONT')
  t.diagnostic(`every lane goes on ${await run.everyLaneGoesOn()} ms after it woke`)
  await run.finish()
})

async function rowOf(topic: string, partition: number) {
  const [found] = (await client.metadata([topic])).topics
  const row = found?.partitions.find(one => one.partition === partition)
  assert.ok(row !== undefined, `${topic}-${partition}`)
  return row
}

async function leaderOf(topic: string, partition: number): Promise<KafkaNode> {
  const { leader } = await rowOf(topic, partition)
  return pair.source.nodes.find(({ id }) => id === leader) as KafkaNode
}

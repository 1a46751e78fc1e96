// Leaders of the target that move, stand still or lack replicas under a load: every record once, in order, and a lane
// that fails does not hold up the others.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { type KafkaNode, startPair } from '../support/kafka-broker.ts'
import { alterConfigs, createTopic } from '../support/kafka-tools.ts'
import { assertExactlyOnce, LoadRun } from '../support/load-run.ts'
import { anyPort, readMetric } from '../support/mirror-metrics.ts'
import { startMirror } from '../support/mirror-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { activeController, moveLeader, moveLeaders } from '../support/raw-leaders.ts'

const isFull = process.env.HELIOSTAT_FULL === '1'
const limit = { timeout: isFull ? 400_000 : 240_000 }
const partitions = 3
const inFlight = 5
const frozenMs = isFull ? 60_000 : 5_000

let pair: Awaited<ReturnType<typeof startPair>>
let client: RawClient

before(async () => {
  pair = await startPair({ target: { nodes: 3 } })
  client = new RawClient(pair.target.bootstrap)
})
after(async () => {
  client?.close()
  await pair?.close()
})

// The follower stands still, so that no batch is acknowledged, and then leads: what the leader before it has appended
// is cut off there, and what waits behind it on the connection is refused.
test('F3: the leader moves with five batches in flight', limit, async t => {
  const [follower, leader] = await followerAndLeader()
  const run = await LoadRun.start(t, pair, {
    mirror: { http: anyPort },
    targetTopic: { assignments: [[leader.id, follower.id]] }
  })
  // The one that stands still must not be asked for anything.
  const atLeader = new RawClient(`${leader.host}:${leader.port}`)
  t.after(() => atLeader.close())
  const retried = () => readMetric(run.mirror, 'heliostat_retried_batches_total')
  const before = await retried()
  await follower.kill('SIGSTOP')
  t.after(() => follower.kill('SIGCONT'))
  await run.mirror.until('a batch that is not replicated', async () => {
    const end = await atLeader.logEnd(run.topic, 0)
    return end > (await atLeader.listOffset(run.topic, 0, 'latest'))
  })
  const written = run.load.records
  await run.mirror.until('more batches', () => run.load.records > written + 500)
  // A load that was behind brings them at once.
  await delay(500)
  await moveLeader(atLeader, run.topic, 0, follower.id)
  await follower.kill('SIGCONT')
  t.diagnostic(`the lane goes on ${await run.everyLaneGoesOn()} ms after the move`)
  const areAll = async () => (await retried()) - before >= inFlight
  await run.mirror.until('five batches sent again', areAll)
  await run.finish()
})

test('F3: leaders of the target move to other brokers and back', limit, async t => {
  const topic = { partitions, replicationFactor: 3 }
  const sourceTopic = { partitions }
  const run = await LoadRun.start(t, pair, { sourceTopic, targetTopic: topic })
  for (let turn = 0; turn < (isFull ? 30 : 2); turn++) {
    await moveLeaders(client, run.topic)
    t.diagnostic(`every lane goes on ${await run.everyLaneGoesOn()} ms after turn ${turn}`)
  }
  await run.finish()
})

test('F12: a leader of the target stands still, and wakes', limit, async t => {
  const [, leader] = await followerAndLeader()
  const replicas = pair.target.nodes.map(({ id }) => id).filter(id => id !== leader.id)
  const assignments = Array.from({ length: partitions }, () => [leader.id, ...replicas])
  const run = await LoadRun.start(t, pair, {
    sourceTopic: { partitions },
    targetTopic: { assignments }
  })
  await leader.kill('SIGSTOP')
  t.after(() => leader.kill('SIGCONT'))
  await delay(frozenMs)
  await leader.kill('SIGCONT')
  t.diagnostic(`every lane goes on ${await run.everyLaneGoesOn()} ms after it woke`)
  await run.finish()
})

// Last, since it takes a broker away.
test('F20: one lane of many fails, is seen, and heals by itself', limit, async t => {
  const { source, target } = pair
  const [ill, healthy] = await followerAndLeader()
  const prefix = `many-${randomUUID()}`
  const [bad, good] = [`${prefix}-bad`, `${prefix}-good`]
  const many = isFull ? 1_000 : 240
  await createTopic(source.bootstrap, bad)
  await createTopic(source.bootstrap, good, many)
  const inSync = { configs: { 'min.insync.replicas': 2 } }
  await createTopic(target.bootstrap, bad, 1, { assignments: [[healthy.id, ill.id]], ...inSync })
  const assignments = Array.from({ length: many }, () => [healthy.id])
  await createTopic(target.bootstrap, good, many, { assignments })
  await ill.stop()
  await produceNumbered(source.bootstrap, bad, { records: 1_000, batchRecords: 50 })
  await produceNumbered(source.bootstrap, good, { records: 100 })
  const options = { source, target, whitelist: `${prefix}.*`, group: prefix, http: anyPort }
  const mirror = await startMirror(t, { ...options, flags: ['--offset.commit.interval.ms', '500'] })
  const isDone = async () => (await groupLag(source.bootstrap, prefix, [good])) === 0
  await mirror.until('the others', isDone, 60_000)
  // While it fails the others get more, and have it at once.
  await produceNumbered(source.bootstrap, good, { records: 100, from: 100 })
  await mirror.until('more of the others', isDone, 60_000)
  const labels = { topic: bad, state: 'backing-off', reason: 'not-enough-replicas' }
  const isShown = async () => (await readMetric(mirror, 'heliostat_lane_problem', labels)) === 1
  await mirror.until('the reason', isShown)
  assert.equal(await countRecords(target.bootstrap, bad), 0)
  const told = await mirror.line({ msg: 'lane backs off and tries again', topic: bad })
  assert.equal(told.reason, 'not-enough-replicas', JSON.stringify(told))
  const failed = await readMetric(mirror, 'heliostat_failed_answers_total', { api: 'produce' })
  // 100 ms, and twice as long every time: more tries than these take over half an hour.
  assert.ok(failed <= 70, `${failed} answers failed`)
  t.diagnostic(`${failed} answers failed`)

  await alterConfigs(target.bootstrap, bad, { 'min.insync.replicas': 1 })
  const healedAt = Date.now()
  const hasAll = async () => (await groupLag(source.bootstrap, prefix, [bad, good])) === 0
  await mirror.until('what failed', hasAll, 60_000)
  t.diagnostic(`healed after ${Date.now() - healedAt} ms`)
  await mirror.line({ msg: 'lane goes on', topic: bad })
  assert.equal(await readMetric(mirror, 'heliostat_lane_problem'), 0)
  assert.equal(await mirror.stop(), 0, mirror.tail())
  assertExactlyOnce(mirror)
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [bad, good]), [])
})

/** Two brokers, of which the first is not the active controller: it may be taken away without an election of those. */
async function followerAndLeader(): Promise<[KafkaNode, KafkaNode]> {
  const controller = await activeController(client)
  const [follower, leader] = pair.target.nodes.filter(({ id }) => id !== controller)
  assert.ok(follower !== undefined && leader !== undefined)
  return [follower, leader]
}

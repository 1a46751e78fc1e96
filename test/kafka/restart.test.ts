// Brokers that die, come back and hand over their partitions while a load runs: the mirror goes on by itself.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, type TestContext, test } from 'node:test'
import { produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { type KafkaNode, startPair } from '../support/kafka-broker.ts'
import { alterConfigs, createTopic } from '../support/kafka-tools.ts'
import { type MirrorProcess, mirrorOnce, startMirror } from '../support/mirror-process.ts'
import { RawClient, withClient } from '../support/raw-client.ts'
import { type SteadyLoad, startLoad } from '../support/steady-load.ts'

type Pair = Awaited<ReturnType<typeof startPair>>

const limit = { timeout: 150_000 }
const sides = ['source', 'target'] as const

describe('one broker on each side', () => {
  let pair: Pair

  before(async () => {
    pair = await startPair()
  })
  after(() => pair?.close())

  for (const side of sides) {
    test(`the broker of the ${side} is killed and comes back`, limit, async t => {
      const { topic, load, mirror } = await startUnderLoad(t, pair, 3, {})
      const node = pair[side].nodes[0] as KafkaNode
      await node.kill('SIGKILL')
      await node.start()
      const arrived = await countRecords(pair.target.bootstrap, topic)
      const goesOn = async () =>
        (await countRecords(pair.target.bootstrap, topic)) > arrived + 5_000
      await mirror.until('records after the restart', goesOn, 40_000)
      await finish(pair, { topic, load, mirror })
    })
  }
})

test(
  'SIGTERM while the source is down: the mirror ends in time and says what is not committed',
  limit,
  async t => {
    const pair = await startPair()
    t.after(() => pair.close())
    const { source, target } = pair
    const { topic, load, mirror } = await startUnderLoad(t, pair, 2, {})
    const isCommitted = async () => (await groupLag(source.bootstrap, topic, [topic])) !== undefined
    await mirror.until('a commit', isCommitted)
    const node = source.nodes[0] as KafkaNode
    await node.kill('SIGKILL')
    const startedAt = Date.now()
    const code = await mirror.stop(35_000)
    t.diagnostic(`exit code ${code} after ${Date.now() - startedAt} ms`)
    // Everything is acknowledged, but the next run will send some of it again.
    assert.equal(code, 1, mirror.tail())
    assert.match(`${mirror.lines.at(-1)?.reason}`, /not every checkpoint could be committed/)
    await node.start()
    await load.stop()
    const next = await mirrorOnce(t, { source, target, whitelist: topic, group: topic })
    assert.equal(next.code, 0, next.mirror.tail())
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  }
)

describe('three brokers on each side', () => {
  let pair: Pair

  before(async () => {
    pair = await startPair({ source: { nodes: 3 }, target: { nodes: 3 } })
  })
  after(() => pair?.close())

  for (const side of sides) {
    test(`a leader of the ${side} hands over and comes back`, limit, async t => {
      const { topic, load, mirror } = await startUnderLoad(t, pair, 6, { replicationFactor: 3 })
      const client = new RawClient(pair[side].bootstrap)
      t.after(() => client.close())
      const node = await leaderOf(pair, side, topic, 0)
      await node.stop()
      t.after(() => (node.pid === undefined ? node.start() : undefined))
      await mirror.until('another leader', async () => {
        const [found] = (await client.metadata([topic])).topics
        return found?.partitions.every(({ leader }) => leader >= 0 && leader !== node.id)
      })
      const atMove = await endsOf(pair.target.bootstrap, topic)
      const everyLaneGoesOn = async () => {
        const now = await endsOf(pair.target.bootstrap, topic)
        return [...now].every(([partition, end]) => end > (atMove.get(partition) ?? 0) + 500)
      }
      await mirror.until('records after the move', everyLaneGoesOn)
      await node.start()
      await finish(pair, { topic, load, mirror })
    })
  }

  test(
    'too few replicas in sync: the lanes wait, and go on when there are enough',
    limit,
    async t => {
      const { source, target } = pair
      const topic = `replicas-${randomUUID()}`
      await createTopic(source.bootstrap, topic, 2)
      const configs = { 'min.insync.replicas': 3 }
      await createTopic(target.bootstrap, topic, 2, { replicationFactor: 3, configs })
      const node = target.nodes[2] as KafkaNode
      await node.stop()
      t.after(() => (node.pid === undefined ? node.start() : undefined))
      await produceNumbered(source.bootstrap, topic, { records: 5_000 })
      const mirror = await startMirror(t, { source, target, whitelist: topic, group: topic })
      const line = { msg: 'lane backs off and tries again', reason: 'not-enough-replicas' }
      await mirror.line(line)
      assert.equal(await countRecords(target.bootstrap, topic), 0)
      await alterConfigs(target.bootstrap, topic, { 'min.insync.replicas': 2 })
      const hasAll = async () => (await countRecords(target.bootstrap, topic)) >= 10_000
      await mirror.until('all records', hasAll, 40_000)
      assert.equal(await mirror.stop(), 0, mirror.tail())
      assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
      await node.start()
    }
  )
})

type UnderLoad = { topic: string; load: SteadyLoad; mirror: MirrorProcess }

/** A topic, a load on it, and a mirror that has begun to move it. */
async function startUnderLoad(
  t: TestContext,
  { source, target }: Pair,
  partitions: number,
  options: { replicationFactor?: number }
): Promise<UnderLoad> {
  const topic = `restart-${randomUUID()}`
  await createTopic(source.bootstrap, topic, partitions, options)
  const load = await startLoad(source.bootstrap, topic, { everyMs: 20 })
  t.after(() => load.stop().catch(() => undefined))
  const flags = ['--offset.commit.interval.ms', '1000']
  const mirror = await startMirror(t, { source, target, whitelist: topic, group: topic, flags })
  const isMoving = async () => (await countRecords(target.bootstrap, topic)) > 5_000
  await mirror.until('records that move', isMoving)
  return { topic, load, mirror }
}

/** Ends the load, waits for the rest, and compares. */
async function finish({ source, target }: Pair, { topic, load, mirror }: UnderLoad): Promise<void> {
  await load.stop()
  const isCaughtUp = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
  await mirror.until('lag 0', isCaughtUp, 40_000)
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  assert.equal(await mirror.stop(), 0, mirror.tail())
}

async function leaderOf(
  pair: Pair,
  side: (typeof sides)[number],
  topic: string,
  partition: number
): Promise<KafkaNode> {
  return withClient(pair[side].bootstrap, async client => {
    const [found] = (await client.metadata([topic])).topics
    const leader = found?.partitions.find(row => row.partition === partition)?.leader
    return pair[side].nodes.find(({ id }) => id === leader) as KafkaNode
  })
}

async function endsOf(bootstrap: string, topic: string): Promise<Map<number, number>> {
  return withClient(bootstrap, async client => {
    const offsets = await client.offsets(topic)
    return new Map([...offsets].map(([partition, { latest }]) => [partition, latest]))
  })
}

// What only the target's leader has when the mirror dies, and the leader has forgotten who wrote it: neither the log up
// to the high watermark nor the leader's memory shows it, and it comes to light when it is replicated.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Cluster } from '../../src/native/index.ts'
import { produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { groupLag } from '../support/group-lag.ts'
import { type KafkaNode, startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { countArrived, startedLines } from '../support/killed-mirror.ts'
import { startMirror } from '../support/mirror-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { waitFor } from '../support/wait.ts'

const records = 1_000
const timeoutMs = 5_000

test('batches that only the leader has, and nobody remembers, are waited for', {
  timeout: 150_000
}, async t => {
  // While one of two controllers is stopped nobody can take it out of the in-sync replicas.
  const config = {
    'producer.id.expiration.ms': 2_000,
    'producer.id.expiration.check.interval.ms': 200
  }
  const { source, target, close } = await startPair({
    target: { nodes: 2, config }
  })
  t.after(close)
  const topic = `alone-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 1)
  await createTopic(target.bootstrap, topic, 1, { replicationFactor: 2 })
  const flags = ['--offset.commit.interval.ms', '300']
  const options = { source, target, whitelist: topic, group: topic, flags }
  const isCaughtUp = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
  await produceNumbered(source.bootstrap, topic, { records })
  const first = await startMirror(t, options)
  await first.until('lag 0', isCaughtUp)

  const { leader, follower } = await placesOf(target.bootstrap, topic, target.nodes)
  t.after(() => follower.kill('SIGCONT'))
  const cluster = new Cluster({ 'bootstrap.servers': `127.0.0.1:${leader.port}` })
  t.after(() => cluster.close())
  const partition = { topic, partition: 0 }
  const ends = async () => {
    const [seen] = await cluster.listOffsets([partition], -1, 'read_uncommitted', timeoutMs)
    const { leaderEpoch = -1, offset = -1 } = seen ?? {}
    const [end] = await cluster.logEnds([{ ...partition, leaderEpoch }], timeoutMs)
    return [offset, end?.offset]
  }
  assert.deepEqual(await ends(), [records, records])
  const client = new RawClient(`127.0.0.1:${leader.port}`)
  t.after(() => client.close())
  // Brokers get ids in blocks from the controllers, of which too few will be up.
  await client.transactions.initProducerId()
  await follower.kill('SIGSTOP')
  await produceNumbered(source.bootstrap, topic, { records, from: records })
  await first.until('batches at the leader alone', async () => {
    const [highWatermark = -1, logEnd = -1] = await ends()
    return logEnd > highWatermark
  })
  first.kill('SIGKILL')
  await first.exited
  await waitFor('no producer', async () => (await client.countProducers(topic, 0)) === 0)

  const next = await startMirror(t, options)
  const isWaiting = () =>
    next.lines.some(({ detail }) => `${detail}`.includes('its end is not replicated'))
  await next.until('a start that waits', isWaiting)
  assert.deepEqual(startedLines(next), [])
  next.kill('SIGUSR2')
  const listed = await next.line({ msg: 'lane', topic, state: 'starting' })
  assert.match(`${listed.detail}`, /its end is not replicated/)
  await follower.kill('SIGCONT')
  await next.until('lag 0', isCaughtUp, 40_000)
  const [{ delivery }] = startedLines(next) as unknown as [{ delivery: string }]
  assert.equal(delivery, 'exactly-once')
  assert.ok(countArrived(next) > 0)
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  assert.equal(await next.stop(), 0, next.tail())
})

async function placesOf(
  bootstrap: string,
  topic: string,
  nodes: readonly KafkaNode[]
): Promise<{ leader: KafkaNode; follower: KafkaNode }> {
  const cluster = new Cluster({ 'bootstrap.servers': bootstrap })
  try {
    const { topics } = await cluster.metadata([topic], timeoutMs)
    const id = topics[0]?.partitions[0]?.leader
    const [leader, follower] = [true, false].map(is => nodes.find(node => (node.id === id) === is))
    return { leader: leader as KafkaNode, follower: follower as KafkaNode }
  } finally {
    await cluster.close()
  }
}

// Batches that arrived while their answers did not: sent again they must not be there twice, whether the target still
// remembers who wrote them or not.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { compareTopics } from '../support/digest.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { type KafkaCluster, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion, targetVersion } from '../support/kafka-jars.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { startedLines } from '../support/killed-mirror.ts'
import { startMirror } from '../support/mirror-process.ts'
import { type MutedProxy, startMutedProxy } from '../support/muted-proxy.ts'
import { RawClient } from '../support/raw-client.ts'
import { startLoad } from '../support/steady-load.ts'

const limit = { timeout: 240_000 }
const partitions = 2
const dayMs = 86_400_000
const hourMs = 3_600_000
/** The mirror counts on less than the time for which a target says that it remembers. */
const marginMs = 1_200_000
const unansweredMs = 500
/** The target remembers exactly as long as the mirror counts on, which it reads before that is set. */
const expirationMs = dayMs - marginMs

let proxy: MutedProxy
let source: KafkaCluster
let target: KafkaCluster

before(async () => {
  proxy = await startMutedProxy()
  const config = {
    'advertised.listeners': `PLAINTEXT://${proxy.address}`,
    'producer.id.expiration.check.interval.ms': 200
  }
  const started = await Promise.all([
    startBroker({ version: sourceVersion }),
    startBroker({ version: targetVersion, config })
  ])
  ;[source, target] = started as [KafkaCluster, KafkaCluster]
  proxy.forwardTo(target.nodes[0]?.port ?? 0)
})
after(async () => {
  await Promise.all([source, target].map(cluster => cluster?.close()))
  await proxy?.close()
})

test('the target remembers the producer', limit, t => loseAnswers(t, { ageMs: 0, downMs: 500 }))

test('the target forgot the producer long ago', limit, t =>
  loseAnswers(t, { ageMs: 3 * dayMs, downMs: 500 })
)

test('T24: the target is set to forget within an hour', limit, async t => {
  await remember(t, hourMs)
  await loseAnswers(t, { ageMs: 2 * hourMs, downMs: 500 })
})

// The age of a batch counts when it is sent again, not when its answer was lost.
test('the target forgets the producer while it cannot be reached', limit, t =>
  loseAnswers(t, { ageMs: expirationMs - 5_000, downMs: 7_000, expirationMs })
)

// F4, F21: a broker that ends in good order keeps the last batch of a producer alone, so what was sent before it is not
// known to be a repeat.
for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`the target restarts after ${signal}`, limit, t =>
    loseAnswers(t, { ageMs: 0, downMs: 0, signal })
  )
}

type Loss = {
  ageMs: number
  downMs: number
  signal?: 'SIGTERM' | 'SIGKILL'
  /** Set once the mirror runs. */
  expirationMs?: number
}

/** For the rest of the test. */
async function remember(t: TestContext, forMs: number): Promise<void> {
  const client = new RawClient(proxy.address)
  t.after(() => client.close())
  const set = (value: number | null) =>
    client.admin.alterConfigs({ type: 'broker', name: '' }, { 'producer.id.expiration.ms': value })
  t.after(() => set(null))
  await set(forMs)
}

async function loseAnswers(
  t: TestContext,
  { ageMs, downMs, signal, expirationMs }: Loss
): Promise<void> {
  const topic = `lost-${randomUUID()}`
  await createTopic(source.bootstrap, topic, partitions)
  await createTopic(proxy.address, topic, partitions)
  const load = await startLoad(source.bootstrap, topic, { everyMs: 20, ageMs })
  t.after(() => load.stop().catch(() => undefined))
  const options = { source, target: { bootstrap: proxy.address }, whitelist: topic, group: topic }
  const mirror = await startMirror(t, { ...options, flags: ['--offset.commit.interval.ms', '500'] })
  const hasSome = async () => (await countRecords(proxy.address, topic)) > 1_000
  await mirror.until('records that move', hasSome)
  if (expirationMs !== undefined) await remember(t, expirationMs)
  proxy.mute()
  t.after(() => proxy.heal())
  const written = load.records
  const hasMore = () => load.records > written + 1_000
  // Several batches of each lane, which a load that is behind would bring at once.
  await Promise.all([mirror.until('batches without an answer', hasMore), delay(unansweredMs)])
  proxy.cut()
  if (signal !== undefined) await restart(signal)
  await delay(downMs)
  proxy.heal()
  await load.stop()
  const isCaughtUp = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
  await mirror.until('lag 0', isCaughtUp, 60_000)
  assert.equal(await mirror.stop(), 0, mirror.tail())
  const looked = mirror.lines.filter(({ msg }) => /^target does not know the sequence/.test(msg))
  t.diagnostic(`${looked.length} lanes looked what has arrived`)
  if (signal === 'SIGTERM') assert.ok(looked.length > 0, mirror.tail())
  for (const { delivery } of startedLines(mirror)) assert.equal(delivery, 'exactly-once')
  assert.deepEqual(await compareTopics(source.bootstrap, proxy.address, [topic]), [])
}

async function restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const [node] = target.nodes
  await node?.kill(signal)
  await node?.start()
}

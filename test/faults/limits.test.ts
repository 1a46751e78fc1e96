// Quotas and rights of one side: what they hold back waits and goes on by itself, and nothing else does.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { type KafkaCluster, shortQuotaWindows, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion, targetVersion } from '../support/kafka-jars.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { assertExactlyOnce } from '../support/load-run.ts'
import { anyPort, readMetric } from '../support/mirror-metrics.ts'
import { type MirrorProcess, startMirror } from '../support/mirror-process.ts'
import type { Acl } from '../support/raw-admin.ts'
import { type RawClient, withClient } from '../support/raw-client.ts'
import { jaas } from '../support/secured-pair.ts'
import { startLoad } from '../support/steady-load.ts'

const limit = { timeout: 240_000 }
const user = 'mirror'
const password = 'mirror-secret'
const principal = `User:${user}`
const flags = ['--offset.commit.interval.ms', '500']
/** So much passes before they throttle. */
const freeSeconds = shortQuotaWindows['quota.window.num']

let east: KafkaCluster
let west: KafkaCluster
let target: KafkaCluster

before(async () => {
  const security = { protocol: 'SASL_PLAINTEXT', users: { [user]: password }, acls: true } as const
  const started = await Promise.all([
    startBroker({ version: sourceVersion, security, config: shortQuotaWindows }),
    startBroker({ version: sourceVersion }),
    startBroker({ version: targetVersion, security, config: shortQuotaWindows })
  ])
  ;[east, west, target] = started
})
after(() => Promise.all([east, west, target].map(cluster => cluster?.close())))

const quotas = [
  { side: 'source', quota: 'consumer_byte_rate' },
  { side: 'target', quota: 'producer_byte_rate' }
] as const

for (const { side, quota } of quotas) {
  test(`F19: a quota of the ${side} throttles one of two links`, limit, async t => {
    const prefix = `quota-${randomUUID()}`
    const [slow, other] = [`${prefix}-slow`, `${prefix}-other`]
    const rate = 100_000
    const records = 2_400
    for (const [cluster, topic] of [
      [east, slow],
      [west, other]
    ] as const) {
      await createTopic(cluster.bootstrap, topic, 2)
      // Each record takes more than 200 bytes of two partitions: twice what passes before.
      const load = { records, batchRecords: 20, recordBytes: 200, codec: 'none' } as const
      await produceNumbered(cluster.bootstrap, topic, load)
    }
    assert.ok(2 * records * 200 > 2 * rate * freeSeconds)
    const limited = side === 'source' ? east : target
    const clientId = `${prefix}-slow-client`
    await setQuota(limited, side === 'source' ? clientId : 'heliostat', quota, rate)
    t.after(() => setQuota(limited, side === 'source' ? clientId : 'heliostat', quota, null))
    const mirror = await startMirror(t, {
      source: east,
      target,
      whitelist: `${prefix}.*`,
      group: prefix,
      consumer: { 'client.id': clientId },
      furtherSources: [{ bootstrap: west.bootstrap }],
      http: anyPort,
      flags
    })
    const throttled = () => readMetric(mirror, 'heliostat_throttle_seconds_total')
    await mirror.until('a broker that throttles', async () => (await throttled()) > 0, 60_000)
    // A quota of the target is one for both links; one of a source is not the other's.
    if (side === 'source') await otherIsDone(mirror, prefix, other, slow)
    await setQuota(limited, side === 'source' ? clientId : 'heliostat', quota, null)
    for (const [cluster, topic] of [
      [east, slow],
      [west, other]
    ] as const) {
      const isDone = async () => (await groupLag(cluster.bootstrap, prefix, [topic])) === 0
      await mirror.until(`lag 0 of ${topic}`, isDone, 60_000)
    }
    t.diagnostic(`${await throttled()} s of throttling`)
    assert.equal(await mirror.stop(), 0, mirror.tail())
    assertExactlyOnce(mirror)
    assert.deepEqual(await compareTopics(east.bootstrap, target.bootstrap, [slow]), [])
    assert.deepEqual(await compareTopics(west.bootstrap, target.bootstrap, [other]), [])
  })
}

const rights = [
  { side: 'target', operation: 'write' },
  { side: 'source', operation: 'read' }
] as const

for (const { side, operation } of rights) {
  test(
    `P8: the right to ${operation} one topic of the ${side} is taken and given back`,
    limit,
    async t => {
      const prefix = `rights-${randomUUID()}`
      const [taken, kept] = [`${prefix}-taken`, `${prefix}-kept`]
      const topics = [taken, kept]
      for (const topic of topics) {
        for (const { bootstrap } of [east, target]) await createTopic(bootstrap, topic, 2)
        await withAdmin(east, admin => admin.createAcls(allow(topic, 'read')))
        await withAdmin(target, admin =>
          admin.createAcls(allow(topic, 'read'), allow(topic, 'write'), allow(topic, 'describe'))
        )
      }
      await withAdmin(east, admin =>
        admin.createAcls({ group: prefix, principal, operation: 'all', permission: 'allow' })
      )
      const loads = await Promise.all(
        topics.map(topic => startLoad(east.bootstrap, topic, { everyMs: 15 }))
      )
      t.after(() => Promise.all(loads.map(load => load.stop().catch(() => undefined))))
      const mirror = await startLoggedIn(t, prefix)
      await goesOn(mirror, taken)
      await goesOn(mirror, kept)

      const right = allow(taken, operation)
      const limited = side === 'source' ? east : target
      await withAdmin(limited, admin => admin.deleteAcls(right))
      const labels = { topic: taken, reason: 'not-allowed' }
      const isShown = async () => (await readMetric(mirror, 'heliostat_lane_problem', labels)) === 2
      await mirror.until('the reason of its lanes', isShown)
      // What was fetched before is still written.
      let before = -1
      await mirror.until('its last records', async () => {
        const earlier = before
        before = await countRecords(target.bootstrap, taken)
        return before === earlier
      })
      await goesOn(mirror, kept)
      assert.equal(await countRecords(target.bootstrap, taken), before)
      const told = await mirror.line({ msg: 'lane backs off and tries again', topic: taken })
      assert.equal(told.reason, 'not-allowed', JSON.stringify(told))
      assert.deepEqual(mirror.linesLike({ msg: told.msg, topic: kept }), [])

      await withAdmin(limited, admin => admin.createAcls(right))
      const givenAt = Date.now()
      await goesOn(mirror, taken)
      t.diagnostic(`goes on ${Date.now() - givenAt} ms after the right was given back`)
      await Promise.all(loads.map(load => load.stop()))
      const isDone = async () => (await groupLag(east.bootstrap, prefix, topics)) === 0
      await mirror.until('lag 0', isDone, 60_000)
      assert.equal(await mirror.stop(), 0, mirror.tail())
      assertExactlyOnce(mirror)
      assert.deepEqual(await compareTopics(east.bootstrap, target.bootstrap, topics), [])
    }
  )
}

function startLoggedIn(t: TestContext, prefix: string): Promise<MirrorProcess> {
  const login = {
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': jaas('PLAIN', user, password)
  }
  const [source, sink] = [east.secured, target.secured]
  assert.ok(source !== undefined && sink !== undefined)
  const names = { whitelist: `${prefix}.*`, group: prefix }
  const options = { source, target: sink, ...names, consumer: login, producer: login }
  return startMirror(t, { ...options, http: anyPort, flags })
}

function allow(topic: string, operation: Acl['operation']): Acl {
  return { topic, principal, operation, permission: 'allow' }
}

/** The link without a quota has everything while the other has not. */
async function otherIsDone(
  mirror: MirrorProcess,
  group: string,
  other: string,
  slow: string
): Promise<void> {
  const isDone = async () => (await groupLag(west.bootstrap, group, [other])) === 0
  await mirror.until('the other link', isDone, 60_000)
  const missing = await countRecords(east.bootstrap, slow)
  assert.ok((await countRecords(target.bootstrap, slow)) < missing, 'the slow one is not done')
}

async function goesOn(mirror: MirrorProcess, topic: string): Promise<void> {
  const before = await countRecords(target.bootstrap, topic)
  const hasMore = async () => (await countRecords(target.bootstrap, topic)) > before + 600
  await mirror.until(`more records of ${topic}`, hasMore, 60_000)
}

async function setQuota(
  cluster: KafkaCluster,
  clientId: string,
  quota: 'producer_byte_rate' | 'consumer_byte_rate',
  rate: number | null
): Promise<void> {
  await withAdmin(cluster, admin => admin.alterQuota(clientId, quota, rate))
}

async function withAdmin(
  { bootstrap }: KafkaCluster,
  act: (admin: RawClient['admin']) => Promise<void>
): Promise<void> {
  return withClient(bootstrap, async client => {
    await act(client.admin)
  })
}

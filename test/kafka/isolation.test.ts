// F20: a few partitions among a thousand that fail for good, each in its own way, do not hold up the others, and heal by themselves.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { produceNumbered } from '../support/corpus.ts'
import { type KafkaCluster, type KafkaNode, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion, targetVersion } from '../support/kafka-jars.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { type MirrorProcess, startMirror } from '../support/mirror-process.ts'
import { freePorts } from '../support/ports.ts'
import type { Acl } from '../support/raw-admin.ts'
import { RawClient, withClient } from '../support/raw-client.ts'
import { runVerify } from '../support/verify-process.ts'
import { waitFor } from '../support/wait.ts'

const limit = { timeout: 500_000 }
/** Of each step: a thousand partitions take a busy disk its time. */
const limitMs = 150_000
/** With the four that fail a thousand. */
const healthy = 996
const records = 20
const principal = 'User:mirror'
const login = {
  'security.protocol': 'SASL_PLAINTEXT',
  'sasl.mechanism': 'PLAIN',
  'sasl.jaas.config':
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="mirror" password="secret";'
}

let source: KafkaCluster
let target: KafkaCluster

before(async () => {
  const security = { protocol: 'SASL_PLAINTEXT', users: { mirror: 'secret' }, acls: true } as const
  const clusters = await Promise.all([
    startBroker({ version: sourceVersion }),
    startBroker({ version: targetVersion, nodes: 3, security })
  ])
  ;[source, target] = clusters
})
after(() => Promise.all([source?.close(), target?.close()]))

test('of a thousand lanes four fail, each in its own way, and the others go on', limit, async t => {
  const prefix = `isolated-${randomUUID()}`
  const topics = await makeTopics(prefix)
  await allow({ topic: prefix, prefixed: true, principal, operation: 'all' })
  await allow({ cluster: true, principal, operation: 'idempotentWrite' })
  const { mirror, metrics } = await start(t, prefix)
  const healing = [topics.few, topics.denied, topics.leaderless]
  for (const topic of [topics.many, ...healing]) await arrived(mirror, topic, records)

  const denial: Acl = { topic: topics.denied, principal, operation: 'write', permission: 'deny' }
  await allow(denial)
  const third = target.nodes[2] as KafkaNode
  await third.stop()
  t.after(() => (third.pid === undefined ? third.start() : undefined))
  for (const topic of healing) await produceMore(topic)
  const expected = [
    [topics.large, 'stopped', 'too-large'],
    [topics.few, 'backing-off', 'not-enough-replicas'],
    [topics.denied, 'backing-off', 'not-allowed'],
    // Whatever was noticed first of the broker's end.
    [topics.leaderless, 'backing-off', '(connection|not-leader|no-leader)']
  ] as const
  const isSeen = async () => {
    const text = await metrics()
    return expected.every(([topic, state, reason]) => problemOf(topic, state, reason).test(text))
  }
  await mirror.until('four lanes that fail', isSeen, limitMs)

  await produceMore(topics.many)
  await arrived(mirror, topics.many, 2 * records)
  for (const topic of [topics.few, topics.denied]) {
    assert.equal(await countEnds(target, topic), records, `${topic} still fails`)
  }
  // While one is tried again it is not backing off.
  await mirror.until('four lanes that still fail', isSeen, limitMs)
  // Without a back-off there would be thousands by now.
  const errors = Number(
    /failed_answers_total\{[^}]*api="produce"[^}]*\} (\d+)/.exec(await metrics())?.[1]
  )
  assert.ok(errors >= 3 && errors < 100, `${errors} refusals`)
  await seenInLists(mirror, expected)

  await third.start()
  await withClient(target.bootstrap, client => client.admin.deleteAcls(denial))
  for (const topic of healing) await arrived(mirror, topic, 2 * records)
  await mirror.line({ msg: 'lane goes on' })
  assert.equal(await countEnds(target, topics.large), 0)
  await mirror.stop()
  const options = { source, target, whitelist: topics.many, group: prefix }
  const { code, out, err } = await runVerify(t, options)
  assert.equal(code, 0, out + err)
  const total = (2 * records * healthy).toLocaleString('en')
  assert.match(out, new RegExp(`996 lanes, 996 equal, 0 different, ${total} records the same`))
})

/** On the target the broker that is stopped then has one of them alone, and shares another one. */
async function makeTopics(prefix: string) {
  const many = `${prefix}-many`
  const [large, few] = [`${prefix}-large`, `${prefix}-few`]
  const [denied, leaderless] = [`${prefix}-denied`, `${prefix}-leaderless`]
  await createTopic(source.bootstrap, many, healthy)
  // The controller names leaders before each of a thousand knows of it.
  const isLed = async () => (await countEnds(source, many)) === 0
  await waitFor('leaders on the source', isLed, { limitMs })
  await produceNumbered(source.bootstrap, many, { records })
  for (const topic of [large, few, denied, leaderless]) {
    await createTopic(source.bootstrap, topic)
    const recordBytes = topic === large ? 10_000 : 100
    await produceNumbered(source.bootstrap, topic, { records, recordBytes, codec: 'none' })
  }
  const assignments = Array.from({ length: healthy }, (_, index) => [1 + (index % 2)])
  await withClient(target.bootstrap, client =>
    client.admin.createTopics(
      { name: many, assignments },
      { name: large, assignments: [[1]], configs: { 'max.message.bytes': 2_000 } },
      { name: few, assignments: [[1, 3]], configs: { 'min.insync.replicas': 2 } },
      { name: denied, assignments: [[2]] },
      { name: leaderless, assignments: [[3]] }
    )
  )
  return { many, large, few, denied, leaderless }
}

async function produceMore(topic: string): Promise<void> {
  await produceNumbered(source.bootstrap, topic, { records, from: records })
}

async function start(
  t: TestContext,
  prefix: string
): Promise<{ mirror: MirrorProcess; metrics: () => Promise<string> }> {
  const [port] = await freePorts(1)
  const http = `127.0.0.1:${port}`
  const { secured } = target
  assert.ok(secured)
  const options = { source, target: secured, whitelist: `${prefix}.*`, group: prefix }
  const mirror = await startMirror(t, { ...options, producer: login, http })
  return {
    mirror,
    metrics: async () =>
      (await fetch(`http://${http}/metrics`).catch(() => undefined))?.text() ?? ''
  }
}

/** Sum of the log ends, asked all at once; undefined while one of the leaders does not know that it is one. */
async function countEnds({ bootstrap }: KafkaCluster, topic: string): Promise<number | undefined> {
  const client = new RawClient(bootstrap)
  try {
    const partitions = await client.partitions(topic)
    const ends = await Promise.all(
      partitions.map(partition => client.listOffset(topic, partition, 'latest'))
    )
    return ends.reduce((sum, end) => sum + end, 0)
  } catch {
    return undefined
  } finally {
    client.close()
  }
}

async function arrived(mirror: MirrorProcess, topic: string, each: number): Promise<void> {
  const wanted = topic.endsWith('-many') ? each * healthy : each
  const isThere = async () => (await countEnds(target, topic)) === wanted
  await mirror.until(`${wanted} records of ${topic}`, isThere, limitMs)
}

function problemOf(topic: string, state: string, reason: string): RegExp {
  return new RegExp(`topic="${topic}",partition="0",state="${state}",reason="${reason}"\\} 1`)
}

/** In the log as it comes, and in the list that is asked for. */
async function seenInLists(
  mirror: MirrorProcess,
  expected: readonly (readonly [topic: string, state: string, reason: string])[]
): Promise<void> {
  mirror.kill('SIGUSR2')
  await mirror.line({ msg: 'lanes listed' })
  for (const [topic, state, reason] of expected) {
    const [line] = mirror.linesLike({ msg: 'lane', topic })
    assert.match(`${line?.reason}`, new RegExp(reason))
    const msg = state === 'stopped' ? 'lane stopped' : 'lane backs off and tries again'
    const logged = mirror.linesLike({ msg }).map(each => `${each.reason}`)
    assert.match(logged.join(' '), new RegExp(reason))
  }
}

async function allow(...acls: Acl[]): Promise<void> {
  await withClient(target.bootstrap, client => client.admin.createAcls(...acls))
}

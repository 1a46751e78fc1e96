// What an operator gets wrong, and what a target refuses: a clear word, and nothing lost.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { produceMixed, produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords } from '../support/group-lag.ts'
import { type KafkaCluster, shortQuotaWindows, startPair } from '../support/kafka-broker.ts'
import { createTopic, runTool } from '../support/kafka-tools.ts'
import {
  type MirrorOptions,
  mirrorOnce,
  partitionsOf,
  startMirror
} from '../support/mirror-process.ts'
import { freePorts } from '../support/ports.ts'
import type { Acl } from '../support/raw-admin.ts'
import { RawClient, withClient } from '../support/raw-client.ts'
import { readBatches } from '../support/topic-reader.ts'

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  const security = { protocol: 'SASL_PLAINTEXT', users: { mirror: 'secret' }, acls: true } as const
  pair = await startPair({ target: { security, config: shortQuotaWindows } })
})
after(() => pair?.close())

const limit = { timeout: 150_000 }
const principal = 'User:mirror'
const login = {
  'security.protocol': 'SASL_PLAINTEXT',
  'sasl.mechanism': 'PLAIN',
  'sasl.jaas.config':
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="mirror" password="secret";'
}

test(
  'T23: the same cluster on both sides is a loop: exit code 2, and nothing moves',
  limit,
  async t => {
    const { source } = pair
    const topic = `loop-${randomUUID()}`
    await createTopic(source.bootstrap, topic)
    await produceNumbered(source.bootstrap, topic, { records: 100 })
    const mirror = await startMirror(t, { source, target: source, whitelist: topic, group: topic })
    assert.equal(await mirror.exit(), 2, mirror.tail())
    assert.match(mirror.errors, /same cluster/)
    assert.equal(await countRecords(source.bootstrap, topic), 100)
  }
)

for (const side of ['source', 'target'] as const) {
  test(`an unreachable ${side}: it says so, keeps trying, and still drains`, limit, async t => {
    const [port] = await freePorts(1)
    const nowhere = { bootstrap: `127.0.0.1:${port}` }
    const mirror = await startMirror(t, { ...pair, [side]: nowhere, whitelist: 'any' })
    const line = await mirror.line({ msg: 'cluster cannot be reached; trying again', side })
    assert.equal(line.bootstrapServers, nowhere.bootstrap)
    assert.match(`${line.error}`, /refused/)
    assert.equal(await mirror.stop(30_000), 0, mirror.tail())
  })
}

test('a target that comes up late is waited for', limit, async t => {
  const { source, target } = pair
  const topic = `late-${randomUUID()}`
  await createTopic(source.bootstrap, topic)
  await produceNumbered(source.bootstrap, topic, { records: 100 })
  const [node] = target.nodes
  await node?.stop()
  t.after(() => (node?.pid === undefined ? node?.start() : undefined))
  const mirror = await startMirror(t, { source, target, whitelist: topic, group: topic })
  await mirror.line({ msg: 'cluster cannot be reached; trying again', side: 'target' })
  await node?.start()
  const hasAll = async () => (await countRecords(target.bootstrap, topic)) === 100
  await mirror.until('all records', hasAll)
  assert.equal(await mirror.stop(), 0, mirror.tail())
})

test('no right to write to one topic: a bounded run ends with code 1', limit, async t => {
  const { source, target } = pair
  const { allowed, refused, options } = await prepareRights()
  const { code, report, mirror } = await mirrorOnce(t, options)
  assert.deepEqual(reasonsOf(report, refused), ['not-allowed', 'not-allowed'])
  assert.deepEqual(reasonsOf(report, allowed), ['none', 'none'])
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [allowed]), [])
  assert.equal(await countRecords(target.bootstrap, refused), 0)
  assert.match(report.reason, /not-allowed/)
  assert.equal(code, 1, mirror.tail())
})

test('no right to write to one topic holds its lanes only, until it is given', limit, async t => {
  const { source, target } = pair
  const { allowed, refused, options } = await prepareRights()
  const mirror = await startMirror(t, options)
  const line = await mirror.line({ msg: 'lane backs off and tries again', reason: 'not-allowed' })
  assert.equal(line.topic, refused)
  await produceNumbered(source.bootstrap, allowed, { records: 1_000, from: 1_000 })
  const othersGoOn = async () => (await countRecords(target.bootstrap, allowed)) === 4_000
  await mirror.until('the records of the other topic', othersGoOn, 60_000)
  await allow({ topic: refused, principal, operation: 'write' })
  const isHealed = async () => (await countRecords(target.bootstrap, refused)) === 2_000
  await mirror.until('the records of the topic', isHealed, 35_000)
  await mirror.line({ msg: 'lane goes on' })
  assert.equal(await mirror.stop(), 0, mirror.tail())
  const topics = [allowed, refused]
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, topics), [])
})

test('no right to create a topic stops its lanes only', limit, async t => {
  const { source, target } = pair
  const prefix = `create-${randomUUID()}`
  const [there, missing] = [`${prefix}-there`, `${prefix}-missing`]
  for (const topic of [there, missing]) {
    await createTopic(source.bootstrap, topic)
    await produceNumbered(source.bootstrap, topic, { records: 100 })
  }
  await createTopic(target.bootstrap, there)
  await allow(
    { cluster: true, principal, operation: 'idempotentWrite' },
    { topic: there, principal, operation: 'all' }
  )
  const options = loggedIn({ source, target, whitelist: `${prefix}.*`, group: prefix })
  const { code, report, mirror } = await mirrorOnce(t, options)
  assert.equal(code, 1, mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [there]), [])
  const [lane] = partitionsOf(report, missing)
  assert.equal(lane?.state, 'stopped')
  assert.match(`${lane?.reason}`, /target-topic-(refused|missing)/)
  assert.match(`${lane?.detail}`, new RegExp(missing))
})

test(
  'a target that recompresses: said at the start, and the contents are equal',
  limit,
  async t => {
    const { source, target } = pair
    const topic = `recompressed-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 2)
    await createTopic(target.bootstrap, topic, 2, { configs: { 'compression.type': 'gzip' } })
    await produceMixed(source.bootstrap, topic, { records: 5_000, headers: true, nullKeys: true })
    const { code, mirror } = await mirrorOnce(t, { source, target, whitelist: topic, group: topic })
    assert.equal(code, 0, mirror.tail())
    const warnings = mirror.lines.filter(line => line.topic === topic && line.level === 'warn')
    assert.equal(warnings.length, 1)
    assert.match(`${warnings[0]?.msg}`, /recompresses/)
    assert.equal(warnings[0]?.compressionType, 'gzip')
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
    const client = new RawClient(target.bootstrap)
    t.after(() => client.close())
    for await (const { header } of readBatches(client, topic, 0)) assert.equal(header.codec, 'gzip')
  }
)

test('a quota on the target slows the mirror down, and everything arrives', limit, async t => {
  const { source, target } = pair
  const topic = `quota-${randomUUID()}`
  const records = 40_000
  await createTopic(source.bootstrap, topic, 2)
  await produceMixed(source.bootstrap, topic, { records, codec: 'none', recordBytes: 200 })
  await setQuota(t, target, 1_000_000)
  const startedAt = Date.now()
  const { code, report, mirror } = await mirrorOnce(t, {
    source,
    target,
    whitelist: topic,
    group: topic
  })
  assert.equal(code, 0, mirror.tail())
  // What a broker looks at together passes freely at first.
  assert.ok(Date.now() - startedAt > 4_000, `${report.bytes} bytes in ${Date.now() - startedAt} ms`)
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  assert.equal(report.records, records)
})

/** Two topics on both sides, and a user who may write to one of them. */
async function prepareRights(): Promise<{
  allowed: string
  refused: string
  options: MirrorOptions
}> {
  const { source, target } = pair
  const prefix = `rights-${randomUUID()}`
  const [allowed, refused] = [`${prefix}-allowed`, `${prefix}-refused`]
  for (const topic of [allowed, refused]) {
    await createTopic(source.bootstrap, topic, 2)
    await createTopic(target.bootstrap, topic, 2)
    await produceNumbered(source.bootstrap, topic, { records: 1_000 })
  }
  await allow(
    { cluster: true, principal, operation: 'idempotentWrite' },
    { topic: prefix, prefixed: true, principal, operation: 'describe' },
    { topic: prefix, prefixed: true, principal, operation: 'describeConfigs' },
    { topic: allowed, principal, operation: 'write' }
  )
  const options = loggedIn({ source, target, whitelist: `${prefix}.*`, group: prefix })
  return { allowed, refused, options }
}

async function allow(...acls: Acl[]): Promise<void> {
  return withClient(pair.target.bootstrap, async client => {
    await client.admin.createAcls(...acls)
  })
}

/** On the target as a user who may do what ACLs allow. */
function loggedIn(options: MirrorOptions): MirrorOptions {
  const { secured } = pair.target
  assert.ok(secured !== undefined)
  return { ...options, target: secured, producer: login }
}

function reasonsOf(report: Parameters<typeof partitionsOf>[0], topic: string): string[] {
  return partitionsOf(report, topic).map(({ reason }) => reason)
}

/** Bytes a second that every client may produce, until the test ends. */
async function setQuota(
  t: TestContext,
  { version, bootstrap }: KafkaCluster,
  bytes: number
): Promise<void> {
  const alter = async (...change: string[]) => {
    const args = ['--bootstrap-server', bootstrap, '--alter', ...change]
    const main = 'kafka.admin.ConfigCommand'
    const whom = ['--entity-type', 'clients', '--entity-default']
    const { code, stderr } = await runTool(version, main, [...args, ...whom])
    assert.equal(code, 0, stderr)
  }
  await alter('--add-config', `producer_byte_rate=${bytes}`)
  t.after(() => alter('--delete-config', 'producer_byte_rate'))
}

// What a lane makes of a target, or of a commit, that is not as it left them: it goes on exactly, says why it cannot
// promise that, or stops and says what to do.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { decodeCheckpoint } from '../../src/mirror/checkpoint.ts'
import { produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { type KafkaNode, startPair } from '../support/kafka-broker.ts'
import { createTopic, deleteRecords, recreateTopic, setOffsets } from '../support/kafka-tools.ts'
import { countArrived, startedLines } from '../support/killed-mirror.ts'
import {
  type BoundedRun,
  type MirrorOptions,
  mirrorOnce,
  partitionsOf,
  startMirror
} from '../support/mirror-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { putBack, readCommits } from '../support/rolled-back.ts'
import { produceTransactions } from '../support/transactions.ts'
import { waitFor } from '../support/wait.ts'

const run = promisify(execFile)
const command = fileURLToPath(new URL('../../../bin/heliostat', import.meta.url))
const users = { mirror: 'mirror-secret' }
const limit = { timeout: 150_000 }
const partitions = 2
const records = 2_000

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  const security = { protocol: 'SASL_PLAINTEXT', users, acls: true } as const
  // How long producers are remembered is changed while it runs; how often that is looked at cannot be.
  const config = { 'producer.id.expiration.check.interval.ms': 200 }
  pair = await startPair({ target: { security, config } })
})
after(() => pair?.close())

test(
  'P9: an offset set by another tool: at least once, said, and exactly once from then on',
  limit,
  async t => {
    const { source, target } = pair
    const { topic, options } = await startTopic()
    await mirrorAll(t, options)
    await setOffsets(source, topic, topic, 500)

    const flags = ['--delivery', 'exactly-once']
    const strict = await mirrorOnce(t, { ...options, flags })
    assert.equal(strict.code, 1, strict.mirror.tail())
    for (const row of partitionsOf(strict.report, topic)) {
      assert.deepEqual([row.state, row.reason], ['stopped', 'delivery-unproved'])
      assert.match(row.detail ?? '', /foreign-commit.*kafka-consumer-groups --reset-offsets/)
    }
    assert.equal(await countRecords(target.bootstrap, topic), partitions * records)
    assert.deepEqual(await deliveriesOf(topic), ['at-least-once no-metadata'])

    const loose = await mirrorOnce(t, options)
    assertLevel(loose, topic, 'at-least-once', 'foreign-commit')
    assert.equal(await countRecords(target.bootstrap, topic), partitions * (2 * records - 500))
    assert.deepEqual(await deliveriesOf(topic), ['at-least-once foreign-commit'])

    await produce(topic)
    await mirrorAll(t, options)
    assert.equal(await countRecords(target.bootstrap, topic), partitions * (3 * records - 500))
    assert.deepEqual(await deliveriesOf(topic), ['exactly-once '])
  }
)

// The partitions were made a moment ago and may have no leader yet; nobody else could tell the end later.
test('it dies before its first batch is committed', limit, async t => {
  const { topic, options } = await startTopic()
  const flags = ['--offset.commit.interval.ms', '60000']
  const mirror = await startMirror(t, { ...options, flags })
  const hasSome = async () => (await countRecords(pair.target.bootstrap, topic)) > 0
  await mirror.until('a record', hasSome)
  mirror.kill('SIGKILL')
  await mirror.exited
  const commits = await readCommits(pair.source.bootstrap, topic)
  assert.equal(commits.length, partitions)
  for (const { offset, metadata } of commits) {
    const decoded = decodeCheckpoint(metadata ?? '')
    assert.ok(decoded.kind === 'own' && offset === 0, `${metadata}`)
    assert.equal(decoded.checkpoint.targetEnd, 0)
    assert.ok(decoded.checkpoint.producerId >= 0)
  }
  await mirrorAll(t, options)
  await assertSame(topic)
})

test('what arrived after the last commit is found and passed over', limit, async t => {
  const { topic, options } = await startTopic()
  await crash(t, topic, options)
  const { mirror } = await mirrorAll(t, options)
  assert.equal(countArrived(mirror), partitions * records)
  await assertSame(topic)
})

// The commit stands behind them then: were its end of the target still the old one, their loss could not be seen.
test('what was passed over is committed as acknowledged', limit, async t => {
  const { topic, options } = await startTopic()
  await crash(t, topic, options)
  await mirrorAll(t, options)
  for (const { offset, metadata } of await readCommits(pair.source.bootstrap, topic)) {
    const decoded = decodeCheckpoint(metadata ?? '')
    assert.ok(decoded.kind === 'own', `${metadata}`)
    assert.deepEqual([offset, decoded.checkpoint.targetEnd], [2 * records, 2 * records])
  }
})

test('aborted transactions are not counted among what arrived', limit, async t => {
  const { source, target } = pair
  const { topic, options } = await startTopic()
  await mirrorAll(t, options)
  const commits = await readCommits(source.bootstrap, topic)
  const load = { transactions: 12, abortEvery: 3, interleaved: 3, batchesPerPartition: 4 }
  const { committedRecords } = await produceTransactions(source.bootstrap, topic, load)
  await produce(topic)
  await mirrorAll(t, options)
  await putBack(source.bootstrap, topic, commits)
  await produce(topic)
  const { mirror } = await mirrorAll(t, options)
  assert.equal(countArrived(mirror), committedRecords + partitions * records)
  const isolation = 'read_committed'
  const sides = [source.bootstrap, target.bootstrap] as const
  assert.deepEqual(await compareTopics(...sides, [topic], { isolation }), [])
})

test('the target has forgotten the producer: the log tells', limit, async t => {
  const { topic, options } = await startTopic()
  await crash(t, topic, options)
  await forgetProducers(t, topic)
  const { mirror } = await mirrorAll(t, options)
  assert.equal(countArrived(mirror), partitions * records)
  await assertSame(topic)
})

// The leader may still know the sequence, but of what it knows nothing can be seen any more.
for (const isForgotten of [false, true]) {
  const what = isForgotten ? 'records and producer are gone from' : 'the records are deleted on'
  test(`${what} the target: nothing is proved, and it is said`, limit, async t => {
    const { topic, options } = await startTopic()
    await crash(t, topic, options)
    await deleteAll(topic)
    if (isForgotten) await forgetProducers(t, topic)
    const loose = await mirrorOnce(t, options)
    assertLevel(loose, topic, 'at-least-once', 'resync-unknown')
    assert.equal(await countRecords(pair.target.bootstrap, topic), partitions * records)
  })
}

test('the target topic is deleted and made anew: the lanes stop', limit, async t => {
  const { topic, options } = await startTopic()
  await mirrorAll(t, options)
  await produce(topic)
  await recreateTopic(pair.target.bootstrap, topic, partitions)
  assertStopped(await mirrorOnce(t, options), topic, 'identity-mismatch')
  assert.equal(await countRecords(pair.target.bootstrap, topic), 0)
})

test(
  'a target topic that was made anew and filled by others: nothing is lost silently',
  limit,
  async t => {
    const { topic, options } = await startTopic()
    await crash(t, topic, options)
    await recreateTopic(pair.target.bootstrap, topic, partitions)
    await produceNumbered(pair.target.bootstrap, topic, { records: 3 * records })
    assertStopped(await mirrorOnce(t, options), topic, 'identity-mismatch')
  }
)

// As after an election that was not clean: what was acknowledged is gone, or only what was not committed yet.
test(
  'the log of the target is cut: behind the commit it is mended, before it the lane stops',
  limit,
  async t => {
    const { source, target } = pair
    const { topic, options } = await startTopic()
    await crash(t, topic, options)
    const node = target.nodes[0] as KafkaNode
    await node.kill('SIGKILL')
    for (const [partition, share] of [0.25, 0.75].entries()) {
      const log = join(node.dataDir, `${topic}-${partition}`, `${'0'.repeat(20)}.log`)
      await truncate(log, Math.floor((await stat(log)).size * share))
    }
    await node.start()
    const { code, mirror, report } = await mirrorOnce(t, options)
    assert.equal(code, 1, mirror.tail())
    const states = partitionsOf(report, topic).map(({ reason, delivery }) => [reason, delivery])
    assert.deepEqual(
      states.map(([reason]) => reason),
      ['target-went-back', 'none']
    )
    const arrived = countArrived(mirror)
    assert.ok(arrived > 0 && arrived < records, `${arrived} records`)
    const differences = await compareTopics(source.bootstrap, target.bootstrap, [topic])
    assert.deepEqual(
      differences.map(({ partition }) => partition),
      [0]
    )
  }
)

// The next start could see nothing of it: others have written since, and nobody knows the producer any more.
test('a topic that is made anew in mid-run: the lanes stop, and stay so', limit, async t => {
  const { source, target } = pair
  const { topic, options } = await startTopic()
  const mirror = await startMirror(t, { ...options, flags: ['--offset.commit.interval.ms', '500'] })
  const hasAll = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
  await mirror.until('all records', hasAll)
  await recreateTopic(pair.target.bootstrap, topic, partitions)
  await produce(topic)
  await mirror.line({ msg: 'lane stopped', reason: 'target-went-back' })
  const areKept = async () =>
    (await readCommits(source.bootstrap, topic)).every(({ metadata }) =>
      metadata?.endsWith(';stop=target-went-back')
    )
  await mirror.until('commits that keep the stop', areKept)
  mirror.kill('SIGTERM')
  await mirror.exited
  await produceNumbered(target.bootstrap, topic, { records: 2 * records })
  await deleteUpTo(topic, records)
  await forgetProducers(t, topic)
  const before = await countRecords(target.bootstrap, topic)
  for (const flags of [[], ['--delivery', 'at-least-once']]) {
    assertStopped(await mirrorOnce(t, { ...options, flags }), topic, 'target-went-back')
  }
  assert.equal(await countRecords(target.bootstrap, topic), before)

  await setOffsets(source, topic, topic, records)
  assertLevel(await mirrorOnce(t, options), topic, 'at-least-once', 'foreign-commit')
  assert.equal(await countRecords(target.bootstrap, topic), before + partitions * records)
})

test('no right to read the target topic: at least once, and the right is named', limit, async t => {
  const { topic, options } = await startTopic()
  const principal = 'User:mirror'
  const client = new RawClient(pair.target.bootstrap)
  t.after(() => client.close())
  await createTopic(pair.target.bootstrap, topic, partitions)
  await client.admin.createAcls(
    { topic, principal, operation: 'write' },
    { topic, principal, operation: 'describeConfigs' }
  )
  const login = {
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required username="mirror" password="${users.mirror}";`
  }
  const bootstrap = pair.target.secured?.bootstrap ?? ''
  const limited = { ...options, target: { bootstrap }, producer: login }
  await mirrorAll(t, limited)
  await produce(topic)
  const second = await mirrorOnce(t, limited)
  assertLevel(second, topic, 'at-least-once', 'no-read-right')
  const fix = `--operation Read --topic ${topic}`
  assert.ok(`${startedLines(second.mirror)[0]?.fix}`.includes(fix), second.mirror.tail())
  await assertSame(topic)
  const strict = await mirrorOnce(t, { ...limited, flags: ['--delivery', 'exactly-once'] })
  assertStopped(strict, topic, 'delivery-unproved')
  const unasked = await mirrorOnce(t, { ...limited, flags: ['--delivery', 'at-least-once'] })
  assertLevel(unasked, topic, 'at-least-once', 'asked-for')
  await client.admin.createAcls({ topic, principal, operation: 'read' })
  await produce(topic)
  await mirrorAll(t, limited)
  await assertSame(topic)
})

/** A topic with records, and how it is mirrored. */
async function startTopic(): Promise<{ topic: string; options: MirrorOptions }> {
  const { source, target } = pair
  const topic = `guard-${randomUUID()}`
  await createTopic(source.bootstrap, topic, partitions)
  await produce(topic)
  return { topic, options: { source, target, whitelist: topic, group: topic } }
}

async function produce(topic: string): Promise<void> {
  await produceNumbered(pair.source.bootstrap, topic, { records, batchRecords: 100 })
}

/** As after a crash: all records are on the target, and the commit is from before the last half of them. */
async function crash(t: TestContext, topic: string, options: MirrorOptions): Promise<void> {
  const { bootstrap } = pair.source
  await mirrorAll(t, options)
  const commits = await readCommits(bootstrap, topic)
  for (const { metadata } of commits) assert.equal(decodeCheckpoint(metadata ?? '').kind, 'own')
  await produce(topic)
  await mirrorAll(t, options)
  await putBack(bootstrap, topic, commits)
}

/** A run to the end under exactly-once. */
async function mirrorAll(t: TestContext, options: MirrorOptions): Promise<BoundedRun> {
  const done = await mirrorOnce(t, options)
  assert.equal(done.code, 0, done.mirror.tail())
  assertLevel(done, options.whitelist, 'exactly-once', '')
  return done
}

function assertLevel(
  { code, mirror, report }: BoundedRun,
  topic: string,
  delivery: string,
  deliveryReason: string
): void {
  assert.equal(code, 0, mirror.tail())
  const rows = partitionsOf(report, topic)
  assert.equal(rows.length, partitions, mirror.tail())
  for (const row of rows) {
    assert.deepEqual([row.delivery, row.deliveryReason], [delivery, deliveryReason], mirror.tail())
  }
  const said = startedLines(mirror).map(line => [line.delivery, line.deliveryReason ?? ''])
  assert.deepEqual([...new Set(said.map(String))], [`${delivery},${deliveryReason}`])
}

function assertStopped({ code, mirror, report }: BoundedRun, topic: string, reason: string): void {
  assert.equal(code, 1, mirror.tail())
  const rows = partitionsOf(report, topic)
  assert.equal(rows.length, partitions, mirror.tail())
  for (const row of rows) {
    assert.deepEqual([row.state, row.reason], ['stopped', reason], mirror.tail())
    assert.match(row.detail ?? '', /--reset-offsets/)
  }
}

async function assertSame(topic: string): Promise<void> {
  const { source, target } = pair
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
}

/** Distinct levels that `heliostat status` tells from the commits. */
async function deliveriesOf(topic: string): Promise<string[]> {
  const args = ['--bootstrap-server', pair.source.bootstrap, '--group', topic, '--format', 'json']
  const { stdout } = await run(process.execPath, [command, 'status', ...args])
  const [link] = JSON.parse(stdout).links
  const levels = link.lanes.map(
    (lane: { delivery: string; deliveryReason: string }) =>
      `${lane.delivery} ${lane.deliveryReason}`
  )
  return [...new Set<string>(levels)]
}

async function deleteAll(topic: string): Promise<void> {
  await deleteUpTo(topic, -1)
}

/** -1: up to the end. */
async function deleteUpTo(topic: string, offset: number): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    await deleteRecords(pair.target.bootstrap, topic, partition, offset)
  }
}

/** For a moment the broker remembers no producer longer than a millisecond. */
async function forgetProducers(t: TestContext, topic: string): Promise<void> {
  const client = new RawClient(pair.target.bootstrap)
  t.after(() => client.close())
  const set = (value: number | null) => {
    const changes = { 'producer.id.expiration.ms': value }
    return client.admin.alterConfigs({ type: 'broker', name: '' }, changes)
  }
  t.after(() => set(null))
  await set(1)
  const hasForgotten = async () => {
    for (let partition = 0; partition < partitions; partition++) {
      if ((await client.countProducers(topic, partition)) > 0) return false
    }
    return true
  }
  await waitFor('no producer', hasForgotten)
  await set(null)
}

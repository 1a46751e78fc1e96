// Ends of a run, asked for and not, and what the next run makes of them.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { compareTopics } from '../support/digest.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { countArrived } from '../support/killed-mirror.ts'
import { mirrorOnce, startMirror } from '../support/mirror-process.ts'
import { type SteadyLoad, startLoad } from '../support/steady-load.ts'

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

/** For what the load has just written to be in the mirror's hands. */
const reachMs = 500
const limit = { timeout: 150_000 }

// P2.
test(
  'SIGTERM in the middle, twice, and a last run: nothing missing, nothing twice',
  limit,
  async t => {
    const { source, target } = pair
    const { topic, load } = await startTopic(t, 4)
    const options = { source, target, whitelist: topic, group: topic }
    for (let turn = 0; turn < 2; turn++) {
      const before = await countRecords(target.bootstrap, topic)
      const mirror = await startMirror(t, options)
      const isMoving = async () => (await countRecords(target.bootstrap, topic)) > before + 2_000
      await mirror.until('records that move', isMoving)
      assert.equal(await mirror.stop(), 0, mirror.tail())
    }
    await load.stop()
    const last = await mirrorOnce(t, options)
    assert.equal(last.code, 0, last.mirror.tail())
    assert.ok(last.report.records < load.records, 'the last run went on where the others stopped')
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  }
)

test('producing while it runs: the lag is 0 again, and all is there', limit, async t => {
  const { source, target } = pair
  const { topic, load } = await startTopic(t, 3)
  const flags = ['--offset.commit.interval.ms', '500', '--num.streams', '2']
  const mirror = await startMirror(t, { source, target, whitelist: topic, group: topic, flags })
  await mirror.until('a load', () => load.records > 30_000)
  await load.stop()
  const isCaughtUp = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
  await mirror.until('lag 0', isCaughtUp)
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  assert.equal(await mirror.stop(), 0, mirror.tail())
  assert.equal(await groupLag(source.bootstrap, topic, [topic]), 0)
})

test('a second SIGINT ends a drain that waits, with code 130', limit, async t => {
  const { source, target } = pair
  const { topic, load } = await startTopic(t, 2)
  const options = { source, target, whitelist: topic, group: topic }
  const mirror = await startMirror(t, options)
  const isMoving = async () => (await countRecords(target.bootstrap, topic)) > 2_000
  await mirror.until('records that move', isMoving)
  const written = load.records
  await freezeTarget(t)
  await mirror.until('batches in flight', () => load.records > written + 1_000)
  await delay(reachMs)
  mirror.kill('SIGINT')
  await mirror.line({ msg: 'draining; a second signal ends at once', signal: 'SIGINT' })
  mirror.kill('SIGINT')
  assert.equal(await mirror.exit(5_000), 130, mirror.tail())
  await thawTarget()
  await load.stop()
  const { code, mirror: next } = await mirrorOnce(t, options)
  assert.equal(code, 0, next.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
})

// P2.
test(
  'a drain that cannot finish ends in time with code 4, and the next run doubles nothing',
  limit,
  async t => {
    const { source, target } = pair
    const { topic, load } = await startTopic(t, 2)
    const options = { source, target, whitelist: topic, group: topic }
    const flags = ['--drain-timeout-ms', '2000']
    const mirror = await startMirror(t, { ...options, flags })
    const isMoving = async () => (await countRecords(target.bootstrap, topic)) > 2_000
    await mirror.until('records that move', isMoving)
    const written = load.records
    await freezeTarget(t)
    await mirror.until('batches in flight', () => load.records > written + 1_000)
    await delay(reachMs)
    assert.equal(await mirror.stop(15_000), 4, mirror.tail())
    await thawTarget()
    await load.stop()
    const next = await mirrorOnce(t, options)
    assert.equal(next.code, 0, next.mirror.tail())
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  }
)

test('SIGKILL and a new start: nothing missing, nothing twice', limit, async t => {
  const { source, target } = pair
  const { topic, load } = await startTopic(t, 3)
  const flags = ['--offset.commit.interval.ms', '300']
  const options = { source, target, whitelist: topic, group: topic, flags }
  const mirror = await startMirror(t, options)
  const isMoving = async () => {
    const lag = await groupLag(source.bootstrap, topic, [topic])
    return lag !== undefined && (await countRecords(target.bootstrap, topic)) > 5_000
  }
  await mirror.until('records that move, and a commit', isMoving)
  mirror.kill('SIGKILL')
  await mirror.exited
  await load.stop()
  const next = await mirrorOnce(t, options)
  assert.equal(next.code, 0, next.mirror.tail())
  t.diagnostic(`${countArrived(next.mirror)} records found behind the commits`)
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
})

/** A topic and a load on it that ends with the test. */
async function startTopic(
  t: TestContext,
  partitions: number
): Promise<{ topic: string; load: SteadyLoad }> {
  const topic = `resume-${randomUUID()}`
  const { bootstrap } = pair.source
  await createTopic(bootstrap, topic, partitions)
  const load = await startLoad(bootstrap, topic)
  t.after(() => load.stop().catch(() => undefined))
  return { topic, load }
}

async function freezeTarget(t: TestContext): Promise<void> {
  t.after(thawTarget)
  await pair.target.nodes[0]?.kill('SIGSTOP')
}

async function thawTarget(): Promise<void> {
  await pair.target.nodes[0]?.kill('SIGCONT')
}

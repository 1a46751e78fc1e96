// Several mirrors in one group: partitions change hands under load.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { produceMixed } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { type MirrorProcess, mirrorOnce, startMirror } from '../support/mirror-process.ts'
import { startLoad } from '../support/steady-load.ts'

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

const limit = { timeout: 150_000 }
const everyMs = 15

test(
  'a second mirror takes its share and gives it back: nothing missing, nothing twice',
  limit,
  async t => {
    const { source, target } = pair
    const topic = `shared-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 6)
    const load = await startLoad(source.bootstrap, topic, { everyMs })
    t.after(() => load.stop().catch(() => undefined))
    const options = { source, target, whitelist: topic, group: topic }
    const first = await startMirror(t, options)
    await first.line({ msg: 'lanes started' })
    const second = await startMirror(t, options)
    await second.until('a share', () => assigned(second) > 0)
    await first.line({ msg: 'partitions revoked' })
    await second.line({ msg: 'lanes started' })
    const arrived = await countRecords(target.bootstrap, topic)
    const isMoving = async () => (await countRecords(target.bootstrap, topic)) > arrived + 5_000
    await second.until('records that move', isMoving)
    assert.equal(await second.stop(), 0, second.tail())
    await first.until('all partitions again', () => assigned(first) > 6)
    await load.stop()
    const isCaughtUp = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
    await first.until('lag 0', isCaughtUp)
    assert.equal(await first.stop(), 0, first.tail())
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  }
)

test(
  'a mirror that is killed is replaced by the other: nothing missing, nothing twice',
  limit,
  async t => {
    const { source, target } = pair
    const topic = `replaced-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 4)
    const load = await startLoad(source.bootstrap, topic, { everyMs })
    t.after(() => load.stop().catch(() => undefined))
    const flags = ['--offset.commit.interval.ms', '500']
    const options = { source, target, whitelist: topic, group: topic, flags }
    const first = await startMirror(t, options)
    await first.line({ msg: 'lanes started' })
    const second = await startMirror(t, options)
    await second.line({ msg: 'lanes started' })
    await second.until('records that move', () => load.records > 20_000)
    first.kill('SIGKILL')
    await first.exited
    const hadBefore = assigned(second)
    await second.until('the partitions of the other', () => assigned(second) > hadBefore)
    await load.stop()
    const isCaughtUp = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
    await second.until('lag 0', isCaughtUp)
    assert.equal(await second.stop(), 0, second.tail())
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  }
)

test('two bounded runs at once share the work, and both end with code 0', limit, async t => {
  const { source, target } = pair
  const topic = `halves-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 6)
  await produceMixed(source.bootstrap, topic, { records: 120_000, batchRecords: 50 })
  const options = { source, target, whitelist: topic, group: topic }
  const runs = await Promise.all([mirrorOnce(t, options), mirrorOnce(t, options)])
  for (const { code, mirror } of runs) assert.equal(code, 0, mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
})

/** Partitions that were given to it so far. */
function assigned(mirror: MirrorProcess): number {
  const lines = mirror.linesLike({ msg: 'partitions assigned' })
  return lines.reduce((sum, line) => sum + (line.partitions as number), 0)
}

// What handlers send to partitions that all lanes share, while mirrors sleep, wake, come and go: once, and in order.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { writeHandler } from '../support/handler-file.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { countArrived, startedLines } from '../support/killed-mirror.ts'
import { type MirrorOptions, type MirrorProcess, startMirror } from '../support/mirror-process.ts'
import { seededRandom } from '../support/random.ts'
import { assertSplit, splitHandler, splitPartitions } from '../support/split-records.ts'
import { startLoad } from '../support/steady-load.ts'

const limit = { timeout: 90_000 }
const partitions = 3
const sessionMs = 6_000

let pair: Awaited<ReturnType<typeof startPair>>
before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

test(
  'a mirror that slept while another took over adds nothing to other partitions',
  limit,
  async t => {
    const { load, options, count, finish } = await startUnderLoad(t)
    const sleeper = await startMirror(t, options)
    await sleeper.until('records that move', async () => (await count()) > 1_000)
    sleeper.kill('SIGSTOP')
    t.after(() => sleeper.kill('SIGCONT'))
    const other = await startMirror(t, options)
    await other.until('lanes', () => startedLines(other).length > 0, sessionMs + 20_000)
    const before = await count()
    await other.until('records by the other', async () => (await count()) > before + 500)
    sleeper.kill('SIGCONT')
    const asleep = await count()
    await other.until('records by both', async () => (await count()) > asleep + 1_000)
    await load.stop()
    await finish([other, sleeper])
  }
)

test('two mirrors work on all lanes at once, and other partitions have it once', limit, async t => {
  const random = seededRandom(t)
  const { load, options, count, finish } = await startUnderLoad(t, { 'group.instance.id': 'one' })
  const first = await startMirror(t, options)
  await first.until('records that move', async () => (await count()) > 500)
  await delay(random.between(0, 700))
  const second = await startMirror(t, options)
  await second.until('lanes', () => startedLines(second).length > 0)
  assert.equal(await first.exit(30_000), 1, first.tail())
  await load.stop()
  await finish([second])
})

async function startUnderLoad(t: TestContext, consumer: MirrorOptions['consumer'] = {}) {
  const topic = `spread-${randomUUID()}`
  const { source, target } = pair
  for (const { bootstrap } of [source, target]) await createTopic(bootstrap, topic, partitions)
  await createTopic(target.bootstrap, `${topic}-other`, splitPartitions)
  const load = await startLoad(source.bootstrap, topic, {
    everyMs: 40,
    batchRecords: 20,
    isIdempotent: true
  })
  t.after(() => load.stop().catch(() => undefined))
  const handler = await writeHandler(t, splitHandler)
  const flags = ['--message.handler', handler, '--offset.commit.interval.ms', '1000']
  const options = { source, target, whitelist: topic, group: topic, consumer, flags }
  const count = () => countRecords(target.bootstrap, `${topic}-other`)
  const finish = async (mirrors: MirrorProcess[]) => {
    const isCaughtUp = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
    await mirrors[0]?.until('lag 0', isCaughtUp, 40_000)
    for (const mirror of mirrors) assert.equal(await mirror.stop(), 0, mirror.tail())
    for (const mirror of mirrors) {
      for (const { delivery } of startedLines(mirror)) assert.equal(delivery, 'exactly-once')
    }
    const arrived = mirrors.map(countArrived)
    const anew = mirrors.flatMap(({ lines }) =>
      lines.filter(({ msg }) => msg.includes('begins anew'))
    )
    t.diagnostic(`${arrived} records found behind commits, ${anew.length} lanes begun anew`)
    const number = load.records / partitions
    await assertSplit(target.bootstrap, topic, { partitions, count: number })
  }
  return { load, options, count, finish }
}

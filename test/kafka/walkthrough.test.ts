// The textbook walkthrough of a mirror, with Kafka's own tools on both ends and the old command line in the middle.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { compareTopics } from '../support/digest.ts'
import { countRecords } from '../support/group-lag.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic, describeGroup, getOffsets, perfTest } from '../support/kafka-tools.ts'
import { startMirror } from '../support/mirror-process.ts'

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

const isFull = process.env.HELIOSTAT_FULL === '1'
const records = isFull ? 5_000_000 : 200_000
const limitMs = isFull ? 1_200_000 : 60_000
const topic = 'test'
const group = 'mirror'

test('the textbook walkthrough', { timeout: limitMs }, async t => {
  const { source, target } = pair
  await createTopic(source.bootstrap, topic, 4)
  await perfTest(source, topic, { records, recordBytes: 100 })

  // The old command line has no command word: its flags alone make it a run.
  const flags = ['--num.streams', '4']
  const options = { source, target, group, whitelist: '.*', flags, hasCommandWord: false }
  const mirror = await startMirror(t, options)
  const arrived = async () => (await countRecords(target.bootstrap, topic)) >= records
  await mirror.until(`${records} records at the target`, arrived, limitMs)

  const offsets = await getOffsets(target, topic)
  assert.deepEqual([...(offsets.get(topic)?.keys() ?? [])].sort(), [0, 1, 2, 3])
  const total = [...(offsets.get(topic)?.values() ?? [])].reduce((sum, end) => sum + end, 0)
  assert.equal(total, records)

  // Checkpoints are committed every 5 s: the mirror may be asked while it runs, as soon as that is over.
  const isDone = async () => {
    const rows = await describeGroup(source, group)
    return rows.length === 4 && rows.every(({ lag }) => lag === 0)
  }
  await mirror.until('lag 0 while the mirror runs', isDone)
  assert.equal(await mirror.stop(), 0, mirror.tail())

  const rows = await describeGroup(source, group)
  assert.deepEqual(rows.map(({ partition }) => partition).sort(), [0, 1, 2, 3])
  for (const row of rows) {
    assert.equal(row.topic, topic)
    assert.equal(row.lag, 0)
    assert.equal(row.current, row.end)
  }
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
})

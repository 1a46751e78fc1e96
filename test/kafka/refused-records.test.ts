// Records that a target refuses for what they are stop their lane at their offset, with a reason; logs without a record
// that could be mirrored are at their end, and cost nothing.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { produceNumbered } from '../support/corpus.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic, deleteRecords } from '../support/kafka-tools.ts'
import { mirrorOnce, partitionsOf, startMirror } from '../support/mirror-process.ts'
import { withClient } from '../support/raw-client.ts'
import { encodeBatch, type RecordInput } from '../support/records.ts'
import { produceTransactions } from '../support/transactions.ts'

const limit = { timeout: 150_000 }
const hourMs = 3_600_000
const sound = 5

type Refused = {
  name: string
  /** The batch behind five sound ones. */
  record: RecordInput
  targetConfigs: Record<string, string | number>
  reason: string
}

const refused: Refused[] = [
  {
    name: 'T7: a time ahead of what the target allows',
    record: { key: 'k', value: 'late', timestamp: Date.now() + 240 * hourMs },
    targetConfigs: { 'message.timestamp.after.max.ms': hourMs },
    reason: 'timestamp-range'
  },
  {
    name: 'T7: history older than what the target allows',
    record: { key: 'k', value: 'old', timestamp: Date.now() - 240 * hourMs },
    targetConfigs: { 'message.timestamp.before.max.ms': 24 * hourMs },
    reason: 'timestamp-range'
  },
  {
    name: 'T9: a record without a key for a compacted topic',
    record: { key: null, value: 'whose' },
    targetConfigs: { 'cleanup.policy': 'compact' },
    reason: 'refused'
  }
]

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

for (const { name, record, targetConfigs, reason } of refused) {
  test(`${name} stops its lane there, and no other`, limit, async t => {
    const { source, target } = pair
    const topic = `refused-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 2)
    await createTopic(target.bootstrap, topic, 2, { configs: targetConfigs })
    await withClient(source.bootstrap, async client => {
      for (const partition of [0, 1]) {
        for (let number = 0; number < sound; number++) {
          await client.append(topic, partition, encodeBatch([{ key: `${number}`, value: 'sound' }]))
        }
      }
      await client.append(topic, 0, encodeBatch([record]))
      for (const partition of [0, 1]) {
        await client.append(topic, partition, encodeBatch([{ key: 'after', value: 'sound' }]))
      }
    })
    const { code, report, mirror } = await mirrorOnce(t, {
      source,
      target,
      whitelist: topic,
      group: topic
    })
    assert.equal(code, 1, mirror.tail())
    const [stopped, other] = partitionsOf(report, topic)
    assert.deepEqual([stopped?.state, stopped?.reason], ['stopped', reason], mirror.tail())
    assert.deepEqual([stopped?.committed, stopped?.records], [sound, sound])
    assert.match(stopped?.detail ?? '', new RegExp(`at offset ${sound}\\b`))
    assert.deepEqual([other?.state, other?.records], ['drained', sound + 1])
    assert.equal(await countRecords(target.bootstrap, topic), 2 * sound + 1)
  })
}

test('T21: topics that are empty, hold markers only, or lost all they held', limit, async t => {
  const { source, target } = pair
  // T23: as long as a name may be.
  const prefix = `nothing-${randomUUID()}-`.padEnd(241, 'x')
  const [empty, markers, deleted] = ['-empty--', '-markers', '-deleted'].map(
    end => prefix + end
  ) as [string, string, string]
  assert.equal(empty.length, 249)
  const topics = [empty, markers, deleted]
  for (const topic of topics) await createTopic(source.bootstrap, topic, 2)
  await produceTransactions(source.bootstrap, markers, { transactions: 3, abortEvery: 1 })
  await produceNumbered(source.bootstrap, deleted, { records: 100, batchRecords: 10 })
  for (const partition of [0, 1]) await deleteRecords(source.bootstrap, deleted, partition, -1)
  const options = { source, target, whitelist: `${prefix}.*`, group: `nothing-${randomUUID()}` }
  const { code, report, mirror } = await mirrorOnce(t, options)
  assert.equal(code, 0, mirror.tail())
  assert.equal(report.records, 0)
  for (const topic of topics) assert.equal(await countRecords(target.bootstrap, topic), 0)
  assert.equal(await groupLag(source.bootstrap, options.group, topics), 0)

  const running = await startMirror(t, options)
  await running.line({ msg: 'lanes started' })
  await delay(1_000)
  const before = await cpuSeconds(running.pid)
  await delay(5_000)
  const used = (await cpuSeconds(running.pid)) - before
  t.diagnostic(`${used.toFixed(2)} CPU-seconds in 5 s`)
  assert.ok(used < 1.5, `${used} CPU-seconds in 5 s`)
  assert.equal(await running.stop(), 0, running.tail())
})

// utime and stime are fields 14 and 15, in hundredths of a second.
async function cpuSeconds(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

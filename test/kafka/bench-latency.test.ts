// The benchmark of latency on real brokers: a whole run counts every record, and one that is not whole is no figure.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { writeStamp } from '../../bench/latency/record.ts'
import { runLatency } from '../../bench/latency/run.ts'
import { makeSchedule } from '../../bench/latency/schedule.ts'
import { startPair } from '../support/kafka-broker.ts'
import { withClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { waitFor } from '../support/wait.ts'

const limit = { timeout: 150_000 }
const schedule = makeSchedule({ mbPerSecond: 0.2048, warmUpSeconds: 1, seconds: 2 })
// A busy machine is late, and counts all the same.
const mostLate = 5
let brokers: Awaited<ReturnType<typeof startPair>>

before(async () => {
  brokers = await startPair()
})
after(() => brokers?.close())

test(
  'every record of the load is counted, later on the target than on the source',
  limit,
  async () => {
    const run = await runLatency('heliostat', 1, { brokers, schedule, mostLate })
    assert.ok(!('failure' in run), 'failure' in run ? run.failure : '')
    assert.equal(run.records, 400)
    assert.ok(run.direct.p50 > 0 && run.direct.p50 <= run.direct.p99, JSON.stringify(run.direct))
    assert.ok(run.later.p50 > 0 && run.later.p50 < run.mirrored.max, JSON.stringify(run.later))
    assert.ok(run.countedCpuSeconds >= 0 && run.process.peakRssBytes > 10e6)
    assert.equal(run.process.exitCode, 0)
  }
)

test('a record that is twice on the target fails the run', limit, async () => {
  const running = runLatency('heliostat', 2, { brokers, schedule, mostLate })
  const value = Buffer.alloc(schedule.recordBytes)
  writeStamp(value, { number: 0, sentNs: 0 })
  await withClient(brokers.target.bootstrap, async client => {
    const topic = 'bench-latency-heliostat-2'
    await waitFor('the topic on the target', async () => {
      const { topics } = await client.metadata()
      return topics.some(({ name }) => name === topic)
    })
    await client.append(topic, 0, encodeBatch([{ value }]))
  })
  const run = await running
  assert.ok('failure' in run)
  assert.match(run.failure, /^failed: 1 records arrived twice or more at the target$/m)
})

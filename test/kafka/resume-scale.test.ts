// Many lanes that go on after a crash at once: how long it takes to ask the target for all of them.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { countArrived, startedLines } from '../support/killed-mirror.ts'
import { mirrorOnce } from '../support/mirror-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { putBack, readCommits } from '../support/rolled-back.ts'

const lanes = process.env.HELIOSTAT_FULL === '1' ? 1_000 : 400
const mostMs = 10_000

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

test(`${lanes} lanes find out what has arrived`, { timeout: 180_000 }, async t => {
  const { source, target } = pair
  const topic = `many-${randomUUID()}`
  await createTopic(source.bootstrap, topic, lanes)
  const options = { source, target, whitelist: topic, group: topic }
  await fill(topic)
  const first = await mirrorOnce(t, options)
  assert.equal(first.code, 0, first.mirror.tail())
  const commits = await readCommits(source.bootstrap, topic)
  await fill(topic)
  const second = await mirrorOnce(t, options)
  assert.equal(second.code, 0, second.mirror.tail())
  await putBack(source.bootstrap, topic, commits)

  const { code, mirror, report } = await mirrorOnce(t, options)
  assert.equal(code, 0, mirror.tail())
  assert.equal(report.records, 0)
  assert.equal(countArrived(mirror), lanes)
  const assigned = await mirror.line({ msg: 'partitions assigned' })
  const started = startedLines(mirror).at(-1)
  const resumeMs = Date.parse(`${started?.time}`) - Date.parse(assigned.time)
  t.diagnostic(`from the assignment to the last lane: ${resumeMs} ms`)
  assert.ok(resumeMs < mostMs, `${resumeMs} ms`)
})

/** A record in every partition. */
async function fill(topic: string): Promise<void> {
  const client = new RawClient(pair.source.bootstrap)
  const batch = encodeBatch([{ key: 'key', value: 'x'.repeat(100) }], { codec: 'lz4' })
  try {
    const all = await client.partitions(topic)
    await Promise.all(all.map(partition => client.append(topic, partition, batch)))
  } finally {
    client.close()
  }
}

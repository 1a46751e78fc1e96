// A target before Kafka 2.1 takes Produce 6 at most, which may not carry zstd.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Codec } from '../support/batch-header.ts'
import { rebuildBatches } from '../support/rebuilt-batches.ts'
import { encodeBatch } from '../support/records.ts'
import { api } from '../support/scripted-answers.ts'
import { openScriptedLink, type ScriptedLink } from '../support/scripted-link.ts'

const topic = 'old'
const codecs: Codec[] = ['snappy', 'zstd', 'none', 'zstd', 'zstd', 'gzip']
const recordsEach = 20

async function openOldTarget(t: TestContext): Promise<ScriptedLink> {
  const topics = { [topic]: { partitions: 1 } }
  const versions = { [api.produce]: [3, 6] as const }
  const opened = await openScriptedLink(t, { source: { topics }, target: { topics, versions } })
  const source = opened.source.source(topic, 0)
  for (const codec of codecs) {
    const values = Array.from({ length: recordsEach }, (_, at) => `${source.end + at} `.repeat(30))
    const records = values.map(value => ({ value }))
    source.appendBatch(encodeBatch(records, { codec, baseOffset: source.end }), values)
  }
  return opened
}

test('zstd becomes lz4, in its place; the other codecs stay', async t => {
  const opened = await openOldTarget(t)
  const { link } = opened
  rebuildBatches(t, link)
  const [lane] = opened.add(topic, [0]) as [number]
  await opened.untilRecords(lane, codecs.length * recordsEach)
  const { values, received } = opened.target.target(topic, 0)
  assert.deepEqual(values, opened.source.source(topic, 0).values)
  const arrived = received.map(({ codec, error }) => [codec, error])
  const wanted = codecs.map(codec => [codec === 'zstd' ? 'lz4' : codec, 0])
  assert.deepEqual(arrived, wanted)
})

test('where nobody rebuilds batches, the lane stops before zstd and says why', async t => {
  const opened = await openOldTarget(t)
  const [lane] = opened.add(topic, [0]) as [number]
  const { reason, checkpoint } = await opened.untilStopped(lane)
  assert.deepEqual([reason, checkpoint], ['codec-unsupported', recordsEach])
  assert.deepEqual(
    opened.target.target(topic, 0).received.map(({ codec }) => codec),
    ['snappy']
  )
})

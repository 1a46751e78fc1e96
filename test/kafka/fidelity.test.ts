// What cannot be passed on unchanged is not passed on at all: its lane stops, alone, and says why.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Codec } from '../support/batch-header.ts'
import { produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords } from '../support/group-lag.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { mirrorOnce, partitionsOf } from '../support/mirror-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { readBatches } from '../support/topic-reader.ts'
import { waitFor } from '../support/wait.ts'

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  // The cleaner looks for work every 15 s unless told otherwise.
  pair = await startPair({ source: { config: { 'log.cleaner.backoff.ms': 100 } } })
})
after(() => pair?.close())

const limit = { timeout: 60_000 }
const compacted = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': 0.001,
  'segment.ms': 100
}

for (const codec of ['lz4', 'none'] as const) {
  test(`holes that compaction left (${codec}) stop the lane alone`, limit, async t => {
    const { source, target } = pair
    const prefix = `holes-${randomUUID()}`
    const [holed, whole] = [`${prefix}-holed`, `${prefix}-whole`]
    await createTopic(source.bootstrap, holed, 2, { configs: compacted })
    await createTopic(source.bootstrap, whole, 2)
    await produceNumbered(source.bootstrap, whole, { records: 2_000 })
    await produceNumbered(source.bootstrap, holed, { records: 2_000 })
    const client = new RawClient(source.bootstrap)
    t.after(() => client.close())
    const intact = await client.listOffset(holed, 0, 'latest')
    const firstHole = await makeHoles(client, holed, codec)

    const options = { source, target, whitelist: `${prefix}.*`, group: prefix }
    const { code, report, mirror } = await mirrorOnce(t, options)
    assert.equal(code, 1, mirror.tail())
    assert.match(report.reason, /holes/)
    const [stopped, other] = partitionsOf(report, holed)
    assert.equal(stopped?.state, 'stopped')
    assert.equal(stopped?.reason, 'holes')
    assert.equal(other?.reason, 'none')
    assert.ok(mirror.linesLike({ msg: 'lane stopped', topic: holed, reason: 'holes' }).length > 0)

    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [whole]), [])
    const differences = await compareTopics(source.bootstrap, target.bootstrap, [holed])
    assert.deepEqual(
      differences.map(({ partition }) => partition),
      [0]
    )
    // Everything before the first hole, and nothing from there on.
    assert.ok(firstHole >= intact)
    const targetClient = new RawClient(target.bootstrap)
    t.after(() => targetClient.close())
    assert.equal(await targetClient.listOffset(holed, 0, 'latest'), firstHole)
    assert.equal(stopped?.source.last, firstHole - 1)
    assert.equal(stopped?.committed, firstHole)

    // The next run finds the lane where it stopped, and stops again.
    const again = await mirrorOnce(t, options)
    assert.equal(again.code, 1, again.mirror.tail())
    assert.equal(await countRecords(target.bootstrap, holed), firstHole + 2_000)
  })
}

test('holes between batches are no holes: what is left passes unchanged', limit, async t => {
  const { source, target } = pair
  const topic = `gaps-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 1, { configs: compacted })
  const client = new RawClient(source.bootstrap)
  t.after(() => client.close())
  // Batches of one record each: compaction takes whole ones.
  for (let number = 0; number < 40; number++) {
    const record = { key: number % 2 === 0 ? 'same' : `other-${number}`, value: `${number}` }
    await client.append(topic, 0, encodeBatch([record], { codec: 'lz4' }))
  }
  await untilCompacted(client, topic, records => records < 40)
  const { code, mirror } = await mirrorOnce(t, { source, target, whitelist: topic, group: topic })
  assert.equal(code, 0, mirror.tail())
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
})

/** Batches in partition 0 of which compaction takes every other record. Gives where the first of them begins. */
async function makeHoles(client: RawClient, topic: string, codec: Codec): Promise<number> {
  const batch = (round: number) =>
    encodeBatch(
      Array.from({ length: 20 }, (_, place) => ({
        key: place % 2 === 0 ? `again-${place}` : `once-${round}-${place}`,
        value: `value ${round} ${place}`.repeat(10)
      })),
      { codec }
    )
  for (let round = 0; round < 3; round++) await client.append(topic, 0, batch(round))
  await untilCompacted(client, topic, () => true)
  for await (const { header } of readBatches(client, topic, 0)) {
    if (header.recordCount !== header.lastOffsetDelta + 1) return header.baseOffset
  }
  throw new Error(`${topic}-0 has no holes`)
}

/**
 * Appends a record now and then, for only that begins a new segment and makes the one before it cleanable, until
 * some record is gone.
 */
async function untilCompacted(
  client: RawClient,
  topic: string,
  holds: (records: number) => boolean
): Promise<void> {
  let roll = 0
  await waitFor(
    'the cleaner',
    async () => {
      await client.append(topic, 0, encodeBatch([{ key: `roll-${roll++}`, value: 'x' }]))
      let records = 0
      for await (const { header } of readBatches(client, topic, 0)) records += header.recordCount
      const isCleaned = (await client.listOffset(topic, 0, 'latest')) > records
      return isCleaned && holds(records - roll)
    },
    { everyMs: 200 }
  )
}

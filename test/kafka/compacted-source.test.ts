// A crash, and compaction before the next start: by then the source has less of what arrived than the target's sequences
// count. What is left is passed over, and nothing besides.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { compactedConfigs, untilCompacted } from '../support/compaction.ts'
import { type KafkaCluster, startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { countArrived } from '../support/killed-mirror.ts'
import { mirrorOnce, partitionsOf } from '../support/mirror-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { decodeBatch, encodeBatch } from '../support/records.ts'
import { putBack, readCommits } from '../support/rolled-back.ts'
import { readBatches } from '../support/topic-reader.ts'
import { waitFor } from '../support/wait.ts'

const committed = keys('f', 0, 10)
/** Behind the commit, batch by batch. Five keys are there twice. */
const arrived = [keys('a', 0, 10), keys('a', 5, 15), ['c']]

type Shape = {
  name: string
  /** Keys that come after the crash. */
  later: string[]
  /** Records of what has arrived that compaction leaves on the source. */
  left: number
  isTargetCompacted?: boolean
}

const shapes: Shape[] = [
  { name: 'others-come', later: keys('z', 0, 10), left: 16 },
  { name: 'the-last-are-replaced', later: [...keys('a', 10, 15), 'c'], left: 10 },
  { name: 'all-are-replaced', later: [...keys('a', 0, 15), 'c'], left: 0 },
  { name: 'both-sides-compact', later: keys('z', 0, 10), left: 16, isTargetCompacted: true }
]

let pair: { source: KafkaCluster; target: KafkaCluster; close(): Promise<void> }
let source: RawClient
let target: RawClient

before(async () => {
  const side = { config: { 'log.cleaner.backoff.ms': 200 } }
  pair = await startPair({ source: side, target: side })
  source = new RawClient(pair.source.bootstrap)
  target = new RawClient(pair.target.bootstrap)
})
after(async () => {
  for (const client of [source, target]) client?.close()
  await pair?.close()
})

test('compaction takes from the source what has arrived', { timeout: 240_000 }, async t => {
  const prefix = `compacted-${randomUUID()}`
  const topicOf = ({ name }: Shape) => `${prefix}-${name}`
  const options = { ...pair, whitelist: `${prefix}-.*`, group: prefix }
  for (const shape of shapes) {
    const topic = topicOf(shape)
    const configs = { 'cleanup.policy': 'compact' }
    await createTopic(pair.source.bootstrap, topic, 1, { configs })
    const targetConfigs = shape.isTargetCompacted ? compactedConfigs : {}
    await createTopic(pair.target.bootstrap, topic, 1, { configs: targetConfigs })
    await append(topic, committed, 0)
  }
  assert.equal((await mirrorOnce(t, options)).code, 0)
  const commits = await readCommits(pair.source.bootstrap, prefix)
  assert.equal(commits.length, shapes.length)
  for (const shape of shapes) {
    // A second between them lets each begin a segment of its own on a target that compacts.
    for (const [place, batch] of arrived.entries()) await append(topicOf(shape), batch, place + 1)
  }
  assert.equal((await mirrorOnce(t, options)).code, 0)
  await putBack(pair.source.bootstrap, prefix, commits)

  for (const shape of shapes) {
    const topic = topicOf(shape)
    await append(topic, shape.later, 9)
    await source.admin.alterConfigs({ type: 'topic', name: topic }, compactedConfigs)
    const left = committed.length + shape.left + shape.later.length
    await untilCompacted(source, topic, records => records === left)
    if (shape.isTargetCompacted) {
      const isCompacted = async () => (await read(target, topic)).length < 31
      await waitFor('the cleaner of the target', isCompacted)
    }
  }
  const { code, report, mirror } = await mirrorOnce(t, options)
  assert.equal(code, 0, mirror.tail())
  assert.equal(countArrived(mirror), shapes.length * arrived.flat().length, mirror.tail())
  for (const shape of shapes) {
    const topic = topicOf(shape)
    const [row] = partitionsOf(report, topic)
    assert.deepEqual([row?.state, row?.delivery], ['drained', 'exactly-once'], mirror.tail())
    const here = await read(source, topic)
    const there = await read(target, topic)
    assert.equal(new Set(there).size, there.length, `${topic}: nothing twice`)
    const known = new Set(here)
    assert.deepEqual(
      there.filter(value => known.has(value)),
      here,
      `${topic}: all, in order`
    )
    if (shape.isTargetCompacted) continue
    const written = [committed, ...arrived, shape.later]
    const places = [0, 1, 2, 3, 9]
    const records = written.flatMap((batch, at) => recordsOf(batch, places[at] as number))
    assert.deepEqual(there.slice(0, records.length), records)
  }
})

function keys(name: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, place) => `${name}${from + place}`)
}

function recordsOf(batch: readonly string[], place: number): string[] {
  return batch.map(key => `${key}: ${place}`)
}

async function append(topic: string, batch: readonly string[], place: number): Promise<void> {
  const timestamp = Date.now() - 60_000 + place * 1_000
  const records = batch.map(key => ({ key, value: `${place}`, timestamp }))
  await source.append(topic, 0, encodeBatch(records))
}

async function read(client: RawClient, topic: string): Promise<string[]> {
  const found: string[] = []
  for await (const { bytes } of readBatches(client, topic, 0)) {
    for (const { key, value } of decodeBatch(bytes).records) found.push(`${key}: ${value}`)
  }
  return found
}

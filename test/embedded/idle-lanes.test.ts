// Lanes that wait for something new rest in a session of the source's broker: they are named again when they have news,
// when they move, and when the broker has forgotten them.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { api, type FetchAnswer } from '../support/scripted-answers.ts'
import type { Call, ScriptedCluster } from '../support/scripted-broker.ts'
import { openScriptedLink, type ScriptedLink } from '../support/scripted-link.ts'
import { waitFor } from '../support/wait.ts'

const topic = 'idle'
const partitions = 200
const all = Array.from({ length: partitions }, (_, partition) => partition)
const recordsEach = 3

/** All lanes have their first batch and rest. */
async function openIdle(
  t: TestContext,
  versions = {}
): Promise<{ opened: ScriptedLink; ids: number[] }> {
  const topics = { [topic]: { partitions } }
  const source = { topics, versions, hasSessions: true }
  const opened = await openScriptedLink(t, { source, target: { topics } }, { fetchMaxWaitMs: 50 })
  for (const partition of all) opened.source.source(topic, partition).append(`${partition}`, 1)
  const ids = opened.add(topic, all)
  for (const id of ids) await opened.untilRecords(id, recordsEach)
  await untilAtRest(opened.source)
  return { opened, ids }
}

async function untilAtRest(source: ScriptedCluster): Promise<void> {
  const from = source.fetches.length
  await waitFor('a request that names no lane', () =>
    source.fetches.slice(from).some(({ topics }) => topics.length === 0)
  )
}

function namedSince(source: ScriptedCluster, from: number): number[] {
  const partitions = source.fetches.slice(from).flatMap(({ topics }) => topics)
  return partitions.flatMap(each => each.partitions.map(({ partition }) => partition))
}

async function bringMore(opened: ScriptedLink, ids: readonly number[], partition: number) {
  opened.source.source(topic, partition).append(`${partition}`, 1)
  await opened.untilRecords(ids[partition] as number, 2 * recordsEach)
}

async function areWhole(opened: ScriptedLink): Promise<void> {
  for (const partition of all) {
    const { values } = opened.target.target(topic, partition)
    assert.deepEqual(values, opened.source.source(topic, partition).values)
  }
}

for (const [says, versions] of [
  ['topics by their ids', {}],
  ['topics by their names', { [api.fetch]: [4, 12] }],
  ['the first version with sessions', { [api.fetch]: [4, 7] }]
] as const) {
  test(`a lane at rest is named no more until it has news: ${says}`, async t => {
    const { opened, ids } = await openIdle(t, versions)
    const from = opened.source.fetches.length
    await bringMore(opened, ids, 7)
    await untilAtRest(opened.source)
    assert.deepEqual([...new Set(namedSince(opened.source, from))], [7])
    await areWhole(opened)
  })
}

test('a broker that forgets the session is told of all lanes again, and nothing is missed', async t => {
  const { opened, ids } = await openIdle(t)
  const from = opened.source.fetches.length
  opened.source.sessions?.forget()
  opened.source.source(topic, 3).append('3', 1)
  await opened.untilRecords(ids[3] as number, 2 * recordsEach)
  await untilAtRest(opened.source)
  assert.equal(new Set(namedSince(opened.source, from)).size, partitions)
  await bringMore(opened, ids, 4)
  await areWhole(opened)
  for (const id of ids) assert.equal(opened.lane(id).reason, 'none')
})

test('a connection that ends takes its session along, and lanes go on over the next one', async t => {
  const { opened, ids } = await openIdle(t)
  opened.source.drop()
  await bringMore(opened, ids, 5)
  await areWhole(opened)
})

test('a lane that is taken away is forgotten, and one of the same partition goes on in its place', async t => {
  const { opened, ids } = await openIdle(t)
  const from = opened.source.fetches.length
  const lane = opened.lane(ids[6] as number)
  opened.link.removeLanes([ids[8] as number])
  const anew = opened.beginAnew(topic, 6, lane)
  opened.source.source(topic, 6).append('6', 1)
  await opened.untilRecords(anew, recordsEach)
  await untilAtRest(opened.source)
  const forgotten = opened.source.fetches.slice(from).flatMap(fetch => fetch.forgotten)
  assert.ok(forgotten.some(({ partitions }) => partitions.includes(8)))
  await areWhole(opened)
})

test('lanes at rest are looked at beside others that always have more', async t => {
  const { opened, ids } = await openIdle(t)
  const [busy, quiet] = [all.slice(0, 8), 9]
  // A source that is slower than the target: there is never a moment without a backlog.
  const fetch = ({ answer, encode }: Call<FetchAnswer>) => ({
    body: encode(answer).bytes,
    delayMs: 20
  })
  opened.source.scripts.set(0, { fetch })
  const backlog = 200 * 500
  for (const lane of busy) opened.source.source(topic, lane).append(`${lane}`, 200, 500)
  await opened.untilRecords(ids[0] as number, 2 * recordsEach)
  await bringMore(opened, ids, quiet)
  const isLeft = busy.every(lane => opened.lane(ids[lane] as number).records < backlog)
  assert.ok(isLeft, 'the backlog was over')
  for (const lane of busy) await opened.untilRecords(ids[lane] as number, backlog + recordsEach)
  await areWhole(opened)
})

// Answers of every version, damaged at every place, given to a link one after the other. What the target has in the
// end is what the source has, once and in order.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Answer } from '../support/answer-writer.ts'
import { splitBatches } from '../support/batch-header.ts'
import { api, type FetchAnswer, type Versions } from '../support/scripted-answers.ts'
import type { Call } from '../support/scripted-broker.ts'
import { openScriptedLink, type ScriptedLink } from '../support/scripted-link.ts'
import {
  absurdities,
  cuts,
  finishSweeps,
  Sweep,
  truncations,
  type Variant
} from '../support/scripted-sweep.ts'

const topic = 'orders'
const lanes = 12

// The oldest that there is, the newest without flexible encoding, and whatever the link speaks at most.
const fetchVersions: Record<string, Versions> = {
  4: { [api.fetch]: [4, 4] },
  11: { [api.fetch]: [4, 11] },
  newest: {}
}
const produceVersions: Record<string, Versions> = { 3: { [api.produce]: [3, 3] }, newest: {} }

// A throttle of a minute is kept for a minute.
const isMeant = ({ name }: { name: string }, value: bigint) => name !== 'throttle' || value < 0n

const damages: Record<string, (answer: Answer) => Variant[]> = {
  'ends early': truncations,
  'has an absurd field': answer => absurdities(answer, isMeant),
  'is cut off by a lost connection': cuts
}

for (const [damage, make] of Object.entries(damages)) {
  for (const [version, versions] of Object.entries(fetchVersions)) {
    test(`F9: Fetch ${version}: nothing is lost or doubled when an answer ${damage}`, async t => {
      await sweepFetch(t, versions, make)
    })
  }
  for (const [version, versions] of Object.entries(produceVersions)) {
    test(`F9: Produce ${version}: nothing is lost or doubled when an answer ${damage}`, async t => {
      await sweepProduce(t, versions, make)
    })
  }
}

async function sweepFetch(
  t: TestContext,
  versions: Versions,
  make: (answer: Answer) => Variant[]
): Promise<void> {
  const opened = await open(t, { source: versions, target: {} })
  const sweeps = places.map(lane => new Sweep<FetchAnswer>({ lane, lanes }, make))
  for (const [broker, sweep] of sweeps.entries()) {
    opened.source.scripts.set(broker, { fetch: call => sweep.reply(oneBatch(call)) })
  }
  await finish(t, opened, sweeps)
}

async function sweepProduce(
  t: TestContext,
  versions: Versions,
  make: (answer: Answer) => Variant[]
): Promise<void> {
  const opened = await open(t, { source: {}, target: versions })
  const sweeps = places.map(lane => new Sweep({ lane, lanes }, make))
  for (const [broker, sweep] of sweeps.entries()) {
    opened.target.scripts.set(broker, { produce: call => sweep.reply(call) })
  }
  await finish(t, opened, sweeps)
}

const places = Array.from({ length: lanes }, (_, lane) => lane)

// Each partition has a broker of its own, so that no lane sees the answers of another.
async function open(
  t: TestContext,
  versions: { source: Versions; target: Versions }
): Promise<ScriptedLink> {
  const side = { brokers: lanes, topics: { [topic]: { partitions: lanes, leader: Number } } }
  const opened = await openScriptedLink(
    t,
    {
      source: { ...side, versions: versions.source },
      target: { ...side, versions: versions.target }
    },
    { isolation: 'read_committed', budgetBytes: 256 * 1024 * 1024 }
  )
  for (const partition of places)
    opened.source.source(topic, partition).append(`p${partition}`, 100)
  return opened
}

async function finish(
  t: TestContext,
  opened: ScriptedLink,
  sweeps: readonly { isDone: boolean; last: string }[]
): Promise<void> {
  const { stops } = await finishSweeps(opened, topic, sweeps)
  t.diagnostic(`${stops.length} stops`)
  for (const partition of places) {
    const { values } = opened.target.target(topic, partition)
    assert.deepEqual(values, opened.source.source(topic, partition).values)
  }
}

/** One batch an answer, and a transaction that ended long ago, so that every field is there. */
function oneBatch(call: Call<FetchAnswer>): Call<FetchAnswer> {
  for (const partition of call.answer.topics.flatMap(({ partitions }) => partitions)) {
    partition.records = splitBatches(partition.records ?? Buffer.alloc(0))[0] ?? null
    partition.aborted = [{ producerId: 1, firstOffset: 0 }]
  }
  return call
}

// A link between mock clusters whose brokers go and come, whose leaders move and which answer with errors.
// The mock does not check sequences, so a batch may arrive twice, and only one is in flight at a time;
// none may be missing or overtake. The simulation has a target that checks.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { laneColumns, laneValue } from '../../src/native/index.ts'
import { produce, readValues, recordTexts, waitFor } from '../support/mock-mirror.ts'
import { addLanes, closeLink, type OpenLink, openLink, sumOf } from '../support/native-link.ts'

const apiProduce = 0
const apiFetch = 1
const apiMetadata = 3
const partitions = 4
const records = 1_500

type Disturbance = (opened: OpenLink, random: () => number) => Promise<void> | void

const disturbances: Record<string, Disturbance> = {
  'a target broker goes and comes': async ({ target }) => {
    target.setBrokerUp(1, false)
    await sleep(150)
    target.setBrokerUp(1, true)
  },
  'a source broker goes and comes': async ({ source }) => {
    source.setBrokerUp(2, false)
    await sleep(150)
    source.setBrokerUp(2, true)
  },
  'target leaders move': ({ target }, random) => {
    for (let p = 0; p < partitions; p++) target.setLeader('orders', p, 1 + (random() % 2))
  },
  'source leaders move': ({ source }, random) => {
    for (let p = 0; p < partitions; p++) source.setLeader('orders', p, 1 + (random() % 2))
  },
  'Produce is refused or answered with doubt': ({ target }) => {
    target.pushErrors(apiProduce, [6, 19, 0, 7, 20, 0, 3, 56, 0])
  },
  'Fetch and Metadata fail': ({ source, target }) => {
    source.pushErrors(apiFetch, [6, 3, -1, 0, 74, 56])
    target.pushErrors(apiMetadata, [5, 5])
  },
  'the target is far away': async ({ target }) => {
    target.setRoundTripMs(1, 60)
    await sleep(300)
    target.setRoundTripMs(1, 0)
  }
}

for (const [index, [name, disturb]] of Object.entries(disturbances).entries()) {
  test(`everything arrives in order although ${name}`, { timeout: 90_000 }, async t => {
    await mirrorWhile(index + 1, async (opened, random) => {
      for (let round = 0; round < 4; round++) {
        await disturb(opened, random)
        await sleep(80)
      }
    })
    t.diagnostic(`seed ${index + 1}`)
  })
}

test('everything arrives in order although all of this happens', { timeout: 120_000 }, async t => {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000)
  t.diagnostic(`seed ${seed}`)
  await mirrorWhile(seed, async (opened, random) => {
    const all = Object.values(disturbances)
    for (let round = 0; round < 16; round++) {
      await all[random() % all.length]?.(opened, random)
      await sleep(random() % 60)
    }
  })
})

test('a connection of idle lanes leaves room for a busy one', { timeout: 60_000 }, async t => {
  // Every connection would take the whole budget for its long poll, and the first would get it each time.
  const opened = openLink('orders', partitions, { budgetBytes: 1024 * 1024, fetchMaxWaitMs: 200 })
  t.after(() => closeLink(opened))
  await opened.link.start(10_000)
  addLanes(opened.link, 'orders', partitions)
  await produce(opened.source, 'orders', 2, 1_500)
  const start = Date.now()
  await waitFor(() => sumOf(opened.link.snapshot(), 'records') === 1_500, 'the busy lane', 30_000)
  t.diagnostic(`after ${Date.now() - start} ms`)
  assert.ok(Date.now() - start < 4_000)
})

test('lanes of a dead source broker go on at once on another leader', {
  timeout: 60_000
}, async t => {
  const opened = openLink('orders', partitions)
  t.after(() => closeLink(opened))
  const { source, link } = opened
  for (let p = 0; p < partitions; p++) source.setLeader('orders', p, 1)
  await link.start(10_000)
  addLanes(link, 'orders', partitions)
  await produce(source, 'orders', 0, 100)
  await waitFor(() => sumOf(link.snapshot(), 'records') === 100, 'the first records')
  source.setBrokerUp(1, false)
  await sleep(2_000)
  for (let p = 0; p < partitions; p++) source.setLeader('orders', p, 2)
  await produce(source, 'orders', 0, 100, 100)
  const start = Date.now()
  await waitFor(() => sumOf(link.snapshot(), 'records') === 200, 'the rest')
  t.diagnostic(`after ${Date.now() - start} ms`)
  assert.ok(Date.now() - start < 5_000)
})

async function mirrorWhile(seed: number, disturb: Disturbance): Promise<void> {
  const opened = openLink('orders', partitions, { maxInFlight: 1 })
  try {
    await opened.link.start(10_000)
    addLanes(opened.link, 'orders', partitions)
    const disturbing = disturb(opened, lehmer(seed))
    for (let p = 0; p < partitions; p++) await produceAll(opened, p)
    await disturbing
    const isDone = () => sumOf(opened.link.snapshot(), 'checkpoint') === partitions * records
    await waitFor(isDone, 'all records', 80_000).catch(error => {
      throw new Error(`${error} ${factsOf(opened)}`)
    })
    for (let p = 0; p < partitions; p++) {
      const values = await readValues(opened.target, 'orders', p)
      assert.deepEqual([...new Set(values)], recordTexts('orders', p, records), `partition ${p}`)
    }
    assert.equal(sumOf(opened.link.snapshot(), 'inFlight'), 0)
  } finally {
    await closeLink(opened)
  }
}

function factsOf({ link }: OpenLink): string {
  const { lanes } = link.snapshot()
  const rows = Array.from({ length: lanes.length / laneColumns.length }, (_, row) =>
    laneColumns.map(column => `${column} ${laneValue(lanes, row, column)}`).join(', ')
  )
  return [...rows, JSON.stringify(link.drainEvents())].join('\n')
}

/** In small steps, each tried again, since the source is disturbed, too. */
async function produceAll({ source }: OpenLink, partition: number): Promise<void> {
  for (let from = 0; from < records; from += 50) {
    for (let left = 100; ; left--) {
      try {
        await produce(source, 'orders', partition, 50, from)
        break
      } catch (error) {
        if (left === 0) throw error
        await sleep(50)
      }
    }
  }
}

function lehmer(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state
  }
}

// The addon as Node loads it: worker threads, ends in mid-flight, closing, and that both sides of the
// boundary mean the same by their numbers.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import {
  Cluster,
  Link,
  laneColumns,
  laneReasons,
  laneStates,
  linkColumns,
  MockCluster
} from '../../src/native/index.ts'
import { produce, readValues, recordTexts, waitFor } from '../support/mock-mirror.ts'
import { addLanes, closeLink, linkOptions, openLink, sumOf } from '../support/native-link.ts'
import { run } from '../support/native-program.ts'

const linkProcess = fileURLToPath(new URL('link-process.js', import.meta.url))
const nativeFolder = new URL('../../../src/native/', import.meta.url)

test('a link moves every record of several lanes, in order', async t => {
  const opened = openLink('orders', 3)
  t.after(() => closeLink(opened))
  await opened.link.start(10_000)
  addLanes(opened.link, 'orders', 3)
  for (const partition of [0, 1, 2]) await produce(opened.source, 'orders', partition, 400)
  await waitFor(() => sumOf(opened.link.snapshot(), 'records') === 1_200, '1,200 records')
  for (const partition of [0, 1, 2]) {
    const expected = recordTexts('orders', partition, 400)
    assert.deepEqual(await readValues(opened.target, 'orders', partition), expected)
  }
})

// P6. Neither a Fetch nor an acknowledgement waits for JavaScript.
test('a link moves on while nothing runs in JavaScript', async t => {
  const opened = openLink('orders', 3)
  t.after(() => closeLink(opened))
  await opened.link.start(10_000)
  for (const partition of [0, 1, 2]) await produce(opened.source, 'orders', partition, 400)
  addLanes(opened.link, 'orders', 3)
  const until = performance.now() + 5_000
  while (performance.now() < until) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  assert.equal(sumOf(opened.link.snapshot(), 'records'), 1_200)
})

for (const [ending, exitCode] of [
  ['exit', 7],
  ['throw', 1],
  ['return', 0]
] as const) {
  test(`a process with a running link ends by ${ending}`, { timeout: 60_000 }, async () => {
    const ended = await run(process.execPath, [linkProcess, ending])
    assert.match(ended.output, /moving 4 lanes of 4 rows/)
    assert.equal(ended.exitCode, exitCode, ended.output)
  })
}

for (const ending of ['wait', 'busy'] as const) {
  test(`a worker thread is terminated over a running link (${ending})`, {
    timeout: 60_000
  }, async () => {
    const worker = new Worker(linkProcess, { workerData: ending })
    await new Promise(resolve => worker.once('message', resolve))
    const exit = new Promise(resolve => worker.once('exit', resolve))
    await worker.terminate()
    await exit
  })
}

test('several worker threads run links at once, and end in any way', {
  timeout: 60_000
}, async () => {
  const workers = (['return', 'exit', 'throw'] as const).map(
    ending => new Worker(linkProcess, { workerData: ending })
  )
  const codes = await Promise.all(
    workers.map(
      worker =>
        new Promise<number>(resolve => {
          worker.on('error', () => undefined)
          worker.once('exit', resolve)
        })
    )
  )
  assert.deepEqual(codes, [0, 7, 1])
})

test('a link closes in mid-flight, again and again, within a second each time', async () => {
  for (let round = 0; round < 8; round++) {
    const opened = openLink('orders', 2)
    await opened.link.start(10_000)
    addLanes(opened.link, 'orders', 2)
    await produce(opened.source, 'orders', 0, 1_000)
    await sleep(round * 7)
    const start = Date.now()
    await opened.link.close()
    assert.ok(Date.now() - start < 1_000, `closing took ${Date.now() - start} ms`)
    await closeLink(opened)
  }
})

test('a link closes soon although its target is down', async () => {
  const opened = openLink('orders', 2)
  await opened.link.start(10_000)
  addLanes(opened.link, 'orders', 2)
  for (const broker of [1, 2]) opened.target.setBrokerUp(broker, false)
  await produce(opened.source, 'orders', 0, 1_000)
  await sleep(300)
  const start = Date.now()
  await opened.link.close()
  assert.ok(Date.now() - start < 2_000, `closing took ${Date.now() - start} ms`)
  await closeLink(opened)
})

test('clusters may be closed before the link on them', async () => {
  const { source, target, clusters, link } = openLink('orders', 1)
  await link.start(10_000)
  addLanes(link, 'orders', 1)
  await Promise.all(clusters.map(cluster => cluster.close()))
  await link.close()
  source.close()
  target.close()
})

test('a closed link answers, and starts no more', async () => {
  const opened = openLink('orders', 1)
  const starting = opened.link.start(10_000)
  const closing = opened.link.close()
  await Promise.allSettled([starting])
  await closing
  await opened.link.close()
  assert.equal(opened.link.snapshot().lanes.length, 0)
  assert.deepEqual(opened.link.drainEvents(), [])
  assert.throws(() => addLanes(opened.link, 'orders', 1), /closed/)
  await assert.rejects(opened.link.start(1_000), /closed/)
  await closeLink(opened)
})

test('a link to a target that cannot be reached says so in time', async t => {
  const source = new MockCluster(1)
  t.after(() => source.close())
  const clusters = [source.bootstrapServers, '127.0.0.1:1'].map(
    address => new Cluster({ 'bootstrap.servers': address })
  )
  const link = new Link(clusters[0] as Cluster, clusters[1] as Cluster, linkOptions)
  await assert.rejects(link.start(500))
  await link.close()
  await Promise.all(clusters.map(cluster => cluster.close()))
})

test('a lane that is added again on its target partition loses and repeats nothing', async t => {
  const opened = openLink('orders', 1)
  t.after(() => closeLink(opened))
  await opened.link.start(10_000)
  const [first] = addLanes(opened.link, 'orders', 1)
  await produce(opened.source, 'orders', 0, 1)
  await waitFor(() => sumOf(opened.link.snapshot(), 'checkpoint') === 1, 'the first record')
  const firstId = sumOf(opened.link.snapshot(), 'producerId')
  opened.link.removeLanes([first as number])
  // The target takes one producer id's sequence 0 for a repeat: the second lane needs another id.
  addLanes(opened.link, 'orders', 1)
  const hasFreshId = () => ![-1, firstId].includes(sumOf(opened.link.snapshot(), 'producerId'))
  await waitFor(hasFreshId, 'a fresh producer id')
})

test('a snapshot has one row of all columns per lane, and every total', async t => {
  const opened = openLink('orders', 3)
  t.after(() => closeLink(opened))
  await opened.link.start(10_000)
  assert.equal(opened.link.snapshot().lanes.length, 0)
  const ids = addLanes(opened.link, 'orders', 3)
  const { lanes, link } = opened.link.snapshot()
  assert.equal(lanes.length, 3 * laneColumns.length)
  assert.equal(link.length, linkColumns.length)
  opened.link.removeLanes(ids.slice(1))
  assert.equal(opened.link.snapshot().lanes.length, laneColumns.length)
})

test('reasons, states and totals are the same, in the same order, on both sides', () => {
  assert.deepEqual(enumIn('lane_reason.h', 'LaneReason').map(inKebabCase), [...laneReasons])
  assert.deepEqual(namesIn('lane_reason.cc'), [...laneReasons])
  assert.deepEqual(enumIn('lane.h', 'LaneState').map(inKebabCase), [...laneStates])
  assert.deepEqual(enumIn('link.h', 'LinkCount').map(inCamelCase), [...linkColumns, 'size'])
})

function nativeText(file: string): string {
  return readFileSync(new URL(file, nativeFolder), 'utf8')
}

/** The names of an enum class, without their k. */
function enumIn(file: string, name: string): string[] {
  const body = new RegExp(`enum class ${name}[^{]*{([^}]*)}`).exec(nativeText(file))?.[1] ?? ''
  return [...body.matchAll(/\bk(\w+)/g)].map(([, entry]) => entry as string)
}

function namesIn(file: string): string[] {
  return [...nativeText(file).matchAll(/Text\{"([^"]+)"/g)].map(([, name]) => name as string)
}

function inKebabCase(name: string): string {
  return name.replace(/(?!^)[A-Z]/g, letter => `-${letter}`).toLowerCase()
}

function inCamelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

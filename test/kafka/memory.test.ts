// What the mirror holds in memory is bounded (P5): a target that takes next to nothing, a source whose batches have one
// record each, and batches that inflate to a thousand times their size.

import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { after, before, type TestContext, test } from 'node:test'
import { type KafkaCluster, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion, targetVersion } from '../support/kafka-jars.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { type MirrorProcess, partitionsOf, startMirror } from '../support/mirror-process.ts'
import { RawClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { type SlowProxy, startSlowProxy } from '../support/slow-proxy.ts'
import { readBatches } from '../support/topic-reader.ts'
import { waitFor } from '../support/wait.ts'

const isFull = process.env.HELIOSTAT_FULL === '1'
const mib = 1_048_576
const heap = isFull ? '1500m' : '400m'
const slowBytesPerSecond = 100_000
const limit = { timeout: isFull ? 900_000 : 300_000 }
const waitMs = isFull ? 300_000 : 120_000

let source: KafkaCluster
let target: KafkaCluster
let proxy: SlowProxy

before(async () => {
  proxy = await startSlowProxy()
  const large = { 'message.max.bytes': 32 * mib }
  const behindProxy = { 'advertised.listeners': `PLAINTEXT://${proxy.address}` }
  const started = await Promise.all([
    startBroker({ version: sourceVersion, heap, config: large }),
    startBroker({ version: targetVersion, heap, config: { ...large, ...behindProxy } })
  ])
  ;[source, target] = started as [KafkaCluster, KafkaCluster]
  proxy.forwardTo(target.nodes[0]?.port ?? 0)
})
after(async () => {
  await Promise.all([source, target].map(cluster => cluster?.close()))
  await proxy?.close()
})

// Node, librdkafka and the thread that matches topics take about 130 MB, a thousand lanes another 50; the rest is the
// budget, and half as much for the answer that comes and for what the allocator keeps.
const budgetBytes = 32 * mib
const lanes = isFull ? 10_000 : 1_000
const lanesPerTopic = 100
const slowCapBytes = (isFull ? 640 : 320) * mib

test(
  `a target of 100 kB/s and ${lanes} partitions: the budget holds, nothing is lost`,
  limit,
  async t => {
    const topics = Array.from({ length: lanes / lanesPerTopic }, () => `slow-${randomUUID()}`)
    // Twice the budget, of bytes that no codec makes smaller.
    const batch = encodeBatch([{ key: 'k', value: randomBytes((2 * budgetBytes) / lanes) }])
    for (const topic of topics) {
      await createTopic(target.bootstrap, topic, lanesPerTopic)
      await appendEverywhere(topic, lanesPerTopic, batch)
    }
    proxy.limit(slowBytesPerSecond)
    const mirror = await startBounded(t, topics)
    let most = 0
    const isFull = async () => {
      most = Math.max(most, await metric(mirror, 'heliostat_buffer_bytes'))
      return most > budgetBytes / 2
    }
    await mirror.until('a full budget', isFull, waitMs)
    await bytesPass(isFull)
    t.diagnostic(`${Math.round(most / mib)} MiB held at most`)
    assert.ok(most < 1.25 * budgetBytes, `${most} bytes are held`)
    await endsWith(t, mirror, topics, slowCapBytes)
  }
)

const oneRecordLanes = 100
const oneRecordBatches = isFull ? 1_000_000 : 200_000
// All of them fit into the budget: what is held beside their bytes decides.
const oneRecordCapBytes = (isFull ? 512 : 256) * mib

test(`${oneRecordBatches} batches of one record before a slow target`, limit, async t => {
  const topic = `single-${randomUUID()}`
  const batch = encodeBatch([{ value: 'x' }])
  await appendEverywhere(topic, oneRecordLanes, batch, oneRecordBatches / oneRecordLanes)
  proxy.limit(slowBytesPerSecond)
  const mirror = await startBounded(t, [topic], { 'buffer.memory': 96 * mib })
  await bytesPass()
  await endsWith(t, mirror, [topic], oneRecordCapBytes)
})

const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const bombRecords = 10
// There is a worker for each core. One that gives up has inflated 128 MiB at most.
const refusedCapBytes = (256 + 160 * availableParallelism()) * mib
// One that does not may hold as much inflated, written anew, and packed again.
const rebuiltCapBytes = (256 + 420 * availableParallelism()) * mib

test('bombs stop their lanes by name, and no other', limit, async t => {
  const topic = `bombs-${randomUUID()}`
  const client = await openTopic(t, topic, codecs.length + 1)
  for (const [partition, codec] of codecs.entries()) {
    await plant(client, topic, partition, bomb(codec, 20 * mib))
  }
  await plant(client, topic, codecs.length, bomb('gzip', 1_000))
  const mirror = await startBounded(t, [topic])
  assert.equal(await mirror.exit(waitMs), 1, mirror.tail())
  const report = await mirror.report()
  t.diagnostic(`peak RSS ${Math.round(report.peakRssBytes / mib)} MiB`)
  assert.ok(report.peakRssBytes < refusedCapBytes, `${report.peakRssBytes} bytes`)
  const partitions = partitionsOf(report, topic)
  const stopped = partitions.slice(0, codecs.length)
  for (const lane of stopped) {
    assert.deepEqual([lane.state, lane.reason], ['stopped', 'malformed'], JSON.stringify(lane))
    assert.equal(lane.records, 0)
  }
  assert.equal(partitions.at(-1)?.records, bombRecords - 1)
  const lines = mirror.linesLike({ msg: 'batch cannot be rebuilt' })
  assert.equal(lines.length, codecs.length)
  for (const { detail } of lines) assert.match(String(detail), /over \d+ bytes when inflated/)
})

const restBytes = 256 * mib
const bombs = isFull ? 40 : 8

test(
  `${bombs} batches that inflate to 100 MB are rebuilt, and their memory is given back`,
  limit,
  async t => {
    const topic = `large-${randomUUID()}`
    const writer = await openTopic(t, topic, bombs)
    const large = bomb('lz4', 10 * mib)
    for (let partition = 0; partition < bombs; partition++) {
      await plant(writer, topic, partition, large)
    }
    // The codecs' own allocator keeps what it was given back for later, unless it is told not to.
    const environment = { MIMALLOC_PURGE_DELAY: '0' }
    const ends = { source, target, whitelist: topic, group: topic }
    const mirror = await startMirror(t, { ...ends, environment })
    const reader = new RawClient(target.bootstrap)
    t.after(() => reader.close())
    const expected = bombs * (bombRecords - 1)
    const hasAll = async () => (await countIn(reader, topic)) === expected
    await mirror.until('everything on the target', hasAll, waitMs)
    const peak = await residentBytes(mirror, 'VmHWM')
    assert.ok(peak < rebuiltCapBytes, `${peak} bytes`)
    // Threads without work end after half a minute.
    const isBack = async () => (await residentBytes(mirror, 'VmRSS')) < restBytes
    await mirror.until('memory that was given back', isBack, waitMs)
    const now = await residentBytes(mirror, 'VmRSS')
    t.diagnostic(`peak RSS ${Math.round(peak / mib)} MiB, then ${Math.round(now / mib)} MiB`)
    for await (const { header } of readBatches(reader, topic, bombs - 1)) {
      assert.equal(header.codec, 'lz4')
    }
    assert.equal(await mirror.stop(), 0, mirror.tail())
  }
)

/** 300 kB at the slow rate: three seconds of a target that lags behind, on any machine. */
async function bytesPass(look: () => Promise<unknown> = async () => undefined): Promise<void> {
  const end = proxy.passed + 3 * slowBytesPerSecond
  const isOver = async () => {
    await look()
    return proxy.passed > end
  }
  await waitFor('bytes on their way', isOver, { limitMs: waitMs })
}

async function openTopic(t: TestContext, topic: string, partitions: number): Promise<RawClient> {
  const client = new RawClient(source.bootstrap)
  t.after(() => client.close())
  await createTopic(source.bootstrap, topic, partitions)
  return client
}

/** The same batch, so many times, into every partition. */
async function appendEverywhere(
  topic: string,
  count: number,
  batch: Buffer,
  times = 1
): Promise<void> {
  const client = new RawClient(source.bootstrap)
  const perRequest = Math.min(200, Math.floor((4 * mib) / batch.length))
  try {
    await createTopic(source.bootstrap, topic, count)
    const numbers = Array.from({ length: count }, (_, partition) => partition)
    for (let round = 0; round < times; round++) {
      for (let at = 0; at < count; at += perRequest) {
        const some = numbers.slice(at, at + perRequest)
        await appendTo(client, topic, some, batch)
      }
    }
  } finally {
    client.close()
  }
}

/** Again where it was refused: a busy broker may take some of them twice. */
async function appendTo(
  client: RawClient,
  topic: string,
  partitions: readonly number[],
  batch: Buffer
): Promise<void> {
  let left = partitions
  await waitFor(
    'the source to take its batches',
    async () => {
      const produced = await client.produce({ topic, batches: new Map(left.map(p => [p, batch])) })
      left = produced.flatMap(({ partition, error }) => (error === 0 ? [] : [partition]))
      return left.length === 0
    },
    { limitMs: waitMs }
  )
}

/** Ten records of zeros. */
function bomb(codec: (typeof codecs)[number], recordBytes: number): Buffer {
  const value = Buffer.alloc(recordBytes)
  return encodeBatch(
    Array.from({ length: bombRecords }, () => ({ value })),
    { codec }
  )
}

/** Its first record is deleted, so that it cannot pass as it is. */
async function plant(
  client: RawClient,
  topic: string,
  partition: number,
  batch: Buffer
): Promise<void> {
  await client.append(topic, partition, batch)
  await client.admin.deleteRecords(topic, partition, 1)
}

function startBounded(
  t: TestContext,
  topics: readonly string[],
  producer: Record<string, number> = { 'buffer.memory': budgetBytes }
): Promise<MirrorProcess> {
  const ends = { source, target, whitelist: topics.join('|'), group: topics[0] as string }
  return startMirror(t, { ...ends, producer, isBounded: true, http: '127.0.0.1:0' })
}

async function endsWith(
  t: TestContext,
  mirror: MirrorProcess,
  topics: readonly string[],
  capBytes: number
): Promise<void> {
  proxy.lift()
  assert.equal(await mirror.exit(waitMs), 0, mirror.tail())
  const report = await mirror.report()
  t.diagnostic(`peak RSS ${Math.round(report.peakRssBytes / mib)} MiB`)
  assert.ok(report.peakRssBytes < capBytes, `${report.peakRssBytes} bytes`)
  const partitions = topics.flatMap(topic => partitionsOf(report, topic))
  assert.ok(partitions.every(({ delivery }) => delivery === 'exactly-once'))
  const clients = [source, target].map(({ bootstrap }) => new RawClient(bootstrap))
  t.after(() => {
    for (const client of clients) client.close()
  })
  for (const topic of topics) {
    const [written, arrived] = await Promise.all(clients.map(client => countIn(client, topic)))
    assert.ok(written !== undefined && written > 0)
    assert.equal(arrived, written)
  }
}

async function countIn(client: RawClient, topic: string): Promise<number> {
  const ends = await client.offsets(topic).catch(() => new Map())
  return [...ends.values()].reduce((sum, { latest }) => sum + latest, 0)
}

async function metric(mirror: MirrorProcess, name: string): Promise<number> {
  const { url } = await mirror.line({ msg: 'serving /livez, /readyz and /metrics' })
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

async function residentBytes({ pid }: MirrorProcess, row: 'VmHWM' | 'VmRSS'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${row}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1_024
}

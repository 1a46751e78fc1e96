// Many topics: how soon the first record comes, what the process needs, and how often it asks the source for its topics.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type CountingProxy, startCountingProxy } from '../support/counting-proxy.ts'
import { type KafkaCluster, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion, targetVersion } from '../support/kafka-jars.ts'
import { type MirrorProcess, startMirror } from '../support/mirror-process.ts'
import { RawClient, withClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { waitFor } from '../support/wait.ts'

const isFull = process.env.HELIOSTAT_FULL === '1'
const topicCount = isFull ? 1_000 : 200
const partitions = 10
const lanes = topicCount * partitions
const firstRecordLimitMs = 30_000
const caughtUpLimitMs = isFull ? 300_000 : 45_000
const mostRssBytes = 600_000_000
const fetchApi = 1
const metadataApi = 3
const discoveryMs = 3_000
const observedMs = 5 * discoveryMs

let proxy: CountingProxy
let source: KafkaCluster
let target: KafkaCluster

before(async () => {
  proxy = await startCountingProxy()
  const heap = isFull ? '1500m' : '500m'
  const started = await Promise.all([
    startBroker({
      version: sourceVersion,
      heap,
      config: { 'advertised.listeners': `PLAINTEXT://${proxy.address}` }
    }),
    startBroker({ version: targetVersion, heap })
  ])
  ;[source, target] = started as [KafkaCluster, KafkaCluster]
  proxy.forwardTo(source.nodes[0]?.port ?? 0)
})
after(async () => {
  await Promise.all([source, target].map(cluster => cluster?.close()))
  await proxy?.close()
})

test(`${topicCount} topics of ${partitions} partitions`, { timeout: 900_000 }, async t => {
  const prefix = `scale-${randomUUID().slice(0, 8)}`
  const topics = Array.from({ length: topicCount }, (_, number) => `${prefix}-${number}`)
  await fill(topics)

  const startedAt = Date.now()
  const since = () => Date.now() - startedAt
  const flags = ['--offset.commit.interval.ms', '1000']
  const mirror = await startMirror(t, {
    source,
    target,
    whitelist: `${prefix}.*`,
    group: prefix,
    flags
  })
  await mirror.until('the first record', () => hasRecord(target, prefix), firstRecordLimitMs)
  const firstMs = since()
  await mirror.until('commits', () => areAllCommitted(prefix), caughtUpLimitMs)
  const caughtUpMs = since()
  const rssBytes = await peakRss(mirror)

  // A new member's rebalance and the last lanes are over by then.
  await delay(2 * discoveryMs)
  const from = Date.now()
  const cpuFrom = await cpuMs(mirror)
  await delay(observedMs)
  const to = Date.now()
  const idleCpuMs = ((await cpuMs(mirror)) - cpuFrom) / ((to - from) / 1_000)
  // Both clients of the source have this id.
  const ours = proxy.requests.filter(({ clientId }) => clientId === `${prefix}-0`)
  const idle = ours.filter(({ timeMs }) => timeMs >= from && timeMs < to)
  const count = idle.filter(({ api }) => api === metadataApi).length
  t.diagnostic(
    `${lanes} lanes: first record after ${firstMs} ms, all committed after ${caughtUpMs} ms, peak RSS ` +
      `${Math.round(rssBytes / 1e6)} MB; idle: ${count} metadata requests in ${to - from} ms, ` +
      `${Math.round(idleCpuMs)} ms of CPU a second`
  )
  t.diagnostic(`idle requests by kind: ${JSON.stringify(countByApi(idle))}`)
  for (const [label, line] of milestones(mirror)) t.diagnostic(`${label}: ${line - startedAt} ms`)
  // Lanes that wait rest in the broker's session: a request that named all of them would have tens of bytes for each.
  const fetches = idle.filter(({ api }) => api === fetchApi)
  const largest = Math.max(...fetches.map(({ bytes }) => bytes))
  t.diagnostic(`idle: ${fetches.length} Fetch requests of ${largest} bytes at most`)
  const wokenMs = await wake(topics.filter((_, number) => number % 20 === 0))
  t.diagnostic(`${topicCount / 20} records to lanes at rest arrived within ${wokenMs} ms`)
  assert.equal(await mirror.stop(), 0, mirror.tail())

  assert.ok(fetches.length > 0 && largest < 1_000, `a Fetch of ${largest} bytes`)
  assert.ok(firstMs < firstRecordLimitMs)
  assert.ok(rssBytes < mostRssBytes, `${rssBytes} bytes`)
  const wanted = observedMs / discoveryMs
  assert.ok(count >= wanted - 1, `${count} metadata requests: it has to look`)
  assert.ok(count <= wanted + 1, `${count} metadata requests in ${wanted} intervals`)
})

/** A record in every partition. */
async function fill(topics: readonly string[]): Promise<void> {
  const client = new RawClient(source.bootstrap)
  const topicsPerRequest = 50
  const batch = encodeBatch([{ key: 'key', value: 'x'.repeat(200) }], { codec: 'lz4' })
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  try {
    for (let at = 0; at < topics.length; at += topicsPerRequest) {
      const names = topics.slice(at, at + topicsPerRequest)
      await client.admin.createTopics(...names.map(name => ({ name, partitions })))
      for (const topic of names) {
        await Promise.all(numbers.map(partition => client.append(topic, partition, batch)))
      }
    }
  } finally {
    client.close()
  }
}

/** One record more in the last partition of each, all at once. Milliseconds until the target has them. */
async function wake(topics: readonly string[]): Promise<number> {
  const partition = partitions - 1
  const batch = encodeBatch([{ key: 'key', value: 'one more' }])
  const since = Date.now()
  await withClient(source.bootstrap, client =>
    Promise.all(topics.map(topic => client.append(topic, partition, batch)))
  )
  await withClient(target.bootstrap, client =>
    waitFor(
      'records of lanes at rest',
      async () => {
        const ends = await Promise.all(
          topics.map(topic => client.listOffset(topic, partition, 'latest'))
        )
        return ends.every(end => end === 2)
      },
      { limitMs: caughtUpLimitMs, everyMs: 50 }
    )
  )
  return Date.now() - since
}

/** Seen on the disk of the broker: asking for the end of every partition would cost more than the mirror does. */
async function hasRecord({ nodes }: KafkaCluster, prefix: string): Promise<boolean> {
  const data = nodes[0]?.dataDir ?? ''
  for (const name of await readdir(data)) {
    if (!name.startsWith(prefix)) continue
    const log = join(data, name, `${'0'.repeat(20)}.log`)
    const found = await stat(log).catch(() => undefined)
    if (found !== undefined && found.size > 0) return true
  }
  return false
}

async function areAllCommitted(group: string): Promise<boolean> {
  return withClient(source.bootstrap, async client => {
    const rows = await client.groups.offsetFetch(group)
    return rows.filter(({ offset }) => offset === 1).length === lanes
  })
}

/** When the log says that a step was done. */
function milestones(mirror: MirrorProcess): [string, number][] {
  const steps = ['heliostat starts', 'cluster reached', 'topics selected', 'partitions assigned']
  const first = steps.flatMap(msg => mirror.linesLike({ msg }).slice(0, 1))
  const created = mirror.linesLike({ msg: 'target topics created' })
  const started = mirror.linesLike({ msg: 'lanes started' })
  const all = [...first, ...created.slice(0, 1), ...created.slice(-1)]
  all.push(...started.slice(0, 1), ...started.slice(-1))
  return all.map(line => [line.msg, Date.parse(line.time)])
}

function countByApi(requests: readonly { api: number }[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { api } of requests) counts[api] = (counts[api] ?? 0) + 1
  return counts
}

async function peakRss({ pid }: MirrorProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024
}

/** User and system time, in the kernel's ticks of ten milliseconds. */
async function cpuMs({ pid }: MirrorProcess): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

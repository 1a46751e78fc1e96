// Bad networks between the mirror and either side, by proxies: black holes, cuts of one way, connections that break in
// mid-stream, crumble or are half open. Every record once, in order; the tests themselves reach the brokers directly.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { type FaultyProxy, startFaultyProxy, type Way } from '../support/faulty-proxy.ts'
import { type KafkaCluster, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion, targetVersion } from '../support/kafka-jars.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { assertExactlyOnce, LoadRun } from '../support/load-run.ts'
import { anyPort, readMetric } from '../support/mirror-metrics.ts'
import { type MirrorOptions, type MirrorProcess, mirrorOnce } from '../support/mirror-process.ts'
import { seededRandom } from '../support/random.ts'
import { jaas } from '../support/secured-pair.ts'

const isFull = process.env.HELIOSTAT_FULL === '1'
const limit = { timeout: isFull ? 900_000 : 240_000 }
const partitions = 3
/** An answer is waited for twice as long. */
const requestTimeoutMs = 1_000
const user = 'mirror'
const password = 'mirror-secret'
const sides = ['source', 'target'] as const
const ways: readonly Way[] = ['requests', 'answers']

type Side = (typeof sides)[number]

let source: KafkaCluster
let target: KafkaCluster
let proxies: Record<Side, FaultyProxy>

before(async () => {
  proxies = { source: await startFaultyProxy(), target: await startFaultyProxy() }
  const clusters = await Promise.all([
    startBehind(proxies.source, sourceVersion),
    startBehind(proxies.target, targetVersion)
  ])
  ;[source, target] = clusters
})
after(async () => {
  await Promise.all([source, target].map(cluster => cluster?.close()))
  await Promise.all(sides.map(side => proxies?.[side].close()))
})

/** A broker whose logins, which are the mirror's alone, come through the proxy. */
async function startBehind(proxy: FaultyProxy, version: string): Promise<KafkaCluster> {
  const cluster = await startBroker({
    version,
    security: { protocol: 'SASL_PLAINTEXT', users: { [user]: password } },
    advertised: { SECURED: proxy.address }
  })
  proxy.forwardTo(Number(cluster.secured?.bootstrap.split(':')[1]))
  return cluster
}

test('F8: the target is a black hole for longer than any request waits', limit, async t => {
  const run = await startRun(t, { flags: ['--queue.size', '500'], http: anyPort })
  const { mirror } = run
  const fetches = () => readMetric(mirror, 'heliostat_requests_total', { api: 'fetch' })
  const before = await residentBytes(mirror)
  proxies.target.hold(...ways)
  await delay(isFull ? 600_000 : 4 * requestTimeoutMs)
  const paused = await fetches()
  await delay(requestTimeoutMs)
  assert.equal(await fetches(), paused, 'nothing is fetched that could not be held')
  const held = await readMetric(mirror, 'heliostat_buffer_bytes')
  assert.ok(held < 4e6, `${held} bytes held`)
  const grown = (await residentBytes(mirror)) - before
  assert.ok(grown < 100e6, `${grown} bytes more`)
  t.diagnostic(`${Math.round(grown / 1e6)} MB more, ${held} bytes held`)
  proxies.target.heal()
  t.diagnostic(`every lane goes on ${await run.everyLaneGoesOn()} ms after`)
  await run.finish()
})

test('F9: connections of one side break at any byte, then of both', limit, async t => {
  const random = seededRandom(t)
  const run = await startRun(t)
  const least = isFull ? 300 : 6
  const countBroken = () => sides.reduce((sum, side) => sum + proxies[side].broken, 0)
  for (const breaking of [['source'], ['target'], sides] as const) {
    const enough = countBroken() + least
    for (const side of breaking) proxies[side].breakAfter(random, 1, 6_000)
    await run.mirror.until('broken connections', () => countBroken() >= enough, limit.timeout / 3)
    for (const side of breaking) proxies[side].heal()
    const goesOnMs = await run.everyLaneGoesOn()
    t.diagnostic(`${breaking.join(' and ')}: every lane goes on ${goesOnMs} ms after`)
  }
  await run.finish()
})

test('F9: every byte comes alone', limit, async t => {
  const topic = `crumbs-${randomUUID()}`
  for (const { bootstrap } of [source, target]) await createTopic(bootstrap, topic, 2)
  await produceNumbered(source.bootstrap, topic, { records: 500, batchRecords: 50 })
  for (const side of sides) proxies[side].crumble()
  t.after(() => sides.map(side => proxies[side].heal()))
  const options = { whitelist: topic, group: topic, ...clientSettings() }
  const { code, mirror } = await mirrorOnce(t, options)
  assert.equal(code, 0, mirror.tail())
  assertExactlyOnce(mirror)
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
})

test('F9: all connections are half open, and only new ones work', limit, async t => {
  const run = await startRun(t)
  for (const side of sides) proxies[side].freeze()
  t.diagnostic(`every lane goes on ${await run.everyLaneGoesOn()} ms after`)
  // The group's member gives a dead connection up after ten seconds; a minute, as other clients take, would be too long.
  await run.finish(45_000)
})

for (const side of sides) {
  test(`F10: requests to the ${side} are cut off, then answers, then both`, limit, async t => {
    const run = await startRun(t)
    const cuts: Way[][] = [['requests'], ['answers'], [...ways]]
    for (const cut of cuts) {
      proxies[side].hold(...cut)
      await delay(isFull ? 60_000 : 2.5 * requestTimeoutMs)
      proxies[side].heal()
      t.diagnostic(
        `every lane goes on ${await run.everyLaneGoesOn()} ms after ${cut.join(' and ')}`
      )
    }
    await run.finish()
  })
}

test('F10: neither side is reachable for a while', limit, async t => {
  const run = await startRun(t)
  for (const side of sides) proxies[side].hold(...ways)
  await delay(isFull ? 60_000 : 4 * requestTimeoutMs)
  proxies.target.heal()
  await delay(requestTimeoutMs)
  proxies.source.heal()
  t.diagnostic(`every lane goes on ${await run.everyLaneGoesOn()} ms after`)
  await run.finish()
})

// What was to be committed meanwhile must not leave under no member id: the coordinator would say that another process
// has taken the place, which is the end of a client.
test('F10: the source is away for longer than the session of a static member', limit, async t => {
  const random = seededRandom(t)
  const identity = { 'group.instance.id': 'one', 'session.timeout.ms': 6_000 }
  const run = await startRun(t, { consumer: { ...clientSettings().consumer, ...identity } })
  proxies.source.breakAfter(random, 0, 0)
  await run.mirror.line({ msg: 'partitions revoked', isLost: true })
  proxies.source.heal()
  t.diagnostic(`every lane goes on ${await run.everyLaneGoesOn()} ms after`)
  await run.finish()
})

function startRun(
  t: Parameters<typeof LoadRun.start>[0],
  options: Partial<MirrorOptions> = {}
): Promise<LoadRun> {
  t.after(() => sides.map(side => proxies[side].heal()))
  const mirror = { ...clientSettings(), ...options }
  return LoadRun.start(t, { source, target }, { mirror, sourceTopic: { partitions } })
}

function clientSettings() {
  const login = {
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': jaas('PLAIN', user, password),
    'request.timeout.ms': requestTimeoutMs,
    'reconnect.backoff.max.ms': 200
  }
  return {
    source: { bootstrap: proxies.source.address },
    target: { bootstrap: proxies.target.address },
    consumer: login,
    producer: login
  }
}

async function residentBytes({ pid }: MirrorProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1_024
}

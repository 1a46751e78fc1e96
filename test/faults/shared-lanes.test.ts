// Several writers of one target partition: mirrors that work on the same lanes, for a while or by mistake, and links
// of several sources. Each record is there once, and each source's in its order.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { decodeCheckpoint } from '../../src/mirror/checkpoint.ts'
import { produceNumbered } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { compareGathered, startNamedLoad } from '../support/gathered-records.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { type KafkaCluster, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion, targetVersion } from '../support/kafka-jars.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { countArrived, killAgainAndAgain, startedLines } from '../support/killed-mirror.ts'
import {
  type MirrorOptions,
  type MirrorProcess,
  mirrorOnce,
  startMirror
} from '../support/mirror-process.ts'
import { seededRandom } from '../support/random.ts'
import { RawClient } from '../support/raw-client.ts'
import { putBack, readCommits } from '../support/rolled-back.ts'
import { stamp } from '../support/stamped-batch.ts'
import { startLoad } from '../support/steady-load.ts'
import { readBatches } from '../support/topic-reader.ts'

const isFull = process.env.HELIOSTAT_FULL === '1'
const limit = { timeout: isFull ? 300_000 : 90_000 }
const partitions = 4
const sessionMs = 6_000
/** Less than brokers allow unless told. */
const shortSessionMs = 3_000
const signals: NodeJS.Signals[] = ['SIGKILL', 'SIGTERM', 'SIGSTOP']

let east: KafkaCluster
let west: KafkaCluster
let target: KafkaCluster

before(async () => {
  const config = { 'group.min.session.timeout.ms': shortSessionMs }
  const versions = [sourceVersion, sourceVersion, targetVersion]
  const started = await Promise.all(versions.map(version => startBroker({ version, config })))
  ;[east, west, target] = started as [KafkaCluster, KafkaCluster, KafkaCluster]
})
after(() => Promise.all([east, west, target].map(cluster => cluster?.close())))

test('a mirror that slept while another took over adds nothing when it wakes', limit, async t => {
  const { topic, load, options } = await startUnderLoad(t)
  const sleeper = await startMirror(t, options)
  await sleeper.until('records that move', async () => (await count(topic)) > 3_000)
  sleeper.kill('SIGSTOP')
  t.after(() => sleeper.kill('SIGCONT'))
  const other = await startMirror(t, options)
  const hasTakenOver = () => startedLines(other).length > 0
  await other.until('lanes taken over', hasTakenOver, sessionMs + 20_000)
  const before = await count(topic)
  await other.until('records by the other', async () => (await count(topic)) > before + 2_000)
  sleeper.kill('SIGCONT')
  const asleep = await count(topic)
  await other.until('records by both', async () => (await count(topic)) > asleep + 4_000)
  t.diagnostic(`${countArrived(other)} records found behind the commit of the sleeper`)
  await finish(t, { topic, load, mirrors: [other, sleeper] })
})

// The first one learns of it with its next heartbeat: until then both work on all lanes.
test('T25: a second process with the same static member: both work at once', limit, async t => {
  const { topic, load, options } = await startUnderLoad(t, { 'group.instance.id': 'one' })
  const first = await startMirror(t, options)
  await first.until('records that move', async () => (await count(topic)) > 1_500)
  const second = await startMirror(t, options)
  await second.until('lanes', () => startedLines(second).length > 0)
  assert.equal(await first.exit(30_000), 1, first.tail())
  const before = await count(topic)
  await second.until('more records', async () => (await count(topic)) > before + 1_500)
  t.diagnostic(`${countArrived(second)} records found behind the commit of the first`)
  await finish(t, { topic, load, mirrors: [second] })
})

// As when another mirror has been at the same lane: more batches than the target remembers of a producer are there.
test(
  'a sequence that the target has passed: the lane looks, and goes on behind',
  limit,
  async t => {
    const topic = `passed-${randomUUID()}`
    await createTopic(east.bootstrap, topic, 1)
    const options = { source: east, target, whitelist: topic, group: topic }
    await produceNumbered(east.bootstrap, topic, { records: 1_000, batchRecords: 100 })
    const mirror = await startMirror(t, {
      ...options,
      flags: ['--offset.commit.interval.ms', '200']
    })
    const isAt = async (records: number) => {
      const [row] = await readCommits(east.bootstrap, topic)
      return row?.offset === records && row
    }
    const { metadata } = await mirror.until('a commit', () => isAt(1_000))
    mirror.kill('SIGSTOP')
    t.after(() => mirror.kill('SIGCONT'))
    await produceNumbered(east.bootstrap, topic, { records: 2_000, from: 1_000, batchRecords: 100 })
    await writeAhead(topic, `${metadata}`, { from: 1_000, batches: 8 })
    mirror.kill('SIGCONT')
    await mirror.until('all committed', () => isAt(3_000))
    const said = mirror.lines.filter(({ msg }) =>
      msg.includes('does not know the sequence any more')
    )
    assert.equal(said.length, 1, mirror.tail())
    assert.equal(countArrived(mirror), 800, mirror.tail())
    assert.equal(await mirror.stop(), 0, mirror.tail())
    assert.deepEqual(await compareTopics(east.bootstrap, target.bootstrap, [topic]), [])
  }
)

const comeAndGo = { timeout: isFull ? 300_000 : 240_000 }
const turns = isFull ? 10 : 3
const members = 3

// P3, P4, F12.
test('members come, go, die and sleep', comeAndGo, async t => {
  const random = seededRandom(t)
  const consumer = { 'session.timeout.ms': shortSessionMs, 'heartbeat.interval.ms': 1_000 }
  const { topic, load, options } = await startUnderLoad(t, consumer)
  const live = await Promise.all(Array.from({ length: members }, () => startMirror(t, options)))
  await Promise.all(live.map(mirror => mirror.line({ msg: 'heliostat starts' })))
  await live[0]?.until('records that move', async () => (await count(topic)) > 1_000)
  const done: string[] = []
  // Each place has a storm of its own, so that rebalances fall into one another.
  const places = live.map((_, place) => [place, random.split()] as const)
  await Promise.all(
    places.map(async ([place, own]) => {
      for (let turn = 0; turn < turns; turn++) {
        await delay(own.between(200, isFull ? 5_000 : 1_000))
        const mirror = live[place] as MirrorProcess
        const signal = own.pick(signals)
        done.push(`${place} ${signal}`)
        mirror.kill(signal)
        if (signal === 'SIGSTOP') {
          await delay(own.between(300, shortSessionMs + 1_500))
          mirror.kill('SIGCONT')
          continue
        }
        const code = await mirror.exit()
        if (signal === 'SIGTERM') assert.equal(code, 0, mirror.tail())
        const next = await startMirror(t, options)
        // A signal that comes before Node runs is the end.
        await next.line({ msg: 'heliostat starts' })
        live[place] = next
      }
    })
  )
  t.diagnostic(done.join(', '))
  await finish(t, { topic, load, mirrors: live })
})

test('two sources into one topic, killed again and again', limit, async t => {
  const topic = `gathered-${randomUUID()}`
  await Promise.all([east, west].map(({ bootstrap }) => createTopic(bootstrap, topic, partitions)))
  const loads = await Promise.all([
    startNamedLoad(east.bootstrap, 'east', [topic]),
    startNamedLoad(west.bootstrap, 'west', [topic])
  ])
  t.after(() => Promise.all(loads.map(load => load.stop().catch(() => undefined))))
  const options = { ...sourcesOf(topic), flags: ['--offset.commit.interval.ms', '700'] }
  const lives = await killAgainAndAgain(t, options, isFull ? 20 : 3, seededRandom(t))
  t.diagnostic(`${lives.arrived} found behind commits, ${lives.early} lives too short`)
  await Promise.all(loads.map(load => load.stop()))
  for (const line of lives.started)
    assert.equal(line.delivery, 'exactly-once', JSON.stringify(line))
  const last = await mirrorOnce(t, options)
  assert.equal(last.code, 0, last.mirror.tail())
  await assertGathered(topic)
})

test('one link is down while the other writes thousands of batches', limit, async t => {
  const topic = `between-${randomUUID()}`
  await Promise.all([east, west].map(({ bootstrap }) => createTopic(bootstrap, topic, 1)))
  const eastern = await startNamedLoad(east.bootstrap, 'east', [topic], { everyMs: 1 })
  t.after(() => eastern.stop().catch(() => undefined))
  const one = { target, whitelist: topic, group: `${topic}-east`, source: east }
  const other = { target, whitelist: topic, group: `${topic}-west`, source: west }
  const firstRun = await startMirror(t, one)
  await firstRun.until('records', async () => (await count(topic)) > 1_000)
  const commits = await firstRun.until('a commit', async () => {
    const rows = await readCommits(east.bootstrap, one.group)
    return (rows[0]?.offset ?? 0) > 500 && rows
  })
  await firstRun.until('more records', async () => (await count(topic)) > 4_000)
  assert.equal(await firstRun.stop(), 0)
  await eastern.stop()
  await putBack(east.bootstrap, one.group, commits)
  const western = await startNamedLoad(west.bootstrap, 'west', [topic], { everyMs: 0 })
  t.after(() => western.stop().catch(() => undefined))
  const before = await count(topic)
  const secondRun = await startMirror(t, other)
  await secondRun.until('records of west', async () => (await count(topic)) > before + 10_000)
  await western.stop()
  assert.equal(await secondRun.stop(), 0)
  const runs = [await mirrorOnce(t, one), await mirrorOnce(t, other)]
  for (const { code, mirror } of runs) assert.equal(code, 0, mirror.tail())
  for (const { mirror } of runs) {
    for (const line of startedLines(mirror)) assert.equal(line.delivery, 'exactly-once')
  }
  assert.ok(countArrived((runs[0] as (typeof runs)[0]).mirror) > 0)
  await assertGathered(topic)
})

type UnderLoad = {
  topic: string
  load: Awaited<ReturnType<typeof startLoad>>
  options: MirrorOptions
}

async function startUnderLoad(
  t: TestContext,
  consumer: MirrorOptions['consumer'] = {}
): Promise<UnderLoad> {
  const topic = `shared-${randomUUID()}`
  await createTopic(east.bootstrap, topic, partitions)
  const load = await startLoad(east.bootstrap, topic, { everyMs: 15 })
  t.after(() => load.stop().catch(() => undefined))
  const flags = ['--offset.commit.interval.ms', '1000']
  const options = { source: east, target, whitelist: topic, group: topic, consumer, flags }
  return { topic, load, options }
}

async function finish(
  t: TestContext,
  { topic, load, mirrors }: Pick<UnderLoad, 'topic' | 'load'> & { mirrors: MirrorProcess[] }
): Promise<void> {
  await load.stop()
  const isCaughtUp = async () => (await groupLag(east.bootstrap, topic, [topic])) === 0
  await mirrors[0]?.until('lag 0', isCaughtUp, 40_000)
  for (const mirror of mirrors) assert.equal(await mirror.stop(), 0, mirror.tail())
  for (const mirror of mirrors) {
    for (const { delivery } of startedLines(mirror)) assert.equal(delivery, 'exactly-once')
  }
  const resumes = mirrors.flatMap(({ lines }) =>
    lines.filter(({ msg }) => msg.includes('sequence'))
  )
  t.diagnostic(`${resumes.length} lines about sequences`)
  assert.deepEqual(await compareTopics(east.bootstrap, target.bootstrap, [topic]), [])
}

/** Writes the source's next batches as the lane would, under its producer and sequences. */
async function writeAhead(
  topic: string,
  metadata: string,
  { from, batches }: { from: number; batches: number }
): Promise<void> {
  const decoded = decodeCheckpoint(metadata)
  assert.ok(decoded.kind === 'own')
  const { producerId, producerEpoch, nextSequence } = decoded.checkpoint
  const [source, client] = [new RawClient(east.bootstrap), new RawClient(target.bootstrap)]
  try {
    let written = 0
    for await (const { header, bytes } of readBatches(source, topic, 0, { from })) {
      if (written++ === batches) break
      const baseSequence = nextSequence + header.baseOffset - from
      await client.append(topic, 0, stamp(bytes, { producerId, producerEpoch, baseSequence }))
    }
  } finally {
    source.close()
    client.close()
  }
}

function sourcesOf(topic: string): MirrorOptions {
  const named = (alias: string) => ({
    'source.cluster.alias': alias,
    'group.instance.id': alias
  })
  const further = { bootstrap: west.bootstrap, group: topic, consumer: named('west') }
  const both = { source: east, target, furtherSources: [further] }
  return { ...both, whitelist: topic, group: topic, consumer: named('east') }
}

async function assertGathered(topic: string): Promise<void> {
  const both = [
    { name: 'east', bootstrap: east.bootstrap },
    { name: 'west', bootstrap: west.bootstrap }
  ]
  const { differences, producerIds } = await compareGathered(both, target.bootstrap, topic)
  assert.deepEqual(differences, [])
  assert.ok(producerIds.size === 2)
}

function count(topic: string): Promise<number> {
  return countRecords(target.bootstrap, topic)
}

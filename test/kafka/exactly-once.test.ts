// Every record once and in order, whatever crashes: the mirror, brokers of either side, or several in turn.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { compareTopics } from '../support/digest.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { type KafkaNode, startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { countArrived, killAgainAndAgain, startedLines } from '../support/killed-mirror.ts'
import {
  type MirrorOptions,
  type MirrorProcess,
  mirrorOnce,
  partitionsOf,
  startMirror
} from '../support/mirror-process.ts'
import { seededRandom } from '../support/random.ts'
import { RawClient } from '../support/raw-client.ts'
import { type SteadyLoad, startLoad } from '../support/steady-load.ts'

const isFull = process.env.HELIOSTAT_FULL === '1'
const limit = { timeout: isFull ? 600_000 : 100_000 }
const partitions = 6
const staticMember = { 'group.instance.id': 'one' }

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  const jvm = ['-Xmx320m']
  pair = await startPair({ source: { jvm }, target: { nodes: 3, jvm } })
})
after(() => pair?.close())

// Three replicas: what a life has appended when it ends may not be replicated yet.
test(`the mirror is killed ${isFull ? 20 : 6} times`, limit, async t => {
  const { topic, load, options } = await startUnderLoad(t)
  const lives = await killAgainAndAgain(t, options, isFull ? 20 : 6, seededRandom(t))
  await load.stop()
  const { arrived, early, started } = lives
  t.diagnostic(`${load.records} records, ${arrived} found behind commits, ${early} lives too short`)
  assertExact(started)
  assert.ok(arrived > 0, 'a life found what the one before had not committed')
  await finish(t, topic, options)
})

type Victim = 'source' | 'target' | 'mirror'

// In one run with the same load: what each of them leaves undone, the next start finds.
const turns: Victim[][] = [
  ['target', 'mirror'],
  ['source', 'target']
]
if (isFull) turns.push(['target'], ['mirror', 'target'], ['source', 'target', 'mirror'])

test('brokers of both sides are killed in turn, and the mirror with them', limit, async t => {
  const { source, target } = pair
  const { topic, load, options } = await startUnderLoad(t)
  let mirror = await startMirror(t, options)
  await mirror.until('records that move', async () => (await count(topic)) > 3_000)
  for (const [turn, victims] of turns.entries()) {
    const restarts: Promise<void>[] = []
    for (const victim of victims) {
      if (victim === 'mirror') {
        assertExact(startedLines(mirror))
        mirror.kill('SIGKILL')
        await mirror.exited
        mirror = await startMirror(t, options)
      } else {
        const isTarget = victim === 'target'
        const node = isTarget ? await leaderOf(topic, turn % partitions) : source.nodes[0]
        await node?.kill('SIGKILL')
        if (node) restarts.push(node.start())
      }
    }
    await Promise.all(restarts)
    await everyLaneGoesOn(mirror, topic)
    await inSync(mirror, topic)
  }
  await load.stop()
  const isCaughtUp = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
  await mirror.until('lag 0', isCaughtUp, 40_000)
  assertExact(startedLines(mirror))
  t.diagnostic(`${load.records} records, ${countArrived(mirror)} found by the last start`)
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
  assert.equal(await mirror.stop(), 0, mirror.tail())
})

// What only the leader has when the mirror dies may stay, or be lost with the leader: until that is settled nobody
// can know how much has arrived.
for (const isLost of isFull ? [false, true] : [true]) {
  const end = isLost ? 'and is lost with it' : 'and is replicated later'
  test(`the leader alone has the last batches when the mirror dies, ${end}`, limit, async t => {
    const { source, target } = pair
    const { topic, load, options } = await startUnderLoad(t, 1)
    const mirror = await startMirror(t, options)
    await mirror.until('records that move', async () => (await count(topic)) > 3_000)
    const leader = await leaderOf(topic, 0)
    const followers = target.nodes.filter(node => node !== leader)
    t.after(() => Promise.all(followers.map(node => node.kill('SIGCONT'))))
    for (const node of followers) await node.kill('SIGSTOP')
    await mirror.until('batches at the leader alone', () => hasUnreplicated(leader, topic))
    mirror.kill('SIGKILL')
    await mirror.exited
    await load.stop()
    const next = await startMirror(t, options)
    await next.until('a start that waits', () => isWaiting(next))
    if (isLost) await leader.kill('SIGKILL')
    for (const node of followers) await node.kill('SIGCONT')
    if (isLost) await leader.start()
    const isCaughtUp = async () => (await groupLag(source.bootstrap, topic, [topic])) === 0
    await next.until('lag 0', isCaughtUp, 40_000)
    assertExact(startedLines(next))
    t.diagnostic(`${countArrived(next)} records found behind the commit`)
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
    assert.equal(await next.stop(), 0, next.tail())
  })
}

/** A topic with three replicas on the target, and a load on it. */
async function startUnderLoad(
  t: TestContext,
  count = partitions
): Promise<{ topic: string; load: SteadyLoad; options: MirrorOptions }> {
  const { source, target } = pair
  const topic = `once-${randomUUID()}`
  await createTopic(source.bootstrap, topic, count)
  await createTopic(target.bootstrap, topic, count, { replicationFactor: 3 })
  const load = await startLoad(source.bootstrap, topic, { everyMs: 15 })
  t.after(() => load.stop().catch(() => undefined))
  const flags = ['--offset.commit.interval.ms', '700']
  const names = { whitelist: topic, group: topic }
  return { topic, load, options: { source, target, ...names, consumer: staticMember, flags } }
}

/** The rest in a last run, and then both sides are the same. */
async function finish(t: TestContext, topic: string, options: MirrorOptions): Promise<void> {
  const { source, target } = pair
  const { code, mirror, report } = await mirrorOnce(t, options)
  assert.equal(code, 0, mirror.tail())
  for (const { delivery, deliveryReason } of partitionsOf(report, topic)) {
    assert.deepEqual([delivery, deliveryReason], ['exactly-once', ''])
  }
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
}

function assertExact(started: ReturnType<typeof startedLines>): void {
  for (const line of started) assert.equal(line.delivery, 'exactly-once', JSON.stringify(line))
}

function count(topic: string): Promise<number> {
  return countRecords(pair.target.bootstrap, topic)
}

async function leaderOf(topic: string, partition: number): Promise<KafkaNode> {
  const row = (await targetRows(topic)).find(found => found.partition === partition)
  return pair.target.nodes.find(({ id }) => id === row?.leader) as KafkaNode
}

// With most of the controllers frozen, the target may not even give out a producer id.
function isWaiting({ lines }: MirrorProcess): boolean {
  return lines.some(({ msg }) => msg.endsWith('trying again') && !msg.startsWith('client'))
}

async function inSync(mirror: MirrorProcess, topic: string): Promise<void> {
  const areAll = async () => (await targetRows(topic)).every(({ isr }) => isr.length === 3)
  await mirror.until('all replicas in sync', areAll, 40_000)
}

async function targetRows(topic: string) {
  const client = new RawClient(pair.target.bootstrap)
  try {
    return (await client.metadata([topic])).topics[0]?.partitions ?? []
  } finally {
    client.close()
  }
}

async function everyLaneGoesOn(mirror: MirrorProcess, topic: string): Promise<void> {
  const before = await endsOf(topic)
  const goesOn = async () => {
    const now = await endsOf(topic)
    return [...now].every(([partition, end]) => end > (before.get(partition) ?? 0) + 300)
  }
  await mirror.until('records in every partition', goesOn, 40_000)
}

async function endsOf(topic: string): Promise<Map<number, number>> {
  const client = new RawClient(pair.target.bootstrap)
  try {
    const offsets = await client.offsets(topic)
    return new Map([...offsets].map(([partition, { latest }]) => [partition, latest]))
  } finally {
    client.close()
  }
}

// A frozen broker takes connections and says nothing: only the leader is asked.
async function hasUnreplicated({ host, port }: KafkaNode, topic: string): Promise<boolean> {
  const client = new RawClient(`${host}:${port}`)
  try {
    const [end, replicated] = [
      await client.logEnd(topic, 0),
      await client.listOffset(topic, 0, 'latest')
    ]
    return end > replicated
  } finally {
    client.close()
  }
}

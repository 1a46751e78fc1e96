// Every record once and in order, whatever crashes: the mirror, brokers of either side, or several in turn.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { compareTopics } from '../support/digest.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { type KafkaNode, shortSessions, startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { countArrived, killAgainAndAgain, startedLines } from '../support/killed-mirror.ts'
import {
  type MirrorOptions,
  type MirrorProcess,
  mirrorOnce,
  partitionsOf,
  startMirror
} from '../support/mirror-process.ts'
import { findMisnumbered } from '../support/numbered-once.ts'
import { type Random, seededRandom } from '../support/random.ts'
import { withClient } from '../support/raw-client.ts'
import { type SteadyLoad, startLoad } from '../support/steady-load.ts'

const isFull = process.env.HELIOSTAT_FULL === '1'
const limit = { timeout: isFull ? 900_000 : 300_000 }
const partitions = 4
const mirrors = 7
const mirrorKills = isFull ? 105 : 21
const brokerKills = isFull ? 15 : 5
/** Far above what recovery takes on a machine that does nothing else. */
const recoveryLimitMs = 120_000
const foundNothing = 'no life found what the one before had not committed'
const staticMember = { 'group.instance.id': 'one' }

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair({
    source: { config: shortSessions },
    target: { nodes: 3, config: shortSessions }
  })
})
after(() => pair?.close())

// Three replicas: what a life has appended when it ends may not be replicated yet.
test(`mirrors are killed ${mirrorKills} times`, limit, async t => {
  const random = seededRandom(t)
  let arrived = 0
  for (let mirror = 0; mirror < mirrors; mirror++) {
    await t.test(`P1: ${mirrorKills / mirrors} times`, async lives => {
      const flow = await startUnderLoad(lives)
      arrived += await killUnderLoad(lives, flow, mirrorKills / mirrors, random)
    })
  }
  assert.ok(arrived > 0, foundNothing)
})

// One mirror lives through it all, the other one is killed meanwhile (P1). One of the turns takes the source's only
// broker too.
test(
  `the target's brokers are killed ${brokerKills} times, and mirrors with them`,
  limit,
  async t => {
    const random = seededRandom(t)
    const [steady, killed] = (await startFlows(t, 2)) as [Flow, Flow]
    const mirror = await startMirror(t, steady.options)
    await mirror.until('records that move', async () => (await count(steady.topic)) > 1_000)
    let isOver = false
    const killing = killUnderLoad(t, killed, () => isOver, random.split())
    killing.catch(() => undefined)
    try {
      for (let turn = 0; turn < brokerKills; turn++) {
        const isSourceToo = turn === 2
        await t.test(
          isSourceToo ? 'F2, F4, F21: both sides' : 'F4, F21: the target',
          async turn => {
            await delay(random.between(0, 1_500))
            const node = random.pick(pair.target.nodes)
            const ms = await killBroker(mirror, steady.topic, node, isSourceToo)
            turn.diagnostic(`broker ${node.id} killed: every lane goes on after ${ms} ms`)
            await inSync(mirror, steady.topic)
          }
        )
      }
    } finally {
      isOver = true
    }
    assert.ok((await killing) > 0, foundNothing)
    await steady.load.stop()
    await mirror.until('lag 0', () => isCaughtUp(steady.topic), 40_000)
    assertExact(startedLines(mirror))
    assert.equal(await mirror.stop(), 0, mirror.tail())
    await assertOnce(steady)
  }
)

for (const [what, sessionMs, identity] of [
  ['without a name is killed, and its next life waits for its session', 6_000, {}],
  ['with a name is killed, and its next life has its lanes at once', 45_000, staticMember]
] as const) {
  test(`a member ${what}`, limit, async t => {
    const [flow] = (await startFlows(t, 1)) as [Flow]
    const times = { 'session.timeout.ms': sessionMs, 'heartbeat.interval.ms': 1_000 }
    const options = { ...flow.options, consumer: { ...times, ...identity } }
    const first = await startMirror(t, options)
    await first.until('records that move', async () => (await count(flow.topic)) > 1_000)
    first.kill('SIGKILL')
    await first.exited
    const restartedAt = performance.now()
    const next = await startMirror(t, options)
    await next.until('lanes', () => startedLines(next).length > 0, recoveryLimitMs)
    const arrived = await count(flow.topic)
    const isMoving = async () => (await count(flow.topic)) > arrived
    await next.until('records again', isMoving, recoveryLimitMs)
    const ms = Math.round(performance.now() - restartedAt)
    t.diagnostic(`session ${sessionMs} ms: records move ${ms} ms after the restart`)
    if (identity === staticMember) assert.ok(ms < sessionMs, `${ms} ms`)
    await flow.load.stop()
    await next.until('lag 0', () => isCaughtUp(flow.topic), 40_000)
    assertExact(startedLines(next))
    assert.equal(await next.stop(), 0, next.tail())
    await assertOnce(flow)
  })
}

// What only the leader has when the mirror dies may stay, or be lost with the leader: until that is settled nobody
// can know how much has arrived.
for (const isLost of isFull ? [false, true] : [true]) {
  const end = isLost ? 'and is lost with it' : 'and is replicated later'
  test(`the leader alone has the last batches when the mirror dies, ${end}`, limit, async t => {
    const { source, target } = pair
    const { topic, load, options } = await startUnderLoad(t, 1, 15)
    const mirror = await startMirror(t, options)
    await mirror.until('records that move', async () => (await count(topic)) > 1_000)
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
    await next.until('lag 0', () => isCaughtUp(topic), 40_000)
    assertExact(startedLines(next))
    t.diagnostic(`${countArrived(next)} records found behind the commit`)
    assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
    assert.equal(await next.stop(), 0, next.tail())
  })
}

type Flow = { topic: string; load: SteadyLoad; options: MirrorOptions }

function startFlows(t: TestContext, flows: number): Promise<Flow[]> {
  return Promise.all(Array.from({ length: flows }, () => startUnderLoad(t)))
}

/** A topic with three replicas on the target, and a load on it. */
async function startUnderLoad(t: TestContext, lanes = partitions, everyMs = 50): Promise<Flow> {
  const { source, target } = pair
  const topic = `once-${randomUUID()}`
  await createTopic(source.bootstrap, topic, lanes)
  await createTopic(target.bootstrap, topic, lanes, { replicationFactor: 3 })
  const load = await startLoad(source.bootstrap, topic, {
    everyMs,
    batchRecords: 20,
    isIdempotent: true
  })
  t.after(() => load.stop().catch(() => undefined))
  const flags = ['--offset.commit.interval.ms', '700']
  const names = { whitelist: topic, group: topic }
  return { topic, load, options: { source, target, ...names, consumer: staticMember, flags } }
}

/**
 * Kills its mirror again and again; the rest comes in a last run, and then both sides are the same. Gives the records
 * that were found behind the commits.
 */
async function killUnderLoad(
  t: TestContext,
  flow: Flow,
  times: number | (() => boolean),
  random: Random
): Promise<number> {
  const lives = await killAgainAndAgain(t, flow.options, times, random)
  await flow.load.stop()
  const { arrived, early, started } = lives
  const startMs = lives.startMs.toSorted((a, b) => a - b)
  t.diagnostic(
    `${flow.load.records} records, ${lives.count} kills, ${arrived} records found behind commits, ` +
      `${early} lives too short, lanes after ${startMs.join(' ')} ms`
  )
  assertExact(started)
  const { code, mirror, report } = await mirrorOnce(t, flow.options)
  assert.equal(code, 0, mirror.tail())
  for (const { delivery, deliveryReason } of partitionsOf(report, flow.topic)) {
    assert.deepEqual([delivery, deliveryReason], ['exactly-once', ''])
  }
  await assertOnce(flow)
  return arrived
}

/** Its numbered records are there once each, in order, and nothing about them has changed. */
async function assertOnce({ topic, load }: Flow): Promise<void> {
  const { source, target } = pair
  assert.deepEqual(await findMisnumbered(target.bootstrap, topic, load.records), [])
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
}

/** Gives the time from the kill until every lane has more records on the target than right after it. */
async function killBroker(
  mirror: MirrorProcess,
  topic: string,
  node: KafkaNode,
  isSourceToo: boolean
): Promise<number> {
  const victims = [node, ...(isSourceToo ? pair.source.nodes : [])]
  await Promise.all(victims.map(victim => victim.kill('SIGKILL')))
  const killedAt = performance.now()
  const restarts = Promise.all(victims.map(victim => victim.start()))
  restarts.catch(() => undefined)
  await everyLaneGoesOn(mirror, topic)
  const ms = Math.round(performance.now() - killedAt)
  await restarts
  return ms
}

function assertExact(started: ReturnType<typeof startedLines>): void {
  for (const line of started) assert.equal(line.delivery, 'exactly-once', JSON.stringify(line))
}

async function isCaughtUp(topic: string): Promise<boolean> {
  return (await groupLag(pair.source.bootstrap, topic, [topic])) === 0
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
  return withClient(pair.target.bootstrap, async client => {
    return (await client.metadata([topic])).topics[0]?.partitions ?? []
  })
}

async function everyLaneGoesOn(mirror: MirrorProcess, topic: string): Promise<void> {
  const before = await endsOf(topic)
  const goesOn = async () => {
    const now = await endsOf(topic)
    return [...now].every(([partition, end]) => end > (before.get(partition) ?? 0))
  }
  await mirror.until('records in every partition', goesOn, recoveryLimitMs)
}

async function endsOf(topic: string): Promise<Map<number, number>> {
  return withClient(pair.target.bootstrap, async client => {
    const offsets = await client.offsets(topic)
    return new Map([...offsets].map(([partition, { latest }]) => [partition, latest]))
  })
}

// A frozen broker takes connections and says nothing: only the leader is asked.
async function hasUnreplicated({ host, port }: KafkaNode, topic: string): Promise<boolean> {
  return withClient(`${host}:${port}`, async client => {
    const [end, replicated] = [
      await client.logEnd(topic, 0),
      await client.listOffset(topic, 0, 'latest')
    ]
    return end > replicated
  })
}

// `heliostat verify` on real clusters: what was mirrored is equal, and whatever is otherwise is found by its class and offset.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import type { LaneVerdict } from '../../src/verify/types.ts'
import { produceMixed, produceNumbered } from '../support/corpus.ts'
import { countRecords } from '../support/group-lag.ts'
import { type KafkaCluster, startBroker, startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { makeFolder } from '../support/mirror-maker.ts'
import { startMirrorMaker1 } from '../support/mirror-maker-1.ts'
import { mirrorOnce, startMirror } from '../support/mirror-process.ts'
import { freePorts } from '../support/ports.ts'
import { withClient } from '../support/raw-client.ts'
import { encodeBatch, type RecordInput } from '../support/records.ts'
import { startLoad } from '../support/steady-load.ts'
import { produceTransactions } from '../support/transactions.ts'
import {
  type Ended,
  runVerify,
  type Verified,
  verify as verifyOnce
} from '../support/verify-process.ts'
import { waitFor } from '../support/wait.ts'

const limit = { timeout: 180_000 }
let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

test('what was mirrored is equal, with the same digests on both sides', limit, async t => {
  const { source, target } = pair
  const prefix = `equal-${randomUUID()}`
  const [mixed, numbered] = [`${prefix}-mixed`, `${prefix}-numbered`]
  for (const topic of [mixed, numbered, `${prefix}-empty`]) {
    await createTopic(source.bootstrap, topic, 3)
  }
  const shapes = { headers: true, nullKeys: true, nullValues: true } as const
  await produceMixed(source.bootstrap, mixed, { records: 20_000, batchRecords: 200, ...shapes })
  await produceNumbered(source.bootstrap, numbered, { records: 5_000 })
  const options = { whitelist: `${prefix}.*`, group: prefix }
  const mirrored = await mirrorOnce(t, { source, target, ...options })
  assert.equal(mirrored.code, 0, mirrored.mirror.tail())

  const { code, lanes, summary, err } = await verify(t, options)
  assert.equal(code, 0, JSON.stringify(summary) + err)
  assert.equal(summary.matched, 35_000)
  assert.equal(lanes.length, 9)
  for (const lane of lanes) assert.equal(lane.source?.digest, lane.target?.digest, lane.topic)
  const table = await run(t, options)
  assert.equal(table.code, 0)
  assert.match(table.out, /9 lanes, 9 equal, 0 different, 35,000 records the same on both sides/)
  assert.match(
    table.out,
    /MB\/s; 70,000 of 70,000 records in batches that are the same byte for byte\n/
  )
})

// Not too old, or retention takes the records away while they are compared.
const base = Date.now() - 3_600_000
const made = (place: number): RecordInput => ({
  key: `key-${place}`,
  value: `value of record ${place}`,
  headers: [
    ['trace', `${place}`],
    ['span', 'a']
  ],
  timestamp: base + place
})
const withHeaders = (...headers: [string, string | null][]) => ({ ...made(437), headers })

const edits: [
  what: string,
  edit: (records: RecordInput[]) => void,
  expected: [string, source: number | null, target: number | null]
][] = [
  ['nothing', () => undefined, ['', null, null]],
  ['one dropped', list => list.splice(437, 1), ['missing', 437, null]],
  ['one doubled', list => list.splice(438, 0, made(437)), ['duplicated', null, 438]],
  ['two swapped', list => list.splice(437, 2, made(438), made(437)), ['reordered', 437, 438]],
  [
    'a value',
    list => list.splice(437, 1, { ...made(437), value: 'value of record 43x' }),
    ['value-changed', 437, 437]
  ],
  [
    'an empty value for null',
    list => list.splice(437, 1, { ...made(437), value: null }),
    ['value-changed', 437, 437]
  ],
  [
    'a key',
    list => list.splice(437, 1, { ...made(437), key: 'key-43x' }),
    ['key-changed', 437, 437]
  ],
  [
    'the value of a header',
    list => list.splice(437, 1, withHeaders(['trace', null], ['span', 'a'])),
    ['header-changed', 437, 437]
  ],
  [
    'the name of a header',
    list => list.splice(437, 1, withHeaders(['Trace', '437'], ['span', 'a'])),
    ['header-changed', 437, 437]
  ],
  [
    'the order of headers',
    list => list.splice(437, 1, withHeaders(['span', 'a'], ['trace', '437'])),
    ['header-changed', 437, 437]
  ],
  [
    'a timestamp',
    list => list.splice(437, 1, { ...made(437), timestamp: base }),
    ['timestamp-changed', 437, 437]
  ],
  ['one more', list => list.splice(437, 0, { key: 'k', value: 'of nobody' }), ['extra', null, 437]],
  ['one more at the end', list => list.push({ key: 'k', value: 'n' }), ['extra', null, 1_000]],
  ['the last doubled', list => list.push(made(999)), ['duplicated', null, 1_000]],
  ['the first dropped', list => list.shift(), ['missing', 0, null]],
  ['the last dropped', list => list.pop(), ['missing', 999, null]]
]

test('each kind of difference is found at its offset, and nothing else', limit, async t => {
  const prefix = `edited-${randomUUID()}`
  const topics = edits.map((_, index) => `${prefix}-${String(index).padStart(2, '0')}`)
  const source = Array.from({ length: 1_000 }, (_, place) => made(place))
  for (const [index, [, edit]] of edits.entries()) {
    const target = [...source]
    edit(target)
    await fill(pair.source, topics[index] as string, source, { batchRecords: 100 })
    await fill(pair.target, topics[index] as string, target, { batchRecords: 70, codec: 'lz4' })
  }
  await commit(pair.source, prefix, topics, 1_000)
  const options = { whitelist: `${prefix}.*`, group: prefix }
  const { code, lanes, err } = await verify(t, options)
  assert.equal(code, 3, err)
  for (const [index, [what, , [name, sourceOffset, targetOffset]]] of edits.entries()) {
    const lane = lanes.find(({ topic }) => topic === topics[index]) as LaneVerdict
    const { first } = lane
    const found = [first?.class ?? '', first?.sourceOffset ?? null, first?.targetOffset ?? null]
    assert.deepEqual(found, [name, sourceOffset, targetOffset], what)
    const counts = Object.entries(lane.counts).filter(([, count]) => count > 0)
    assert.deepEqual(counts, name === '' ? [] : [[name, 1]], what)
    assert.equal(lane.source?.digest === lane.target?.digest, name === '', what)
  }
  const { out } = await run(t, options)
  const line = new RegExp(
    `${topics[1]}-0 \\(.*\\): 1 missing; first: missing, source offset 437 is missing`
  )
  assert.match(out, line)
  assert.match(out, /16 lanes, 1 equal, 15 different/)
  assert.match(out, /\nnext: /)
})

test('several differences amid many batches that are the same are told apart', limit, async t => {
  const topic = `several-${randomUUID()}`
  const source = Array.from({ length: 40_000 }, (_, place) => made(place))
  await fill(pair.source, topic, source, { batchRecords: 400, codec: 'lz4' })
  // Other records stood in front of them, so that each is at another offset than on the source.
  await fill(pair.target, topic, [made(1), made(2), made(3)])
  const edit = (each: RecordInput, place: number) => {
    if (place === 8_100) return []
    if (place === 20_100) return [{ ...each, value: 'another one' }]
    return place === 32_100 ? [each, each] : [each]
  }
  await withClient(pair.target.bootstrap, async client => {
    await client.admin.deleteRecords(topic, 0, 3)
    for (let first = 0; first < source.length; first += 400) {
      // A batch of the source, with what is changed in it.
      const records = source.slice(first, first + 400).flatMap((each, at) => edit(each, first + at))
      await client.append(topic, 0, encodeBatch(records, { codec: 'lz4' }))
    }
  })
  await commit(pair.source, topic, [topic], 40_000)
  const { code, lanes, figures } = await verify(t, { whitelist: topic, group: topic })
  assert.equal(code, 3)
  const [lane] = lanes as [LaneVerdict]
  const found = lane.firstOfClass.map(each => [each.class, each.sourceOffset, each.targetOffset])
  assert.deepEqual(found, [
    ['missing', 8_100, null],
    ['value-changed', 20_100, 20_102],
    ['duplicated', null, 32_103]
  ])
  assert.deepEqual(lane.first, lane.firstOfClass[0])
  assert.equal(lane.matched, 39_998)
  assert.ok(figures.passedRecords > 75_000, String(figures.passedRecords))
  const { out } = await run(t, { whitelist: topic, group: topic })
  const line =
    /1 missing, 1 duplicated, 1 value-changed; first: missing, source offset 8100 is missing: it would be at target offset 8103/
  assert.match(out, line)
})

test('by counts alone nothing is read, and what differs is explained or found', limit, async t => {
  const prefix = `counts-${randomUUID()}`
  const names = ['equal', 'fewer', 'more', 'behind', 'compacted'] as const
  const topicOf = (name: string) => `${prefix}-${name}`
  const all = Array.from({ length: 500 }, (_, place) => made(place))
  const on = { equal: 500, fewer: 499, more: 501, behind: 400, compacted: 300 }
  for (const name of names) {
    const configs = name === 'compacted' ? { 'cleanup.policy': 'compact' } : {}
    await fill(pair.source, topicOf(name), all, {}, configs)
    const records = Array.from({ length: on[name] }, (_, place) => made(place))
    await fill(pair.target, topicOf(name), records, {}, configs)
  }
  await commit(pair.source, prefix, names.filter(name => name !== 'behind').map(topicOf), 500)
  await commit(pair.source, prefix, [topicOf('behind')], 400)
  const options = { whitelist: `${prefix}.*`, group: prefix, flags: ['--counts'] }
  const { code, lanes } = await verify(t, options)
  assert.equal(code, 3)
  assert.deepEqual(
    lanes.map(({ topic, state, remarks }) => [topic, state, remarks.map(({ kind }) => kind)]),
    [
      [topicOf('behind'), 'equal', ['beyond-commit']],
      [topicOf('compacted'), 'equal', ['counts']],
      [topicOf('equal'), 'equal', []],
      [topicOf('fewer'), 'different', []],
      [topicOf('more'), 'different', []]
    ]
  )
  const { out } = await run(t, options)
  assert.match(out, /-fewer-0 .*: 1 missing; .*1 offsets fewer than are committed/)
  assert.match(out, /without --counts/)
})

test('history is left out by time, or by the last commit', limit, async t => {
  const prefix = `since-${randomUUID()}`
  const all = Array.from({ length: 1_000 }, (_, place) => made(place))
  const history = Array.from({ length: 300 }, (_, place) => ({
    ...made(place),
    key: 'hashed anew'
  }))
  await fill(pair.source, prefix, all)
  await fill(pair.target, prefix, [...history, ...all.slice(600)])
  await commit(pair.source, prefix, [prefix], 1_000)
  const options = { whitelist: prefix, group: prefix }
  const whole = await verify(t, options)
  assert.equal(whole.code, 3)
  for (const since of [String(base + 600), new Date(base + 600).toISOString()]) {
    const { code, summary } = await verify(t, { ...options, flags: ['--since', since] })
    assert.deepEqual([code, summary.matched], [0, 400], since)
  }
  // T22: a time behind the end is the end.
  const { code, summary } = await verify(t, { ...options, flags: ['--since', '2100-01-01'] })
  assert.deepEqual([code, summary.matched], [0, 0])
})

// MirrorMaker lets a producer choose the partition by the key: the partitions of its history are not those of the source.
test('what MirrorMaker 1 wrote is left out by time, and that is said', limit, async t => {
  const { source, target } = pair
  const topic = `maker-${randomUUID()}`
  for (const { bootstrap } of [source, target]) await createTopic(bootstrap, topic, 4)
  await produceNumbered(source.bootstrap, topic, { records: 500 })
  const folder = await makeFolder(t)
  const consumer = `bootstrap.servers=${source.bootstrap}\ngroup.id=${topic}\nauto.offset.reset=earliest\n`
  await writeFile(join(folder, 'consumer'), consumer)
  await writeFile(join(folder, 'producer'), `bootstrap.servers=${target.bootstrap}\nacks=all\n`)
  const files = ['--consumer.config', 'consumer', '--producer.config', 'producer']
  const maker = await startMirrorMaker1(t, folder, [...files, '--whitelist', topic])
  const isCopied = async () => (await countRecords(target.bootstrap, topic)) === 2_000
  await waitFor('the history', isCopied, { describe: () => maker.output(), limitMs: 60_000 })
  await maker.end('SIGTERM')

  const since = Date.now()
  await waitFor('a later time', () => Date.now() > since + 1)
  await produceNumbered(source.bootstrap, topic, { records: 300, from: 500 })
  const options = { whitelist: topic, group: topic }
  const mirrored = await mirrorOnce(t, { source, target, ...options })
  assert.equal(mirrored.code, 0, mirrored.mirror.tail())
  const whole = await verify(t, options)
  assert.equal(whole.code, 3)
  assert.ok(whole.summary.counts.extra > 0)
  const { code, summary, lanes } = await verify(t, { ...options, flags: ['--since', `${since}`] })
  assert.deepEqual([code, summary.matched], [0, 1_200], JSON.stringify(lanes))
  for (const { remarks } of lanes) {
    assert.match(remarks[0]?.text ?? '', /^500 source offsets before 20.* left out$/)
  }
  const { out } = await run(t, { ...options, flags: ['--since', 'checkpoint'] })
  assert.match(out, /4 lanes since the last commit, 4 equal, 0 different, 0 records/)
})

test('since the last commit: what a mirror has sent behind it', limit, async t => {
  const { source, target } = pair
  const topic = `checkpoint-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 1)
  await produceNumbered(source.bootstrap, topic, { records: 2_000 })
  const options = { whitelist: topic, group: topic }
  assert.equal((await mirrorOnce(t, { source, target, ...options })).code, 0)
  await fillMore(pair.source, topic, [made(1), made(2)])
  await fillMore(pair.target, topic, [made(1)])
  const flags = ['--since', 'checkpoint']
  const behind = await verify(t, { ...options, flags })
  assert.deepEqual([behind.code, behind.summary.matched, behind.summary.beyondCommit], [0, 1, 1])
  await fillMore(pair.target, topic, [made(1)])
  const doubled = await verify(t, { ...options, flags })
  assert.deepEqual([doubled.code, doubled.lanes[0]?.first?.class], [3, 'duplicated'])
})

test('a sample reads a part, and finds what is wrong in it', limit, async t => {
  const topic = `sample-${randomUUID()}`
  const all = Array.from({ length: 20_000 }, (_, place) => made(place))
  const changed = all.map((each, place) => (place % 500 === 7 ? { ...each, value: 'other' } : each))
  for (const name of [topic, `${topic}-changed`]) {
    await fill(pair.source, name, all)
    await fill(pair.target, name, name === topic ? all : changed)
  }
  await commit(pair.source, topic, [topic, `${topic}-changed`], 20_000)
  for (const [sample, least, most] of [
    ['10%', 1_900, 2_000],
    ['500', 400, 500],
    ['3', 2, 3]
  ] as const) {
    const equal = await verify(t, { whitelist: topic, group: topic, flags: ['--sample', sample] })
    assert.equal(equal.code, 0, JSON.stringify(equal.lanes))
    const { matched } = equal.summary
    assert.ok(matched >= least && matched <= most, `${sample}: ${matched}`)
  }
  const options = { whitelist: `${topic}-changed`, group: topic, flags: ['--sample', '20%'] }
  const { code, lanes } = await verify(t, options)
  assert.equal(code, 3)
  assert.equal(lanes[0]?.first?.class, 'value-changed')
})

test(
  'aborted records and markers are none, and an open transaction is not waited for',
  limit,
  async t => {
    const { source, target } = pair
    const topic = `transactions-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 2)
    const load = { abortEvery: 3, interleaved: 3, batchRecords: 50 }
    const done = await produceTransactions(source.bootstrap, topic, { transactions: 12, ...load })
    const options = { whitelist: topic, group: topic }
    assert.equal((await mirrorOnce(t, { source, target, ...options })).code, 0)
    await produceTransactions(source.bootstrap, topic, { transactions: 1, leaveOpen: true })
    const { code, summary } = await verify(t, options)
    assert.deepEqual([code, summary.matched], [0, done.committedRecords])
    const counts = await verify(t, { ...options, flags: ['--counts'] })
    assert.equal(counts.code, 0, JSON.stringify(counts.lanes))
    // Offsets of the two sides are apart by the markers and by what was aborted.
    const [lane] = counts.lanes as [LaneVerdict]
    const targetEnd = lane.target?.end as number
    assert.ok(targetEnd < (lane.source?.end as number))
    await fillMore(target, topic, [made(1)])
    const { code: found, summary: after, lanes } = await verify(t, options)
    assert.deepEqual([found, after.counts.extra], [3, 1])
    const { first } = lanes[0] as LaneVerdict
    assert.deepEqual([first?.class, first?.targetOffset], ['extra', targetEnd])
  }
)

test('a side that begins later has nothing to be compared there', limit, async t => {
  const prefix = `later-${randomUUID()}`
  const all = Array.from({ length: 1_000 }, (_, place) => made(place))
  for (const side of ['source', 'target'] as const) {
    const topic = `${prefix}-${side}`
    await fill(pair.source, topic, all)
    await fill(pair.target, topic, all)
    await withClient(pair[side].bootstrap, client => client.admin.deleteRecords(topic, 0, 333))
  }
  await commit(pair.source, prefix, [`${prefix}-source`, `${prefix}-target`], 1_000)
  const { code, lanes } = await verify(t, { whitelist: `${prefix}.*`, group: prefix })
  assert.equal(code, 0)
  assert.deepEqual(
    lanes.map(({ matched, remarks }) => [matched, remarks[0]?.kind]),
    [
      [667, 'begins-later-source'],
      [667, 'begins-later-target']
    ]
  )
})

test('timestamps that the target sets itself are not compared', limit, async t => {
  const topic = `append-${randomUUID()}`
  const all = Array.from({ length: 500 }, (_, place) => made(place))
  await fill(pair.source, topic, all)
  await fill(pair.target, topic, all, {}, { 'message.timestamp.type': 'LogAppendTime' })
  await commit(pair.source, topic, [topic], 500)
  const { code, lanes } = await verify(t, { whitelist: topic, group: topic })
  assert.equal(code, 0, JSON.stringify(lanes))
  assert.equal(lanes[0]?.remarks[0]?.kind, 'append-time')
})

test('compacted topics are compared by what has survived', limit, async t => {
  const topic = `compacted-${randomUUID()}`
  const configs = { 'cleanup.policy': 'compact' }
  const version = (place: number) => ({ ...made(place), key: `key-${place % 20}` })
  const all = Array.from({ length: 1_000 }, (_, place) => version(place))
  const survivors = all.filter((_, place) => place % 3 === 0 || place >= 900)
  const lost = survivors.filter(each => each.timestamp !== base + 995)
  for (const [name, target] of [
    [topic, survivors],
    [`${topic}-lost`, lost]
  ] as const) {
    await fill(pair.source, name, all, {}, configs)
    await fill(pair.target, name, target, {}, configs)
  }
  await commit(pair.source, topic, [topic, `${topic}-lost`], 1_000)
  const { code, lanes } = await verify(t, { whitelist: `${topic}.*`, group: topic })
  assert.equal(code, 3)
  assert.deepEqual(
    lanes.map(({ state, first }) => [state, first?.class, first?.sourceOffset]),
    [
      ['equal', undefined, undefined],
      ['different', 'missing', 995]
    ]
  )
})

test('a mirror that runs meanwhile makes no difference', limit, async t => {
  const { source, target } = pair
  const topic = `running-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 4)
  const load = await startLoad(source.bootstrap, topic, { everyMs: 10 })
  t.after(() => load.stop().catch(() => undefined))
  const flags = ['--offset.commit.interval.ms', '300']
  const options = { whitelist: topic, group: topic }
  const mirror = await startMirror(t, { source, target, ...options, flags })
  await mirror.line({ msg: 'lanes started' })
  await waitFor('commits', async () => (await verify(t, options)).summary?.matched > 1_000)
  for (let round = 0; round < 3; round++) {
    const { code, lanes, err } = await verify(t, options)
    assert.equal(code, 0, err + JSON.stringify(lanes))
  }
})

test(
  'topics of several sources that come together are compared source by source',
  limit,
  async t => {
    const { source, target } = pair
    const second = await startBroker({ version: source.version })
    t.after(() => second.close())
    const topic = `gathered-${randomUUID()}`
    const own = (name: string) =>
      Array.from({ length: 2_000 }, (_, place) => ({ ...made(place), key: `${name}-${place}` }))
    const [ours, theirs] = [own('first'), own('second')]
    await fill(source, topic, ours, { batchRecords: 50 })
    await fill(second, topic, theirs, { batchRecords: 30 })
    await createTopic(target.bootstrap, topic)
    const furtherSources = [{ bootstrap: second.bootstrap }]
    const options = { whitelist: topic, group: topic, furtherSources }
    const mirrored = await mirrorOnce(t, { source, target, ...options })
    assert.equal(mirrored.code, 0, mirrored.mirror.tail())
    const equal = await verify(t, options)
    assert.deepEqual([equal.code, equal.summary.matched], [0, 4_000], JSON.stringify(equal.lanes))

    await withClient(target.bootstrap, client => client.admin.deleteTopics(topic))
    const merged = ours.flatMap((each, place) => [each, theirs[place] as RecordInput])
    const missing = merged.filter(({ key }) => key !== 'second-700')
    await fill(target, topic, missing)
    const { code, lanes } = await verify(t, options)
    assert.equal(code, 3)
    assert.deepEqual(
      lanes.map(({ state, first }) => [state, first?.class, first?.sourceOffset]),
      [
        ['equal', undefined, undefined],
        ['different', 'missing', 700]
      ]
    )
  }
)

test('what cannot be verified is exit code 1, and what cannot be understood 2', limit, async t => {
  const topic = `none-${randomUUID()}`
  await fill(pair.source, topic, [made(0)])
  const options = { whitelist: topic, group: topic }
  const uncommitted = await run(t, options)
  assert.equal(uncommitted.code, 1)
  assert.match(uncommitted.err, /has committed nothing for these topics/)
  await commit(pair.source, topic, [topic], 1)
  const absent = await verify(t, options)
  assert.deepEqual([absent.code, absent.lanes[0]?.why], [3, 'the target has no such topic'])
  const [port] = await freePorts(1)
  const unreached = await run(t, { ...options, target: { bootstrap: `127.0.0.1:${port}` } })
  assert.equal(unreached.code, 1)
  assert.match(unreached.err, /cannot be reached within/)
  for (const flags of [
    ['--since', 'tomorrow'],
    ['--sample', '0%'],
    ['--counts', '--sample', '5%']
  ]) {
    const usage = await run(t, { ...options, flags })
    assert.equal(usage.code, 2, usage.err)
    assert.equal(usage.out, '')
  }
})

/** A topic with one partition and these records. */
async function fill(
  { bootstrap }: { bootstrap: string },
  topic: string,
  records: readonly RecordInput[],
  { batchRecords = 200, codec = 'none' }: { batchRecords?: number; codec?: 'none' | 'lz4' } = {},
  configs: Record<string, string> = {}
): Promise<void> {
  await createTopic(bootstrap, topic, 1, { configs })
  await withClient(bootstrap, async client => {
    for (let first = 0; first < records.length; first += batchRecords) {
      const batch = encodeBatch(records.slice(first, first + batchRecords), { codec })
      await client.append(topic, 0, batch)
    }
  })
}

async function fillMore(
  cluster: { bootstrap: string },
  topic: string,
  records: readonly RecordInput[]
): Promise<void> {
  await withClient(cluster.bootstrap, client => client.append(topic, 0, encodeBatch([...records])))
}

async function commit(
  cluster: KafkaCluster,
  group: string,
  topics: readonly string[],
  offset: number
): Promise<void> {
  await withClient(cluster.bootstrap, client =>
    client.groups.offsetCommit(
      group,
      topics.map(topic => ({ topic, partition: 0, offset }))
    )
  )
}

interface Asked {
  whitelist: string
  group: string
  target?: { bootstrap: string }
  furtherSources?: readonly { bootstrap: string }[]
  flags?: readonly string[]
}

function verify(t: TestContext, options: Asked): Promise<Verified> {
  return verifyOnce(t, { ...pair, ...options })
}

function run(t: TestContext, options: Asked): Promise<Ended> {
  return runVerify(t, { ...pair, ...options })
}

// `heliostat plan` beside what the run then does, on real clusters.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LanePlan } from '../../src/plan/lane-plan.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { produceMixed, produceNumbered } from '../support/corpus.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic } from '../support/kafka-tools.ts'
import { mirrorOnce, partitionsOf, startMirror } from '../support/mirror-process.ts'
import { freePorts } from '../support/ports.ts'
import { withClient } from '../support/raw-client.ts'
import { waitFor } from '../support/wait.ts'

const command = fileURLToPath(new URL('../../../bin/heliostat', import.meta.url))
const run = promisify(execFile)
// What steers the tests is unknown to the command, which refuses such variables.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('HELIOSTAT_'))
)
const limit = { timeout: 150_000 }
const login = {
  'security.protocol': 'SASL_PLAINTEXT',
  'sasl.mechanism': 'PLAIN',
  'sasl.jaas.config':
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="mirror" password="canary-secret";'
}
let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  const users = { mirror: 'canary-secret' }
  const security = { protocol: 'SASL_PLAINTEXT', users, acls: true } as const
  pair = await startPair({ target: { security } })
})
after(() => pair?.close())

test('what the plan says of each lane is what the run then does', limit, async t => {
  const { source, target } = pair
  const prefix = `plan-${randomUUID()}`
  const topics = await prepareTopics(prefix)
  const options = { whitelist: `${prefix}.*`, group: prefix }
  const plan = await readPlan(t, options)
  const { code, report, mirror } = await mirrorOnce(t, { source, target, ...options })
  assert.equal(code, 1, mirror.tail())

  const expected: Record<keyof typeof topics, [outcome: string, reason: string][]> = {
    fresh: [
      ['copies', 'shallow'],
      ['copies', 'shallow'],
      ['copies', 'shallow']
    ],
    short: [
      ['copies', 'shallow'],
      ['stops', 'too-few-partitions']
    ],
    large: [['copies', 'too-large']],
    append: [['copies', 'append-time']],
    taken: [['copies', 'head-trim']],
    gone: [['stops', 'source-gap']]
  }
  for (const [kind, topic] of Object.entries(topics)) {
    const lanes = lanesOf(plan, topic)
    const rows = expected[kind as keyof typeof topics]
    assert.deepEqual(
      lanes.map(({ outcome, reason }) => [outcome, reason]),
      rows,
      topic
    )
    const stopped = rows.map(([outcome, reason]) => (outcome === 'stops' ? reason : 'none'))
    const done = partitionsOf(report, topic).sort((a, b) => a.partition - b.partition)
    assert.deepEqual(
      done.map(({ reason }) => reason),
      stopped,
      topic
    )
  }
})

test(
  'records and bytes are what the run then copies, and afterwards nothing is left',
  limit,
  async t => {
    const { source, target } = pair
    const topic = `figures-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 2)
    await produceNumbered(source.bootstrap, topic, { records: 4_000 })
    const options = { whitelist: topic, group: topic }
    const before = await readPlan(t, options)
    const { report } = await mirrorOnce(t, { source, target, ...options })
    assert.equal(before.totals.records, report.records)
    const ratio = before.totals.bytes / report.bytes
    assert.ok(ratio > 0.9 && ratio < 1.1, `${before.totals.bytes} planned, ${report.bytes} copied`)

    const after = await readPlan(t, options)
    assert.deepEqual([after.totals.records, after.totals.bytes], [0, 0])
    assert.deepEqual(
      lanesOf(after, topic).map(({ start, outcome }) => [start.by, start.offset, outcome]),
      [
        ['heliostat', 4_000, 'idle'],
        ['heliostat', 4_000, 'idle']
      ]
    )
  }
)

test(
  'history that is older than what the target remembers goes one batch at a time, unless it is set to remember longer',
  limit,
  async t => {
    const { source, target } = pair
    const topic = `old-${randomUUID()}`
    await createTopic(source.bootstrap, topic, 2)
    const load = { records: 400, batchRecords: 100, codec: 'lz4' } as const
    for (const days of [3, 0]) {
      const baseTimestamp = Date.now() - days * 86_400_000
      await produceMixed(source.bootstrap, topic, { ...load, baseTimestamp })
    }
    const options = { whitelist: topic, group: topic }
    const before = await readPlan(t, options)
    assert.deepEqual(
      [before.totals.records, before.totals.agedRecords],
      [2 * load.records, load.records]
    )
    const [warning] = before.warnings
    assert.equal(warning?.kind, 'aged-records')
    const [setting = '', value = ''] =
      /--add-config (\S+?)=(\d+)/.exec(warning?.fix ?? '')?.slice(1) ?? []
    const set = (to: string | null) =>
      withClient(target.bootstrap, client =>
        client.admin.alterConfigs({ type: 'broker', name: '' }, { [setting]: to })
      )
    t.after(() => set(null))
    await set(value)
    const raised = async () => (await readPlan(t, options)).totals.agedRecords === 0
    await waitFor('a plan without old records', raised)
    const { warnings } = await readPlan(t, options)
    assert.deepEqual(warnings, [])
  }
)

test('a plan changes nothing, and names what it leaves out', limit, async t => {
  const { source, target } = pair
  const prefix = `nothing-${randomUUID()}`
  const [topic, control] = [prefix, `${prefix}.checkpoints.internal`]
  for (const name of [topic, control]) await createTopic(source.bootstrap, name, 2)
  const { code, out, err } = await plan(t, { whitelist: `${prefix}.*|__.*`, group: prefix })
  assert.equal(code, 0, err)
  assert.match(out, new RegExp(`${topic} +2 +create 2 x 1`))
  assert.match(out, new RegExp(`left out: ${control} \\(MirrorMaker 2's checkpoints\\)`))
  assert.match(out, /left out: __consumer_offsets \(internal to Kafka\)/)
  assert.match(out, /no lane would stop\n$/)
  await assert.rejects(withClient(target.bootstrap, client => client.partitions(topic)))
  const committed = await withClient(source.bootstrap, client => client.groups.offsetFetch(prefix))
  assert.deepEqual(committed, [])
})

test('members that are in the group are named', limit, async t => {
  const { source, target } = pair
  const topic = `members-${randomUUID()}`
  await createTopic(source.bootstrap, topic, 1)
  const options = { whitelist: topic, group: topic }
  const mirror = await startMirror(t, { source, target, ...options })
  await mirror.line({ msg: 'lanes started' })
  const { links, warnings } = await readPlan(t, { ...options, flags: ['--num.streams', '3'] })
  assert.equal(links[0]?.members.length, 1)
  assert.deepEqual(
    warnings.map(({ kind }) => kind),
    ['members-present', 'members-beyond-partitions', 'streams-beyond-partitions']
  )
})

test('without the right to read configs the plan goes on and prints the ACL', limit, async t => {
  const { source, target } = pair
  assert.ok(target.secured !== undefined)
  const topic = `rights-${randomUUID()}`
  for (const { bootstrap } of [source, target]) await createTopic(bootstrap, topic, 2)
  await produceNumbered(source.bootstrap, topic, { records: 100 })
  const principal = 'User:mirror'
  await withClient(target.bootstrap, client =>
    client.admin.createAcls({ topic, principal, operation: 'describe' })
  )
  const options = { whitelist: topic, group: topic, target: target.secured, producer: login }
  const { code, out, err } = await plan(t, options)
  assert.equal(code, 0, err)
  assert.match(out, new RegExp(`${topic} +2 +exists 2 x 1 +shallow \\(lz4\\) +200`))
  const acl = `kafka-acls --bootstrap-server ${target.secured.bootstrap} --add --allow-principal User:mirror --operation DescribeConfigs --topic ${topic}`
  assert.ok(err.includes(acl), err)
  assert.doesNotMatch(out + err, /canary-secret/)
})

test(
  'a cluster that does not answer is exit code 1, the same one on both sides 2',
  limit,
  async t => {
    const { source } = pair
    const [port] = await freePorts(1)
    const nowhere = { bootstrap: `127.0.0.1:${port}` }
    const unreached = await plan(t, { whitelist: '.*', group: 'any', target: nowhere })
    assert.equal(unreached.code, 1)
    assert.match(
      unreached.err,
      /^error: target "target" .* cannot be reached within 10 s: .*refused/
    )
    const loop = await plan(t, { whitelist: '.*', group: 'any', target: source })
    assert.equal(loop.code, 2)
    assert.match(loop.err, /same cluster/)
    assert.equal(unreached.out + loop.out, '')
  }
)

/** Topics of which a run copies some and not others. */
async function prepareTopics(prefix: string) {
  const { source, target } = pair
  const name = (kind: string) => `${prefix}-${kind}`
  const topics = {
    fresh: name('fresh'),
    short: name('short'),
    large: name('large'),
    append: name('append'),
    taken: name('taken'),
    gone: name('gone')
  }
  const sizes = { fresh: 3, short: 2, large: 1, append: 1, taken: 1, gone: 1 }
  for (const [kind, topic] of Object.entries(topics)) {
    const configs = kind === 'append' ? { 'message.timestamp.type': 'LogAppendTime' } : {}
    await createTopic(source.bootstrap, topic, sizes[kind as keyof typeof sizes], { configs })
    await produceNumbered(source.bootstrap, topic, { records: 1_000 })
  }
  await createTopic(target.bootstrap, topics.short, 1)
  await createTopic(target.bootstrap, topics.append, 1)
  await createTopic(target.bootstrap, topics.large, 1, { configs: { 'max.message.bytes': 10_000 } })
  await produceMixed(source.bootstrap, topics.large, {
    records: 1_000,
    batchRecords: 1_000,
    codec: 'none'
  })
  await withClient(source.bootstrap, async client => {
    const offsets = [
      { topic: topics.taken, partition: 0, offset: 123 },
      { topic: topics.gone, partition: 0, offset: 100 }
    ]
    await client.groups.offsetCommit(prefix, offsets)
    await client.admin.deleteRecords(topics.gone, 0, 500)
  })
  return topics
}

function lanesOf({ links }: Plan, topic: string): LanePlan[] {
  return links.flatMap(({ topics }) =>
    topics.flatMap(entry => (entry.topic === topic ? entry.lanes : []))
  )
}

interface PlanOptions {
  whitelist: string
  group: string
  target?: { bootstrap: string }
  producer?: Record<string, string>
  flags?: string[]
}

async function readPlan(t: TestContext, options: PlanOptions): Promise<Plan> {
  const flags = [...(options.flags ?? []), '--format', 'json']
  const { code, out, err } = await plan(t, { ...options, flags })
  assert.equal(code, 0, err)
  return JSON.parse(out)
}

interface Ended {
  code: number
  out: string
  err: string
}

async function plan(t: TestContext, options: PlanOptions): Promise<Ended> {
  const { whitelist, group, target = pair.target, producer = {}, flags = [] } = options
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-plan-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const files = {
    consumer: { 'bootstrap.servers': pair.source.bootstrap, 'group.id': group },
    producer: { 'bootstrap.servers': target.bootstrap, ...producer }
  }
  const args = ['plan', '--whitelist', whitelist, ...flags]
  for (const [side, lines] of Object.entries(files)) {
    const path = join(folder, `${side}.properties`)
    await writeFile(
      path,
      Object.entries(lines).map(line => `${line.join('=')}\n`)
    )
    args.push(`--${side}.config`, path)
  }
  try {
    const { stdout, stderr } = await run(process.execPath, [command, ...args], { env })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

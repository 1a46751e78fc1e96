// `heliostat status` and `heliostat health` beside Kafka's own tool, on real clusters.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { addBatchPaths } from '../../src/mirror/batch-paths.ts'
import type { LaneStatus, LinkStatus } from '../../src/status/types.ts'
import { startPair } from '../support/kafka-broker.ts'
import { createTopic, describeGroup, perfTest } from '../support/kafka-tools.ts'
import { mirrorOnce, partitionsOf, startMirror } from '../support/mirror-process.ts'
import { RawClient, withClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { produceTransactions } from '../support/transactions.ts'
import { waitFor } from '../support/wait.ts'

const run = promisify(execFile)
const command = fileURLToPath(new URL('../../../bin/heliostat', import.meta.url))
const users = { watcher: 'watcher-secret' }
const limit = { timeout: 150_000 }
let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  const security = { protocol: 'SASL_PLAINTEXT', users, acls: true } as const
  pair = await startPair({ source: { security } })
})
after(() => pair?.close())

// Its coordinator is not ready then, and the client library crashed on the answer to a question for offsets.
test('the first group that a new cluster is asked for', limit, async () => {
  const { bootstrap } = pair.source
  const unknown = await status(['--bootstrap-server', bootstrap, '--group', randomUUID()])
  assert.match(unknown.out, /is not known to the source/)
  assert.equal(unknown.code, 1)
})

test('offsets and lag are those of kafka-consumer-groups', limit, async t => {
  const { source, target } = pair
  const topic = await makeTopic(3)
  await perfTest(source, topic, { records: 3_000 })
  await mirrorOnce(t, { source, target, whitelist: topic, group: topic })
  await perfTest(source, topic, { records: 1_500 })

  const oracle = await describeGroup(source, topic)
  const { lanes, totals } = await readAlone(topic)
  const rows = (list: readonly { partition: number }[]) =>
    [...list].sort((a, b) => a.partition - b.partition)
  assert.deepEqual(
    lanes.map(({ partition, committed, logEnd, lag }) => [partition, committed, logEnd, lag]),
    rows(oracle).map(row => {
      const { partition, current, end, lag } = row as (typeof oracle)[number]
      return [partition, current, end, lag]
    })
  )
  assert.equal(totals.lag, 1_500)
  for (const { lag, lagMs } of lanes) assert.ok(lag === 0 || (lagMs ?? -1) >= 0, `${lag} ${lagMs}`)
  const text = await status(['--bootstrap-server', source.bootstrap, '--group', topic])
  assert.equal(text.code, 0)
  assert.match(text.out, new RegExp(`^group ${topic} \\(Empty, 0 members`))
  assert.match(text.out, /total: 3 lanes of 1 topic, lag 1,500 records/)
  assert.match(text.out, /note: no member is in group/)
})

test('a running mirror: owner, leader, target and delivery, from its files', limit, async t => {
  const { source, target } = pair
  const topic = await makeTopic(2)
  await perfTest(source, topic, { records: 1_000 })
  const flags = ['--offset.commit.interval.ms', '200']
  const mirror = await startMirror(t, { source, target, whitelist: topic, group: topic, flags })
  const files = await writeFiles(t, topic)
  const link = await mirror.until('a lag of 0', async () => {
    const { links } = JSON.parse((await status([...files, '--format', 'json'])).out)
    const [found] = links as LinkStatus[]
    return found?.lanes.length === 2 && found.lanes.every(({ lag }) => lag === 0) && found
  })
  assert.equal(link.group, topic)
  assert.equal(link.groupStatus.state, 'Stable')
  assert.equal(link.groupStatus.members, 1)
  assert.equal(link.totals.lagMs, 0)
  for (const lane of link.lanes) {
    assert.equal(lane.committed, lane.logEnd)
    assert.equal(lane.targetEnd, lane.logEnd)
    assert.equal(lane.owner?.host, '127.0.0.1')
    assert.match(lane.owner?.clientId ?? '', /./)
    assert.equal(`${lane.leader?.host}:${lane.leader?.port}`, source.bootstrap)
    assert.equal(lane.delivery, 'exactly-once')
    assert.deepEqual(lane.troubles, [])
  }
  const chosen = await status([...files, '--whitelist', `${topic},nothing-.*`, '--max-lag', '0'])
  assert.equal(chosen.code, 0, chosen.out)
  assert.match(chosen.out, /TARGET-END/)
  assert.equal(await mirror.stop(), 0)

  // What the next process does is added to what the commits tell of this one.
  const transactions = 4
  await produceTransactions(source.bootstrap, topic, { transactions })
  const next = await mirrorOnce(t, { source, target, whitelist: topic, group: topic })
  assert.equal(next.code, 0)
  const parts = partitionsOf(next.report, topic).map(({ reasons }) => reasons)
  const added = addBatchPaths([link.totals.batches, ...parts])
  assert.ok((added.control ?? 0) >= transactions && (added.shallow ?? 0) > transactions)
  assert.deepEqual((await readAlone(topic)).totals.batches, added)
})

test('a lane above the limit is named, and the exit code is 1', limit, async t => {
  const { source, target } = pair
  const topic = await makeTopic(1)
  await perfTest(source, topic, { records: 100 })
  await mirrorOnce(t, { source, target, whitelist: topic, group: topic })
  await perfTest(source, topic, { records: 30 })
  const flags = ['--bootstrap-server', source.bootstrap, '--group', topic, '--max-lag']
  const above = await status([...flags, '29'])
  assert.equal(above.code, 1)
  assert.match(above.out, new RegExp(`above --max-lag 29: ${topic}-0 \\(30\\)`))
  const below = await status([...flags, '30'])
  assert.equal(below.code, 0)
  const watched = await status([...flags, '29', '--watch', '1', '--format', 'json'])
  assert.equal(watched.code, 1)
  assert.equal(JSON.parse(watched.out).aboveMaxLag[0].lag, 30)
})

test('an open transaction is not counted as lag, and is told', limit, async t => {
  const { source } = pair
  const topic = await makeTopic(1)
  await commit(topic, 0)
  const { open, openRecords } = await produceTransactions(source.bootstrap, topic, {
    transactions: 1,
    leaveOpen: true
  })
  t.after(async () => {
    const client = new RawClient(source.bootstrap)
    if (open) await client.transactions.end(open, 'abort')
    client.close()
  })
  const { lanes, notes } = await readAlone(topic)
  const [lane] = lanes as [LaneStatus]
  assert.deepEqual([lane.logEnd, lane.highWatermark, lane.lag], [0, openRecords, 0])
  assert.match(notes.join('\n'), /open transaction/)
  const uncommitted = await readAlone(topic, ['--isolation', 'read_uncommitted'])
  assert.equal(uncommitted.lanes[0]?.lag, openRecords)
})

test('a deleted topic and deleted records: sentences, no crash', limit, async () => {
  const { source } = pair
  const topic = await makeTopic(2)
  await commit(topic, 5)
  const client = new RawClient(source.bootstrap)
  try {
    const batch = encodeBatch(Array.from({ length: 20 }, () => ({ value: 'x' })))
    for (const partition of [0, 1]) await client.append(topic, partition, batch)
    await client.admin.deleteRecords(topic, 0, 20)
    const { lanes } = await readAlone(topic)
    assert.deepEqual(lanes[0]?.troubles, ['records-gone'])
    assert.deepEqual(lanes[1]?.troubles, [])
    assert.ok((lanes[1]?.lagMs ?? -1) >= 0)
    await client.admin.deleteTopics(topic)
  } finally {
    client.close()
  }
  const gone = await status(['--bootstrap-server', source.bootstrap, '--group', topic])
  assert.match(gone.out, /not on the source any more|is not known to the source|committed nothing/)
})

test(
  'a cluster that does not answer: exit code 1 within the time, with its address',
  limit,
  async () => {
    const flags = ['--bootstrap-server', '127.0.0.1:1', '--group', 'g', '--timeout-ms', '1000']
    const startedAt = performance.now()
    const { code, out } = await status(flags)
    assert.equal(code, 1)
    assert.match(out, /source at 127\.0\.0\.1:1 cannot be reached: .*refused/)
    assert.ok(performance.now() - startedAt < 5_000)
  }
)

test('a target that does not answer hides nothing of the source', limit, async t => {
  const topic = await makeTopic(1)
  await commit(topic, 0)
  const files = await writeFiles(t, topic, '127.0.0.1:1')
  const { code, out } = await status([...files, '--timeout-ms', '1500'])
  assert.equal(code, 1)
  assert.match(out, /total: 1 lane of 1 topic, lag 0/)
  assert.match(out, /note: the target's offsets are not known: .*127\.0\.0\.1:1/)
})

test('several sources are shown one below the other, each with its group', limit, async t => {
  const topic = await makeTopic(1)
  const other = await makeTopic(2)
  await commit(topic, 0)
  await commit(other, 0)
  const [files, more] = [await writeFiles(t, topic), await writeFiles(t, other)]
  const { code, out } = await status([...files, ...more.slice(0, 2)])
  assert.equal(code, 0, out)
  assert.match(out, new RegExp(`^source -> target, group ${topic} `, 'm'))
  assert.match(out, new RegExp(`^source2 -> target, group ${other} `, 'm'))
  assert.match(out, /total: 1 lane of 1 topic[\s\S]*total: 2 lanes of 1 topic/)
  assert.match(out, new RegExp(`note: not on the target: ${topic}-0`))
})

test('a user without rights is told which one is missing', limit, async t => {
  const { secured, bootstrap } = pair.source
  const topic = await makeTopic(1)
  await perfTest(pair.source, topic, { records: 10 })
  await commit(topic, 0)
  const folder = await makeFolder(t)
  const login = join(folder, 'client.properties')
  const jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
  const write = (password: string) =>
    writeFile(
      login,
      'security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nretries=3\n' +
        `sasl.jaas.config=${jaas} username="watcher" password="${password}";\n`
    )
  await write(users.watcher)
  const flags = ['--bootstrap-server', secured?.bootstrap ?? '', '--group', topic]
  flags.push('--command-config', login, '--timeout-ms', '3000')
  const refused = await status(flags)
  assert.equal(refused.code, 1)
  assert.match(
    refused.out,
    new RegExp(`kafka-acls --add .* --operation Describe --group '${topic}'`)
  )

  const client = new RawClient(bootstrap)
  const principal = 'User:watcher'
  await client.admin.createAcls(
    { group: topic, principal, operation: 'describe' },
    { topic, principal, operation: 'describe' }
  )
  client.close()
  const seen = await waitFor('the new rights', async () => {
    const answer = await status([...flags, '--format', 'json'])
    const [link] = JSON.parse(answer.out).links as LinkStatus[]
    return link?.lanes?.length === 1 && link
  })
  assert.equal(seen.lanes[0]?.lag, 10)
  assert.equal(seen.lanes[0]?.lagMs, null)
  assert.deepEqual(seen.lanes[0]?.troubles, ['not-readable'])

  await write('wrong-canary')
  const wrong = await status(flags)
  assert.equal(wrong.code, 1)
  assert.match(wrong.out, /Authentication failed/)
  assert.ok(!`${wrong.out}${wrong.err}`.includes('canary'))
})

test('health asks the mirror that runs here', limit, async t => {
  const { source, target } = pair
  const topic = await makeTopic(1)
  const options = { source, target, whitelist: topic, group: topic }
  const mirror = await startMirror(t, { ...options, http: '127.0.0.1:0' })
  const { url } = await mirror.line({ msg: 'serving /livez, /readyz and /metrics' })
  const address = String(url).replace('http://', '')
  const alive = await heliostat(['health', '--http', address])
  assert.deepEqual([alive.out, alive.code], [`ok: heliostat at ${address} is alive\n`, 0])
  const ready = await mirror.until('ready', async () => {
    const answer = await heliostat(['health', '--ready', '--verbose'], { HELIOSTAT_HTTP: address })
    return answer.code === 0 && answer
  })
  assert.match(ready.out, /^ok: heliostat at .* is ready \(mirroring\)\n {2}ok {2}source: /)
  await mirror.stop()
  const gone = await heliostat(['health', '--http', address])
  assert.equal(gone.code, 1)
  assert.match(gone.out, /no heliostat answers at .*ECONNREFUSED/)
})

interface Outcome {
  code: number
  out: string
  err: string
}

function status(flags: readonly string[]): Promise<Outcome> {
  return heliostat(['status', ...flags])
}

async function heliostat(args: readonly string[], variables = {}): Promise<Outcome> {
  const plain = Object.entries(process.env).filter(([name]) => !name.startsWith('HELIOSTAT_'))
  const env = { ...Object.fromEntries(plain), ...variables }
  try {
    const options = { env, timeout: 30_000 }
    const { stdout, stderr } = await run(process.execPath, [command, ...args], options)
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

async function readAlone(group: string, more: readonly string[] = []): Promise<LinkStatus> {
  const flags = ['--bootstrap-server', pair.source.bootstrap, '--group', group, '--format', 'json']
  const { out, err } = await status([...flags, ...more])
  assert.equal(err, '')
  return JSON.parse(out).links[0]
}

async function makeTopic(partitions: number): Promise<string> {
  const topic = `status-${randomUUID()}`
  await createTopic(pair.source.bootstrap, topic, partitions)
  return topic
}

/** For both partitions of a topic, or its only one; the group has the name of the topic. */
async function commit(topic: string, offset: number): Promise<void> {
  return withClient(pair.source.bootstrap, async client => {
    const partitions = await client.partitions(topic)
    await client.groups.offsetCommit(
      topic,
      partitions.map(partition => ({ topic, partition, offset }))
    )
  })
}

async function writeFiles(
  t: TestContext,
  group: string,
  target = pair.target.bootstrap
): Promise<string[]> {
  const folder = await makeFolder(t)
  const files = [join(folder, 'source.properties'), join(folder, 'target.properties')] as const
  await writeFile(files[0], `bootstrap.servers=${pair.source.bootstrap}\ngroup.id=${group}\n`)
  await writeFile(files[1], `bootstrap.servers=${target}\n`)
  return ['--consumer.config', files[0], '--producer.config', files[1]]
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-status-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

// `heliostat bench` on real clusters: what it measures, and that it leaves nothing behind whatever comes.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Recommendation } from '../../src/bench/recommendation.ts'
import type { BenchResult, Load } from '../../src/bench/types.ts'
import { Cluster } from '../../src/native/index.ts'
import { startPair } from '../support/kafka-broker.ts'
import { plainEnvironment } from '../support/mirror-process.ts'
import { runOnTerminal } from '../support/pseudo-terminal.ts'
import { withClient } from '../support/raw-client.ts'
import { waitFor } from '../support/wait.ts'

const command = fileURLToPath(new URL('../../../bin/heliostat', import.meta.url))
const limit = { timeout: 60_000 }
const login = {
  'security.protocol': 'SASL_PLAINTEXT',
  'sasl.mechanism': 'PLAIN',
  'sasl.jaas.config':
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="mirror" password="canary-secret";'
}
const small = ['--size', '2000000', '--partitions', '3']
let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  const users = { mirror: 'canary-secret' }
  const security = { protocol: 'SASL_PLAINTEXT', users, acls: true } as const
  pair = await startPair({ target: { security } })
})
after(() => pair?.close())

type Document = BenchResult & { load: Load; recommendations: Recommendation[] }

test('every step moves every record, and afterwards nothing is left', limit, async t => {
  const ended = await bench(t, [...small, '--yes', '--format', 'json'])
  assert.equal(ended.code, 0, ended.err)
  const { steps, roundTrips, load, recommendations }: Document = JSON.parse(ended.out)
  const records = Math.ceil(load.size / load.recordBytes)
  assert.deepEqual(
    steps.map(({ kind, connections, records }) => [kind, connections, records]),
    [
      ['fill', 4, records],
      ...['fetch', 'produce', 'mirror'].flatMap(kind =>
        [1, 2, 4].map(count => [kind, count, records])
      )
    ]
  )
  for (const step of steps) {
    assert.ok(step.seconds > 0 && step.wireMegabytesPerSecond > 0, step.kind)
    assert.equal(step.recordBytes, records * load.recordBytes)
    // What crossed the network is compressed.
    const ratio = step.wireBytes / step.recordBytes
    assert.ok(ratio > 0.2 && ratio < 0.8, `${step.kind}: ${step.wireBytes} bytes on the wire`)
  }
  for (const { medianMs, p99Ms } of Object.values(roundTrips)) {
    assert.ok(medianMs > 0 && medianMs <= p99Ms && p99Ms < 5_000)
  }
  assert.deepEqual(
    recommendations.map(({ setting }) => setting),
    [
      ...['num.streams', 'num.producers', 'fetch.max.bytes', 'max.partition.fetch.bytes'],
      ...['buffer.memory', 'max.request.size', 'queue.size']
    ]
  )
  await assertNothingLeft()
  const groups = [...new Set(ended.err.match(/heliostat-bench-[\da-f]{8}-\d/g))]
  assert.equal(groups.length, 3)
  await assertGroupsGone(groups)
})

test(
  'without --yes and without a terminal nothing is made, and the exit code is 2',
  limit,
  async t => {
    const { code, out, err } = await bench(t, small)
    assert.deepEqual([code, out], [2, ''])
    assert.match(
      err,
      /^error: bench makes a topic and writes data on both clusters: .* needs --yes\n/
    )
    await assertNothingLeft()
  }
)

test('on a terminal it says what it makes and asks; no answer makes nothing', limit, async t => {
  const folder = await makeFolder(t)
  const program = [process.execPath, command, 'bench', ...(await files(folder)), ...small]
  const terminal = await runOnTerminal(t, folder, program, '"$@" < /dev/tty')
  const asked =
    /target "target" \(\S+\): topic heliostat-bench-\S+, 3 partitions.*Go on\? \[y\/N\]/s
  await waitFor('the question', () => asked.test(terminal.output()), {
    describe: () => terminal.output()
  })
  process.kill(terminal.pid, 'SIGINT')
  assert.equal(await terminal.exit(), 1)
  assert.match(terminal.output(), /nothing was made/)
  await assertNothingLeft()
})

for (const [signal, during, size] of [
  ['SIGINT', 'fill the source', '50000000'],
  ['SIGTERM', 'mirror, 1 connection on each side', '2000000']
] as const) {
  test(`${signal} in mid-run (${during}) leaves nothing behind`, limit, async t => {
    const running = await startBench(t, ['--size', size, '--partitions', '3', '--yes'])
    await waitFor(during, () => running.out().includes(during), {
      everyMs: 5,
      describe: running.err
    })
    running.child.kill(signal)
    assert.equal(await running.exit, 1, running.err())
    assert.match(
      running.err(),
      new RegExp(`error: stopped by ${signal}: not everything was measured`)
    )
    assert.match(running.err(), /A second signal ends at once and leaves it; then: kafka-topics /)
    await assertNothingLeft()
  })
}

test(
  'a right that is missing on the target is named, and the source keeps nothing',
  limit,
  async t => {
    const { secured } = pair.target
    assert.ok(secured)
    const target = { 'bootstrap.servers': secured.bootstrap, ...login }
    const { code, out, err } = await bench(t, [...small, '--yes', '--format', 'json'], target)
    assert.deepEqual([code, out], [1, ''])
    assert.match(
      err,
      /error: target "target": create topic \S+: (TOPIC|CLUSTER)_AUTHORIZATION_FAILED \(\d+\): the right Create is missing\. Grant it with: kafka-acls .*--allow-principal User:mirror /
    )
    assert.doesNotMatch(err, /canary-secret|could not be removed/)
    await assertNothingLeft()
  }
)

async function assertNothingLeft(): Promise<void> {
  for (const { bootstrap } of [pair.source, pair.target]) {
    const { topics } = await withClient(bootstrap, client => client.metadata(null))
    const left = topics.filter(({ name }) => name.startsWith('heliostat-bench-'))
    assert.deepEqual(left, [])
  }
}

async function assertGroupsGone(groups: readonly string[]): Promise<void> {
  const cluster = new Cluster({ 'bootstrap.servers': pair.source.bootstrap })
  try {
    for (const group of groups) {
      const isGone = async () => (await cluster.describeGroup(group, 10_000)).state === 'Dead'
      await waitFor(`group ${group} to go`, isGone)
    }
  } finally {
    await cluster.close()
  }
}

interface Ended {
  code: number | null
  out: string
  err: string
}

async function bench(
  t: TestContext,
  flags: readonly string[],
  target?: Record<string, string>
): Promise<Ended> {
  const running = await startBench(t, flags, target)
  return { code: await running.exit, out: running.out(), err: running.err() }
}

interface Running {
  child: ChildProcess
  exit: Promise<number | null>
  out(): string
  err(): string
}

async function startBench(
  t: TestContext,
  flags: readonly string[],
  target?: Record<string, string>
): Promise<Running> {
  const args = [command, 'bench', ...(await files(await makeFolder(t), target)), ...flags]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: plainEnvironment()
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', chunk => {
    said.out += chunk
  })
  child.stderr.on('data', chunk => {
    said.err += chunk
  })
  const exit = once(child, 'close').then(([code]) => code as number | null)
  t.after(async () => {
    child.kill('SIGKILL')
    await exit
  })
  return { child, exit, out: () => said.out, err: () => said.err }
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-bench-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function files(
  folder: string,
  target: Record<string, string> = { 'bootstrap.servers': pair.target.bootstrap }
): Promise<string[]> {
  const source = { 'bootstrap.servers': pair.source.bootstrap, 'group.id': 'mirror' }
  const written = Object.entries({ consumer: source, producer: target }).map(
    async ([side, lines]) => {
      const path = join(folder, `${side}.properties`)
      await writeFile(
        path,
        Object.entries(lines).map(line => `${line.join('=')}\n`)
      )
      return [`--${side}.config`, path]
    }
  )
  return (await Promise.all(written)).flat()
}

// Brokers of the target that lose what they had acknowledged, or have no room for more: what is lost is said, what is
// not is there once and in order, and other lanes go on.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { compareTopics } from '../support/digest.ts'
import { type KafkaNode, shortSessions, startPair } from '../support/kafka-broker.ts'
import { alterConfigs } from '../support/kafka-tools.ts'
import { LoadRun } from '../support/load-run.ts'
import { anyPort, readMetric } from '../support/mirror-metrics.ts'
import { mirrorOnce, partitionsOf } from '../support/mirror-process.ts'
import { withClient } from '../support/raw-client.ts'
import { readCommits } from '../support/rolled-back.ts'

const run = promisify(execFile)
const isFull = process.env.HELIOSTAT_FULL === '1'
const limit = { timeout: 150_000 }

let pair: Awaited<ReturnType<typeof startPair>>
let first: KafkaNode
let second: KafkaNode
let third: KafkaNode
/** What the target has lost: where its first partition ends. */
let wentBack: { topic: string; lost: number }

// A suite, so that the time in which its clusters start is not told as that of its first row.
describe('a target that loses what it has', () => {
  before(async () => {
    pair = await startPair({ target: { nodes: 3, config: shortSessions } })
    ;[first, second, third] = pair.target.nodes as [KafkaNode, KafkaNode, KafkaNode]
  })
  after(() => pair?.close())

  // A broker whose disk is full shuts itself down. A limit on the size of its files fails its writes as a full disk
  // does, and needs no disk of one's own.
  // Of the long form: it waits for a broker to find out, to end and to come back.
  if (isFull) {
    test('F17: a broker of the target has no room, until there is some again', limit, async t => {
      const assignments = [
        [first.id, second.id],
        [second.id, third.id],
        [third.id, first.id]
      ]
      const load = await LoadRun.start(t, pair, {
        // What waits for a replica gets its answer after so long.
        mirror: { http: anyPort, producer: { 'request.timeout.ms': 3_000 } },
        sourceTopic: { partitions: 3 },
        targetTopic: { assignments, configs: { 'min.insync.replicas': 2 } }
      })
      const { mirror, topic } = load
      await run('prlimit', [`--pid=${first.pid}`, `--fsize=${await largestLog(first.dataDir)}:`])
      await mirror.until('the end of the broker', () => first.pid === undefined, 60_000)
      assert.match(await first.log(), /all log dirs .* have failed|File too large/)
      const labels = { topic, state: 'backing-off', reason: 'not-enough-replicas' }
      const areShown = async () =>
        (await readMetric(mirror, 'heliostat_lane_problem', labels)) === 2
      await mirror.until('the lanes that wait for the replica', areShown, 60_000)
      await partitionGoesOn(load, 1)
      await alterConfigs(pair.target.bootstrap, topic, { 'min.insync.replicas': 1 })
      t.diagnostic(
        `every lane goes on ${await load.everyLaneGoesOn()} ms after one replica is enough`
      )
      await first.start()
      const isBack = async () => (await rowsOf(topic)).every(({ isr }) => isr.length === 2)
      await mirror.until('all replicas in sync', isBack, 60_000)
      t.diagnostic(`every lane goes on ${await load.everyLaneGoesOn()} ms after it is back`)
      await load.finish()
    })
  }

  test('F14: the target loses acknowledged records with a leader', limit, async t => {
    const { source } = pair
    const load = await LoadRun.start(t, pair, {
      sourceTopic: { partitions: 2 },
      targetTopic: {
        assignments: [
          [first.id, second.id],
          [third.id, first.id]
        ],
        configs: { 'unclean.leader.election.enable': true, 'min.insync.replicas': 1 }
      }
    })
    const { mirror, topic } = load
    await second.kill('SIGKILL')
    const kept = await endOf(topic)
    const isCommitted = async () => {
      const commits = await readCommits(source.bootstrap, topic)
      return commits.some(({ partition, offset }) => partition === 0 && offset > kept + 1_000)
    }
    await mirror.until('more records committed', isCommitted, 60_000)
    await first.kill('SIGKILL')
    await second.start()
    const stopped = { msg: 'lane stopped', topic, partition: 0, reason: 'target-went-back' }
    const { detail } = await mirror.line(stopped, 60_000)
    assert.match(`${detail}`, /--reset-offsets/)
    const lost = await endOf(topic)
    t.diagnostic(`it ends at ${lost}, ${kept} when the other replica was stopped`)
    await Promise.all([first.start(), load.load.stop()])
    const others = { ...stopped, partition: 1 }
    assert.deepEqual(mirror.linesLike(others), [])
    assert.equal(await mirror.stop(), 0, mirror.tail())
    wentBack = { topic, lost }
  })

  test(
    'F14: the next start knows it too, finishes the other lane, and adds nothing',
    limit,
    async t => {
      const { source, target } = pair
      const { topic, lost } = wentBack
      const options = { source, target, whitelist: topic, group: topic }
      const next = await mirrorOnce(t, options)
      assert.equal(next.code, 1, next.mirror.tail())
      const reasons = partitionsOf(next.report, topic).map(({ state, reason }) => [state, reason])
      assert.deepEqual(reasons[0], ['stopped', 'target-went-back'])
      assert.equal(await endOf(topic), lost)
      const differences = await compareTopics(source.bootstrap, target.bootstrap, [topic])
      assert.deepEqual(
        differences.map(({ partition, what }) => [partition, what.split(';')[0]]),
        [[0, 'missing on the target, which ends before it']]
      )
    }
  )
})

/** Bytes of the largest log of a broker. */
async function largestLog(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true })
  const logs = files.filter(file => file.endsWith('.log'))
  const sizes = await Promise.all(logs.map(async file => (await stat(join(folder, file))).size))
  return Math.max(...sizes)
}

async function rowsOf(topic: string) {
  return withClient(
    pair.target.bootstrap,
    async client => (await client.metadata([topic])).topics[0]?.partitions ?? []
  )
}

async function partitionGoesOn({ mirror, topic }: LoadRun, partition: number): Promise<void> {
  const before = await endOf(topic, partition)
  const goesOn = async () => (await endOf(topic, partition)) > before + 300
  await mirror.until('records in the other lane', goesOn, 60_000)
}

/** The log end of a partition, as soon as it has a leader. */
function endOf(topic: string, partition = 0): Promise<number> {
  return withClient(pair.target.bootstrap, client => client.listOffset(topic, partition, 'latest'))
}

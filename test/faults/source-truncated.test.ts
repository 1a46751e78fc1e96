// An unclean election cuts the source's log below what was mirrored, and others fill it up again. Nothing of that is
// joined to what was mirrored before, while the mirror runs and across its restart.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { produceNumbered } from '../support/corpus.ts'
import { groupLag } from '../support/group-lag.ts'
import { type KafkaCluster, type KafkaNode, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion, targetVersion } from '../support/kafka-jars.ts'
import { mirrorOnce, partitionsOf, startMirror } from '../support/mirror-process.ts'
import { readNumbers } from '../support/numbered-once.ts'
import { withClient } from '../support/raw-client.ts'
import { readCommits } from '../support/rolled-back.ts'
import { waitFor } from '../support/wait.ts'

/** Cut at 1,000; `refilled` up to 4,000, beyond what was mirrored, and `short` not. */
const shapes = ['refilled', 'short'] as const

let source: KafkaCluster
let target: KafkaCluster

// A suite, so that the time in which its clusters start is not told as that of its row.
describe('a source that has lost what was mirrored', () => {
  before(async () => {
    // The third node keeps the quorum of the controllers while the first two are down in turn.
    const config = { 'broker.session.timeout.ms': 3_000, 'broker.heartbeat.interval.ms': 500 }
    const started = await Promise.all([
      startBroker({ version: sourceVersion, nodes: 3, config }),
      startBroker({ version: targetVersion })
    ])
    source = started[0]
    target = started[1]
  })
  after(() => Promise.all([source?.close(), target?.close()]))

  const prefix = `cut-${randomUUID()}`
  const topicsOf = (group: string) => shapes.map(shape => `${prefix}-${group}-${shape}`)
  const [running, stopped] = [topicsOf('running'), topicsOf('stopped')]
  const untouched = `${prefix}-running-untouched`

  // It stays in its group while it sleeps.
  const consumer = { 'session.timeout.ms': 45_000, 'heartbeat.interval.ms': 1_000 }
  const optionsOf = (group: string) => {
    return {
      source,
      target,
      whitelist: `${prefix}-${group}-.*`,
      group: `${prefix}-${group}`,
      consumer
    }
  }

  test('F13: the log is cut below what was mirrored, and filled up with other records', {
    timeout: 300_000
  }, async t => {
    const topics = [...running, ...stopped]
    const configs = { 'unclean.leader.election.enable': true }
    await withClient(source.bootstrap, client =>
      client.admin.createTopics(...topics.map(name => ({ name, assignments: [[1, 2]], configs })), {
        name: untouched,
        assignments: [[3]]
      })
    )
    const all = [...topics, untouched]
    const produceAll = (records: number, from: number) =>
      Promise.all(all.map(topic => produce(topic, records, from)))
    await produceAll(1_000, 0)
    const [first, second] = source.nodes as [KafkaNode, KafkaNode]
    await second.stop()
    await produceAll(2_000, 1_000)

    const [mirror, done] = await Promise.all([
      startMirror(t, { ...optionsOf('running'), flags: ['--offset.commit.interval.ms', '500'] }),
      mirrorOnce(t, optionsOf('stopped'))
    ])
    assert.equal(done.code, 0, done.mirror.tail())
    const group = `${prefix}-running`
    const hasAll = async () =>
      (await groupLag(source.bootstrap, group, [...running, untouched])) === 0
    await mirror.until('all records', hasAll, 60_000)

    mirror.kill('SIGSTOP')
    await first.stop()
    await second.start()
    await untilLedBy(second, topics)
    await Promise.all(
      topics.map(topic => produce(topic, topic.endsWith('refilled') ? 3_000 : 500, 1_000_000))
    )
    await first.start()
    mirror.kill('SIGCONT')

    for (const topic of running) {
      const { detail } = await mirror.line(
        { msg: 'lane stopped', reason: 'source-diverged', topic },
        60_000
      )
      assert.match(`${detail}`, /cut/)
    }
    await produce(untouched, 500, 3_000)
    await mirror.until(
      'the topic that was not cut',
      async () => (await groupLag(source.bootstrap, group, [untouched])) === 0,
      60_000
    )
    assert.equal(await mirror.stop(), 0, mirror.tail())
    assert.deepEqual(await numbersOf(untouched), numbers(0, 3_500))
  })

  test('F13: a restart knows it, of a mirror that has seen it and of one that was down', {
    timeout: 120_000
  }, async t => {
    const isTold = async (name: string, cut: string[]) => {
      const { code, report, mirror: last } = await mirrorOnce(t, optionsOf(name))
      assert.equal(code, 1, last.tail())
      assert.match(report.reason, /source-diverged/)
      for (const topic of cut) {
        const [row] = partitionsOf(report, topic)
        assert.deepEqual([row?.state, row?.reason], ['stopped', 'source-diverged'], last.tail())
        assert.deepEqual(await numbersOf(topic), numbers(0, 3_000))
      }
      const commits = await readCommits(source.bootstrap, `${prefix}-${name}`)
      assert.deepEqual(
        [
          ...new Set(commits.filter(({ topic }) => topic !== untouched).map(({ offset }) => offset))
        ],
        [3_000]
      )
    }
    await Promise.all([isTold('running', running), isTold('stopped', stopped)])
  })
})

async function produce(topic: string, records: number, from: number): Promise<void> {
  await produceNumbered(source.bootstrap, topic, { records, from, batchRecords: 100 })
}

async function numbersOf(topic: string): Promise<number[] | undefined> {
  return (await readNumbers(target.bootstrap, topic)).get(0)
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, place) => from + place)
}

async function untilLedBy(node: KafkaNode, names: string[]): Promise<void> {
  return withClient(`${node.host}:${node.port}`, async client => {
    const isLed = async () => {
      const { topics } = await client.metadata(names)
      return topics.every(({ partitions }) => partitions.every(({ leader }) => leader === node.id))
    }
    await waitFor('the replica that lacks records to lead', isLed, { limitMs: 60_000 })
  })
}

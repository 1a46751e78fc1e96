// What the source loses, cuts or replaces behind the mirror's back is told to the last offset, and never joined to
// what was mirrored before: deleted records (T13), topics made anew (T15), a damaged log (T20).

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { RunReport } from '../../src/observe/report.ts'
import { headerBytes, readBatchHeader, splitBatches } from '../support/batch-header.ts'
import { numberedRecord, produceNumbered } from '../support/corpus.ts'
import { countRecords, groupLag } from '../support/group-lag.ts'
import { type KafkaNode, startPair } from '../support/kafka-broker.ts'
import {
  alterConfigs,
  createTopic,
  deleteRecords,
  recreateTopic,
  runTool
} from '../support/kafka-tools.ts'
import { countArrived } from '../support/killed-mirror.ts'
import {
  type BoundedRun,
  type MirrorOptions,
  mirrorOnce,
  partitionsOf,
  startMirror
} from '../support/mirror-process.ts'
import { readNumbers } from '../support/numbered-once.ts'
import { freePorts } from '../support/ports.ts'
import { RawClient } from '../support/raw-client.ts'
import { encodeBatch } from '../support/records.ts'
import { readCommits } from '../support/rolled-back.ts'
import { waitFor } from '../support/wait.ts'

const limit = { timeout: 180_000 }
const waitMs = 60_000
const skip = ['--on-gap', 'skip']

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  // Retention by time looks at once and often.
  const config = {
    'log.retention.check.interval.ms': 300,
    'log.initial.task.delay.ms': 0,
    'file.delete.delay.ms': 100
  }
  pair = await startPair({ source: { config } })
})
after(() => pair?.close())

// T13
test(
  'records were deleted while the mirror was down: stop, then skip, each to the offset',
  limit,
  async t => {
    const { source, target } = pair
    const { topic, options } = await startTopic(3)
    assertDone(await mirrorOnce(t, options))
    await produce(topic, 2_000, 2_000)
    // Inside a batch, at the border of one, and exactly up to what was mirrored.
    for (const [partition, before] of [2_550, 3_000, 2_000].entries()) {
      await deleteRecords(source.bootstrap, topic, partition, before)
    }
    const lost = [
      { source: 'source', topic, partition: 0, from: 2_000, to: 2_550, offsets: 550 },
      { source: 'source', topic, partition: 1, from: 2_000, to: 3_000, offsets: 1_000 }
    ]

    const stopped = await mirrorOnce(t, options)
    assert.equal(stopped.code, 1, stopped.mirror.tail())
    assertLost(stopped.report, lost, false)
    assert.match(stopped.report.reason, /source-gap.*; 1550 source offsets were deleted/)
    const rows = partitionsOf(stopped.report, topic).map(({ state, reason }) => [state, reason])
    assert.deepEqual(rows.slice(0, 2), Array(2).fill(['stopped', 'source-gap']))
    assert.notEqual(rows[2]?.[0], 'stopped')
    const lines = stopped.mirror.linesLike({ msg: gapLine, level: 'error' })
    assert.deepEqual(lines.map(({ partition, offsets }) => [partition, offsets]).sort(), [
      [0, 550],
      [1, 1_000]
    ])
    for (const { fix } of lines) assert.match(`${fix}`, /retention\.ms.*--on-gap skip/)
    assert.deepEqual(await countsOf(target.bootstrap, topic), [2_000, 2_000, 4_000])

    const skipping = { ...options, flags: skip }
    const skipped = await mirrorOnce(t, skipping)
    assertDone(skipped)
    assertLost(skipped.report, lost, true)
    assert.match(skipped.report.reason, /; 1550 source offsets were deleted/)
    const kept = [
      [...numbers(0, 2_000), ...numbers(2_550, 4_000)],
      [...numbers(0, 2_000), ...numbers(3_000, 4_000)],
      numbers(0, 4_000)
    ]
    await assertNumbers(topic, kept)

    // The gap is behind it now, and stops nothing.
    await produce(topic, 500, 4_000)
    const next = await mirrorOnce(t, options)
    assertDone(next)
    assertLost(next.report, [], false)
    assert.equal(countArrived(next.mirror), 0)
    await assertNumbers(
      topic,
      kept.map(before => [...before, ...numbers(4_000, 4_500)])
    )
  }
)

// T13: what came from behind the gap must not be taken for what was deleted.
test('the mirror dies behind a gap that it has just skipped', limit, async t => {
  const { source, target } = pair
  const { topic, options } = await startTopic(1)
  assertDone(await mirrorOnce(t, options))
  await produce(topic, 2_000, 2_000)
  await deleteRecords(source.bootstrap, topic, 0, 2_550)
  const flags = [...skip, '--offset.commit.interval.ms', '3600000']
  const mirror = await startMirror(t, { ...options, flags })
  const hasAll = async () => (await countRecords(target.bootstrap, topic)) === 3_450
  await mirror.until('the rest', hasAll, waitMs)
  mirror.kill('SIGKILL')
  await mirror.exited
  await produce(topic, 500, 4_000)
  const next = await mirrorOnce(t, { ...options, flags: skip })
  assertDone(next)
  assert.equal(countArrived(next.mirror), 1_450)
  await assertNumbers(topic, [[...numbers(0, 2_000), ...numbers(2_550, 4_500)]])
})

// T13
test(
  'records are deleted while the mirror runs behind a target that does not answer',
  limit,
  async t => {
    const { source, target } = pair
    const node = target.nodes[0] as KafkaNode
    const [port] = await freePorts(1)
    const http = `127.0.0.1:${port}`
    const runs = await Promise.all(
      [{ flags: [] }, { flags: skip, http }].map(async more => {
        const topic = `behind-${randomUUID()}`
        await createTopic(source.bootstrap, topic)
        await produce(topic, 100, 0)
        const small = { 'buffer.memory': 1_048_576 }
        const options = { source, target, whitelist: topic, group: topic, producer: small, ...more }
        const mirror = await startMirror(t, options)
        await mirror.until('the first records', async () => {
          return (await countRecords(target.bootstrap, topic)) === 100
        })
        return { topic, mirror }
      })
    )
    await node.kill('SIGSTOP')
    t.after(() => node.kill('SIGCONT'))
    for (const { topic } of runs) {
      await produceNumbered(source.bootstrap, topic, {
        records: 19_900,
        from: 100,
        recordBytes: 1_000,
        codec: 'none',
        batchRecords: 100
      })
      await deleteRecords(source.bootstrap, topic, 0, 15_000)
    }
    await node.kill('SIGCONT')
    const [stopping, skipping] = await Promise.all(
      runs.map(async ({ topic, mirror }) => {
        const { from, to, offsets, isSkipped } = (await mirror.line({
          msg: gapLine,
          topic
        })) as unknown as Gap
        assert.equal(to, 15_000)
        assert.ok(from >= 100 && from < to && offsets === to - from, `${from} to ${to}: ${offsets}`)
        return { topic, mirror, from, offsets, isSkipped }
      })
    )
    assert.ok(stopping && skipping)
    assert.deepEqual([stopping.isSkipped, skipping.isSkipped], [false, true])
    await stopping.mirror.line({ msg: 'lane stopped', reason: 'source-gap', topic: stopping.topic })
    await skipping.mirror.until('the rest', async () => {
      const { topic, offsets } = skipping
      return (await countRecords(target.bootstrap, topic)) === 20_000 - offsets
    })
    const metrics = await (await fetch(`http://${http}/metrics`)).text()
    const lost = new RegExp(`^heliostat_lost_records_total\\{.*\\} ${skipping.offsets}$`, 'm')
    assert.match(metrics, lost)
    for (const { mirror, offsets } of [stopping, skipping]) {
      assert.equal(await mirror.stop(), 0, mirror.tail())
      const [ended] = mirror.linesLike({ msg: 'the run ended' })
      assert.equal(ended?.lostOffsets, offsets)
    }
    await assertNumbers(stopping.topic, [numbers(0, stopping.from)])
    await assertNumbers(skipping.topic, [
      [...numbers(0, skipping.from), ...numbers(15_000, 20_000)]
    ])
    assert.equal(await committedOf(stopping.topic), stopping.from)
  }
)

// T13
test('retention by time overtakes the mirror', limit, async t => {
  const { source, target } = pair
  const topic = `retention-${randomUUID()}`
  // Two hours old, and kept: only what is set below lets the old segments go.
  const configs = { 'segment.bytes': 16_384, 'retention.ms': -1 }
  await createTopic(source.bootstrap, topic, 1, { configs })
  const append = async (from: number, to: number, ageMs: number) => {
    const client = new RawClient(source.bootstrap)
    for (let first = from; first < to; first += 50) {
      const timestamp = Date.now() - ageMs
      const records = numbers(first, first + 50).map(number => ({
        ...numberedRecord(0, number),
        timestamp
      }))
      await client.append(topic, 0, encodeBatch(records))
    }
    client.close()
  }
  const options = { source, target, whitelist: topic, group: topic }
  await append(0, 500, 7_200_000)
  assertDone(await mirrorOnce(t, options))
  await append(500, 2_000, 7_200_000)
  await append(2_000, 2_500, 0)
  await alterConfigs(source.bootstrap, topic, { 'retention.ms': 3_600_000 })
  const client = new RawClient(source.bootstrap)
  t.after(() => client.close())
  const start = await waitFor('old segments that are deleted', async () => {
    const start = await client.listOffset(topic, 0, 'earliest')
    return start > 1_500 && start
  })
  const gap = { source: 'source', topic, partition: 0, from: 500, to: start, offsets: start - 500 }
  const stopped = await mirrorOnce(t, options)
  assert.equal(stopped.code, 1, stopped.mirror.tail())
  assertLost(stopped.report, [gap], false)
  const skipped = await mirrorOnce(t, { ...options, flags: skip })
  assertDone(skipped)
  assertLost(skipped.report, [gap], true)
  await assertNumbers(topic, [[...numbers(0, 500), ...numbers(start, 2_500)]])
})

test(
  'a lane that begins at the log start because nothing is committed has lost nothing',
  limit,
  async t => {
    const { source } = pair
    const { topic, options } = await startTopic(1)
    await deleteRecords(source.bootstrap, topic, 0, 1_234)
    const run = await mirrorOnce(t, options)
    assertDone(run)
    assertLost(run.report, [], false)
    await assertNumbers(topic, [numbers(1_234, 2_000)])
  }
)

// T15
test('topics are deleted and made anew under load while the mirror runs', limit, async t => {
  const { source, target } = pair
  const prefix = `anew-${randomUUID()}`
  const [larger, smaller, other] = [`${prefix}-larger`, `${prefix}-smaller`, `${prefix}-other`]
  const topics = [larger, smaller]
  for (const topic of [...topics, other]) {
    await createTopic(source.bootstrap, topic, 2)
    await produceNumbered(source.bootstrap, topic, { records: 1_000, batchRecords: 100 })
  }
  const flags = ['--offset.commit.interval.ms', '500']
  const options = { source, target, whitelist: `${prefix}.*`, group: prefix }
  const mirror = await startMirror(t, { ...options, flags })
  const hasAll = async () => (await groupLag(source.bootstrap, prefix, [...topics, other])) === 0
  await mirror.until('all records', hasAll, waitMs)

  for (const [topic, partitions] of [
    [larger, 4],
    [smaller, 1]
  ] as const) {
    await recreateTopic(pair.source.bootstrap, topic, partitions)
    // More than there were, so that the old offsets look as if they were good.
    await produceNumbered(source.bootstrap, topic, {
      records: 3_000,
      from: 1_000_000,
      batchRecords: 100
    })
  }
  for (const topic of topics) {
    const { detail } = await mirror.line({ msg: 'lane stopped', reason: 'topic-recreated', topic })
    assert.match(`${detail}`, new RegExp(`--delete-offsets --group ${prefix} --topic ${topic}`))
    await mirror.line({ msg: 'topic was deleted and made anew: its lanes stop', topic })
  }
  // What is not theirs goes on.
  await produceNumbered(source.bootstrap, other, { records: 500, from: 1_000 })
  await mirror.until(
    'the other topic',
    async () => (await groupLag(source.bootstrap, prefix, [other])) === 0,
    waitMs
  )
  assert.equal(await mirror.stop(), 0, mirror.tail())
  const old = [numbers(0, 1_000), numbers(0, 1_000)]
  for (const topic of topics) await assertNumbers(topic, old)

  // The next process knows it too, of the partitions that are new as well.
  const next = await mirrorOnce(t, options)
  assert.equal(next.code, 1, next.mirror.tail())
  for (const [topic, partitions] of [
    [larger, 4],
    [smaller, 1]
  ] as const) {
    const rows = partitionsOf(next.report, topic)
    assert.deepEqual(
      rows.map(({ state, reason }) => [state, reason]),
      Array(partitions).fill(['stopped', 'topic-recreated']),
      next.mirror.tail()
    )
    for (const { detail } of rows) assert.match(detail ?? '', /--delete-offsets/)
    await assertNumbers(topic, old)
  }

  // As it says, the new history is taken in behind the old one.
  for (const topic of topics) await deleteOffsets(prefix, topic)
  const accepted = await mirrorOnce(t, { ...options, flags: ['--grow-partitions'] })
  assertDone(accepted)
  const fresh = numbers(1_000_000, 1_003_000)
  await assertNumbers(larger, [...old.map(before => [...before, ...fresh]), fresh, fresh])
  await assertNumbers(smaller, [[...numbers(0, 1_000), ...fresh], numbers(0, 1_000)])
})

// T20
for (const checks of ['false', 'true']) {
  test(
    `a bit flips in the source's log: the lane stops there, check.crcs=${checks}`,
    limit,
    async t => {
      const { topic, options } = await startTopic(2)
      const offset = await damage(topic, 0, 7)
      const run = await mirrorOnce(t, { ...options, consumer: { 'check.crcs': checks } })
      assert.equal(run.code, 1, run.mirror.tail())
      assert.match(run.report.reason, /bad-crc/)
      const [damaged, whole] = partitionsOf(run.report, topic)
      assert.deepEqual([damaged?.state, damaged?.reason], ['stopped', 'bad-crc'])
      assert.match(damaged?.detail ?? '', new RegExp(`source.*${topic}-0.*\\b${offset}\\b`))
      assert.deepEqual([damaged?.committed, whole?.committed], [offset, 2_000])
      await assertNumbers(topic, [numbers(0, offset), numbers(0, 2_000)])
      const [line] = run.mirror.linesLike({ msg: 'lane stopped', reason: 'bad-crc' })
      assert.deepEqual([line?.topic, line?.partition], [topic, 0])
    }
  )
}

const gapLine =
  'the source deleted records before they were mirrored: offsets from `from` up to before `to` are lost'

type Gap = { from: number; to: number; offsets: number; isSkipped: boolean }

/** A topic with 2,000 numbered records in each partition, and how it is mirrored. */
// Kafka deletes the commits with the topic, so nobody can tell it from a first start.
test(
  'a topic that is made anew while no mirror runs comes behind the old one, with a warning',
  limit,
  async t => {
    const { topic, options } = await startTopic(1)
    assertDone(await mirrorOnce(t, options))
    await recreateTopic(pair.source.bootstrap, topic, 1)
    await waitFor('the commit is gone', async () => (await committedOf(topic)) === undefined)
    await produce(topic, 50, 9_000)
    const again = await mirrorOnce(t, options)
    assertDone(again)
    const [warned] = again.mirror.lines.filter(({ msg }) =>
      /made anew, or were the commits/.test(msg)
    )
    assert.deepEqual([warned?.lanes, warned?.topics], [1, [topic]])
    await assertNumbers(topic, [[...numbers(0, 2_000), ...numbers(9_000, 9_050)]])
  }
)

async function startTopic(partitions: number): Promise<{ topic: string; options: MirrorOptions }> {
  const { source, target } = pair
  const topic = `source-${randomUUID()}`
  await createTopic(source.bootstrap, topic, partitions)
  await produce(topic, 2_000, 0)
  return { topic, options: { source, target, whitelist: topic, group: topic } }
}

async function produce(topic: string, records: number, from: number): Promise<void> {
  await produceNumbered(pair.source.bootstrap, topic, { records, from, batchRecords: 100 })
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, place) => from + place)
}

function assertDone({ code, mirror }: BoundedRun): void {
  assert.equal(code, 0, mirror.tail())
}

function assertLost(report: RunReport, lost: readonly object[], isSkipped: boolean): void {
  assert.deepEqual(
    report.lost,
    lost.map(gap => ({ ...gap, isSkipped }))
  )
  const offsets = report.lost.reduce((sum, gap) => sum + gap.offsets, 0)
  assert.equal(report.lostOffsets, offsets)
}

/** The target's records, partition by partition. */
async function assertNumbers(topic: string, wanted: readonly number[][]): Promise<void> {
  const found = await readNumbers(pair.target.bootstrap, topic)
  for (const [partition, all] of wanted.entries()) {
    const is = found.get(partition) ?? []
    const at = all.findIndex((number, place) => is[place] !== number)
    const where = `${topic}-${partition}, record ${at}: ${is[at]} in place of ${all[at]}`
    assert.ok(at < 0, where)
    assert.equal(is.length, all.length, `${topic}-${partition} goes on with ${is[all.length]}`)
  }
  assert.equal(found.size, wanted.length, `partitions of ${topic}`)
}

async function countsOf(bootstrap: string, topic: string): Promise<number[]> {
  return [...(await readNumbers(bootstrap, topic)).values()].map(({ length }) => length)
}

async function committedOf(group: string): Promise<number | undefined> {
  return (await readCommits(pair.source.bootstrap, group))[0]?.offset
}

/** kafka-consumer-groups --delete-offsets, as the mirror says it. */
async function deleteOffsets(group: string, topic: string): Promise<void> {
  const { version, bootstrap } = pair.source
  const main = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
  const args = ['--bootstrap-server', bootstrap, '--delete-offsets', '--group', group]
  const { code, stdout, stderr } = await runTool(version, main, [...args, '--topic', topic])
  assert.equal(code, 0, `${stdout}${stderr}`)
}

/** Flips a bit in the records of a batch, on the source's disk; gives the batch's offset. */
async function damage(topic: string, partition: number, batch: number): Promise<number> {
  const node = pair.source.nodes[0] as KafkaNode
  await node.stop()
  const path = join(node.dataDir, `${topic}-${partition}`, `${'0'.repeat(20)}.log`)
  const log = await readFile(path)
  const batches = splitBatches(log)
  const at = batches.slice(0, batch).reduce((sum, { length }) => sum + length, 0)
  const damaged = batches[batch] as Buffer
  const bit = at + headerBytes + Math.floor((damaged.length - headerBytes) / 2)
  log[bit] = (log[bit] as number) ^ 0x10
  await writeFile(path, log)
  await node.start()
  return readBatchHeader(damaged).baseOffset
}

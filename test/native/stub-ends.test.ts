// The benchmark's stub ends with as many partitions as any cell has, and far ones; little data.

import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ContenderProcess } from '../../bench/contender-process.ts'
import { contenders } from '../../bench/contenders.ts'
import { taskOf, untilDone } from '../../bench/runner.ts'
import { type StubScenario, scenarios } from '../../bench/scenarios.ts'
import { stubEnds } from '../../bench/stub-ends.ts'

const batchBytes = 4_096
const batchesEach = 2
const limitMs = 120_000

test('stub ends bear the most partitions of any cell: all batches arrive, in sequence', async t => {
  const partitions = Math.max(...scenarios.map(scenario => scenario.partitions))
  const scenario: StubScenario = {
    name: 'most-partitions',
    says: 'a few small batches in each partition',
    ends: 'stub',
    codec: 'lz4',
    recordBytes: 1_024,
    batchBytes,
    partitions,
    totalWireBytes: (batchesEach - 0.5) * partitions * batchBytes,
    contenders: ['heliostat'],
    repeats: 1
  }
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const ends = await stubEnds(scenario)
  const round = await ends.begin()
  const { heliostat } = contenders
  const task = await taskOf(round, scenario, join(folder, 'heliostat'))
  const command = await heliostat.command(task)
  // The client takes seconds to hand over so many partitions, and on a busy machine longer than its default session.
  await appendFile(join(task.folder, 'source.properties'), 'session.timeout.ms=60000\n')
  const mirror = await ContenderProcess.start(command, task.folder)
  const { failure } = await untilDone(heliostat, mirror, round, limitMs)
  // A fault is a batch out of sequence, or bytes that do not add up.
  const { fault } = await round.close()
  assert.deepEqual([failure, fault], [undefined, undefined], await mirror.lastOutput())
  assert.ok(ends.cargo.wireBytes > 0.9 * batchesEach * partitions * batchBytes)
})

test('what a relay has sent to a far target arrives after it has ended', async t => {
  const scenario: StubScenario = {
    name: 'far-target',
    says: 'small batches, far',
    ends: 'stub',
    codec: 'lz4',
    recordBytes: 1_024,
    batchBytes,
    partitions: 16,
    totalWireBytes: 8e6,
    contenders: ['raw-relay'],
    repeats: 1,
    roundTripMs: 400,
    far: 'target'
  }
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const ends = await stubEnds(scenario)
  const round = await ends.begin()
  const relay = contenders['raw-relay']
  const task = await taskOf(round, scenario, join(folder, 'raw-relay'))
  const process = await ContenderProcess.start(await relay.command(task), task.folder)
  const { failure } = await untilDone(relay, process, round, limitMs)
  const { fault } = await round.close()
  assert.deepEqual([failure, fault], [undefined, undefined], await process.lastOutput())
})

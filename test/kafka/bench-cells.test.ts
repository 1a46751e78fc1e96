// Cells of the benchmark between real brokers, with all that makes one special and little data.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { contenders } from '../../bench/contenders.ts'
import { isMeasurement } from '../../bench/measurement.ts'
import { type Brokers, realEnds, startBrokers } from '../../bench/real-ends.ts'
import { type CellResult, runCell } from '../../bench/runner.ts'
import type { RealScenario } from '../../bench/scenarios.ts'

const partitions = 4
const records = 4_000
const limitMs = 120_000

const small = {
  says: 'little data',
  ends: 'real',
  codec: 'zstd',
  recordBytes: 1_024,
  batchBytes: 16_384,
  partitions,
  totalRecordBytes: records * 1_024,
  contenders: ['heliostat'],
  repeats: 1
} as const

async function run(t: TestContext, scenario: RealScenario, brokers: Brokers): Promise<CellResult> {
  const ends = await realEnds(scenario, brokers)
  try {
    const taking = new Map([['heliostat', contenders.heliostat]])
    const plan = { scenario, contenders: taking, repeats: 1, warmUp: false, limitMs }
    return await runCell(plan, ends, line => t.diagnostic(line))
  } finally {
    await ends.close()
  }
}

test('a far, compacted topic over TLS: the cell is what compaction has left', {
  timeout: 300_000
}, async t => {
  const roundTripMs = 20
  const brokers = await startBrokers({ tls: true, roundTripMs })
  t.after(() => brokers.close())
  const { source, target } = brokers.doors
  assert.ok(source.caPath !== undefined && target.caPath !== undefined)
  // The bench stands beside the source, and mirrors do not.
  assert.notEqual(source.bootstrap, brokers.source.bootstrap)
  const name = 'far-compacted'
  const scenario: RealScenario = { ...small, name, tls: true, roundTripMs, topicShape: 'compacted' }
  const { cargo, runs } = await run(t, scenario, brokers)
  // Half of the records, ten keys that all batches share and a last record in each partition.
  assert.equal(cargo.records, records / 2 + partitions * 11)
  assert.deepEqual(runs.map(isMeasurement), [true], JSON.stringify(runs))
})

test('a topic in transactions behind a far target: markers are no records', {
  timeout: 300_000
}, async t => {
  const way = { roundTripMs: 20, far: 'target' } as const
  const brokers = await startBrokers(way)
  t.after(() => brokers.close())
  assert.equal(brokers.doors.source.bootstrap, brokers.source.bootstrap)
  assert.notEqual(brokers.doors.target.bootstrap, brokers.target.bootstrap)
  const scenario: RealScenario = {
    ...small,
    ...way,
    name: 'transactional',
    topicShape: 'transactional'
  }
  const { cargo, runs } = await run(t, scenario, brokers)
  assert.equal(cargo.records, records)
  assert.deepEqual(runs.map(isMeasurement), [true], JSON.stringify(runs))
})

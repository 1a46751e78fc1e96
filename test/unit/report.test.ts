import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildReport, summarize, writeReport } from '../../src/observe/report.ts'
import { laneView, linkState, mirrorState } from './mirror-state.ts'

const figures = { version: '0.1.0', endedAt: 1_700_000_002_000, cpuSeconds: 0.5, peakRssBytes: 1e8 }

function report() {
  const lanes = [
    laneView({
      partition: 1,
      state: 'stopped',
      reason: 'holes',
      detail: 'a batch with gaps at 110'
    }),
    laneView(),
    laneView({ topic: 'audit', targetTopic: 'audit', state: 'revoked', lag: undefined })
  ]
  const state = mirrorState([linkState(lanes)])
  return buildReport({ exitCode: 1, reason: '1 lane is stopped', state }, figures)
}

test('the report has the keys that scripts rely on', () => {
  const built = report()
  for (const key of [
    'version',
    'startedAt',
    'durationMs',
    'records',
    'bytes',
    'mbPerSecond',
    'cpuSeconds',
    'peakRssBytes',
    'boundBy',
    'links'
  ]) {
    assert.ok(key in built, key)
  }
  assert.deepEqual(built.boundBy, { source: 25, target: 74, budget: 1, workers: 0 })
  const partition = built.links[0]?.topics[1]?.partitions[0]
  assert.deepEqual(partition, {
    partition: 0,
    records: 10,
    bytes: 2_000,
    batches: { shallow: 2, reseal: 0, merge: 0, transform: 0, skipped: 1 },
    reasons: { shallow: 2, control: 1 },
    source: { first: 100, last: 109 },
    target: { first: 0, last: 9 },
    delivery: 'at-least-once',
    deliveryReason: 'foreign-commit',
    state: 'running',
    reason: 'none',
    lag: 5,
    committed: 100,
    maybeDoubled: 0,
    lost: []
  })
})

test('what was lost is listed by partition, and summed up', () => {
  const gaps = [
    { from: 100, to: 140, isSkipped: true },
    { from: 200, to: 202, isSkipped: false }
  ]
  const lanes = [laneView({ lost: 42, gaps }), laneView({ partition: 1 })]
  const state = mirrorState([linkState(lanes)])
  const built = buildReport({ exitCode: 1, reason: '', state }, figures)
  const lost = [
    { from: 100, to: 140, offsets: 40, isSkipped: true },
    { from: 200, to: 202, offsets: 2, isSkipped: false }
  ]
  const at = { source: 'east', topic: 'orders', partition: 0 }
  assert.equal(built.lostOffsets, 42)
  assert.deepEqual(
    built.lost,
    lost.map(gap => ({ ...at, ...gap }))
  )
  const [first, second] = built.links[0]?.topics[0]?.partitions ?? []
  assert.deepEqual([first?.lost, second?.lost], [lost, []])
  assert.deepEqual(
    summarize(built).filter(line => line.startsWith('lost')),
    [
      'lost: orders-0: 40 source offsets from 100 up to before 140 were deleted before they were mirrored, and skipped',
      'lost: orders-0: 2 source offsets from 200 up to before 202 were deleted before they were mirrored'
    ]
  )
})

test('lanes that were given up keep counting', () => {
  const { records, bytes, mbPerSecond, links } = report()
  assert.equal(records, 30)
  assert.equal(bytes, 6_000)
  assert.equal(mbPerSecond, 0.003)
  assert.deepEqual(
    links[0]?.topics.map(topic => topic.topic),
    ['audit', 'orders']
  )
})

test('the summary says what held the run back and which lanes are stopped', () => {
  assert.deepEqual(summarize(report()), [
    'mirrored 30 records, 0.0 MB in 2.0s: 0.0 MB/s, 0.5 CPU-seconds, 100.0 MB peak memory',
    'held back by target 74 %, source 25 %, budget 1 % of the time',
    'stopped: orders-1: holes: a batch with gaps at 110'
  ])
})

test('the report is written whole, and nothing else is left behind', t => {
  const folder = mkdtempSync(join(tmpdir(), 'heliostat-report-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeReport(join(folder, 'r.json'), report())
  assert.deepEqual(readdirSync(folder), ['r.json'])
  assert.equal(JSON.parse(readFileSync(join(folder, 'r.json'), 'utf8')).records, 30)
})

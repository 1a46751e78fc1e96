// The benchmark of latency: its command line, its percentiles, and what it says of a run.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../bench/failure.ts'
import { faultOf, figuresOf } from '../../bench/latency/figures.ts'
import { latencyMirrorNames } from '../../bench/latency/mirrors.ts'
import { parseLatencyOptions } from '../../bench/latency/options.ts'
import type { Reading } from '../../bench/latency/reader.ts'
import { readStamp, writeStamp } from '../../bench/latency/record.ts'
import { latencyMarkdown, latencyTerminal } from '../../bench/latency/report.ts'
import type { LatencyResult } from '../../bench/latency/result.ts'
import type { LatencyMeasurement, LatencyRun } from '../../bench/latency/run.ts'
import { makeSchedule } from '../../bench/latency/schedule.ts'
import { percentile } from '../../bench/statistics.ts'
import { resultOf } from './bench-results.ts'

test('a percentile is the nearest rank: a value that was measured, the largest one at the end', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  assert.deepEqual(
    [0, 0.005, 0.5, 0.9, 0.99, 0.999, 1].map(share => percentile(hundred, share)),
    [1, 1, 50, 90, 99, 100, 100]
  )
  assert.equal(percentile([3, 8], 0.5), 3)
  assert.equal(percentile([3, 8], 0.51), 8)
  assert.equal(percentile([7], 0.99), 7)
  assert.ok(Number.isNaN(percentile([], 0.5)))
})

test('without options all mirrors are measured at 10 MB/s, and chosen ones keep the order of the table', () => {
  assert.deepEqual(parseLatencyOptions([]), {
    contenders: [...latencyMirrorNames],
    mbPerSecond: 10,
    warmUpSeconds: 10,
    seconds: 20,
    repeats: 3,
    idlePartitions: 0,
    results: undefined
  })
  const line = '--contenders mirror-maker-2,heliostat --mb-per-second 0.5 --seconds 2 --repeats 1'
  const options = parseLatencyOptions([...line.split(' '), '--warm-up-seconds', '0.5'])
  assert.ok(options !== 'help')
  assert.deepEqual(options.contenders, ['heliostat', 'mirror-maker-2'])
  assert.deepEqual([options.mbPerSecond, options.seconds, options.warmUpSeconds], [0.5, 2, 0.5])
  assert.equal(parseLatencyOptions(['--help']), 'help')
})

const refused: [line: string, message: RegExp][] = [
  ['--contenders node-rdkafka-loop', /^--contenders: expected some of heliostat, .*, got node-rd/],
  ['--contenders heliostat,', /^--contenders: expected some of .*, got $/],
  ['--mb-per-second fast', /^--mb-per-second: expected a number above 0, got fast$/],
  ['--mb-per-second Infinity', /^--mb-per-second: expected a number above 0, got Infinity$/],
  ['--seconds 0', /^--seconds: expected a number above 0, got 0$/],
  ['--warm-up-seconds=-1', /^--warm-up-seconds: expected a number above 0, got -1$/],
  ['--repeats 1.5', /^--repeats: expected a whole number from 1 to 999, got 1\.5$/],
  ['--idle-partitions 10001', /^--idle-partitions: expected a whole number from 0 to 10000, got /],
  ['--nonsense', /--nonsense/],
  ['heliostat', /heliostat/]
]

for (const [line, message] of refused) {
  test(`refused: ${line}`, () => {
    assert.throws(
      () => parseLatencyOptions(line.split(' ')),
      error => error instanceof UsageError && message.test(error.message)
    )
  })
}

test('the counted records follow the first signs and the warm-up, at the rate asked for', () => {
  const schedule = makeSchedule({ mbPerSecond: 1.024, warmUpSeconds: 2, seconds: 3 })
  assert.equal(schedule.recordsPerSecond, 1_000)
  assert.deepEqual(
    [schedule.steadyFrom, schedule.countedFrom, schedule.records],
    [16, 2_016, 5_016]
  )
})

test('a record carries its number and its time, and what is none of the load is refused', () => {
  const value = Buffer.alloc(1_024)
  const stamp = { number: 4_000_000_000, sentNs: 123_456_789_012_345 }
  writeStamp(value, stamp)
  assert.deepEqual(readStamp(value), stamp)
  assert.throws(() => readStamp(null), /expected a record of the load, got one of 0 bytes/)
  assert.throws(() => readStamp(Buffer.alloc(11)), /got one of 11 bytes/)
})

const schedule = makeSchedule({ mbPerSecond: 1.024, warmUpSeconds: 0.1, seconds: 0.1 })

/** Each counted record took as long as its number in the count; the ones before took a second. */
function readingOf(slower = 0, changes: Partial<Reading> = {}): Reading {
  const latencyMs = Float64Array.from({ length: schedule.records }, (_, number) =>
    number < schedule.countedFrom ? 1_000 : number - schedule.countedFrom + 1 + slower
  )
  return { latencyMs, repeated: 0, lagRecords: new Float64Array(10), ...changes }
}

test('figures are those of the counted records, and what lies between the sides is told for each record', () => {
  const lagRecords = Float64Array.from([0, 0, 8, 2])
  const figures = figuresOf(readingOf(), readingOf(5, { lagRecords }), schedule)
  assert.deepEqual(figures.direct, { p50: 50, p90: 90, p99: 99, p999: 100, max: 100 })
  assert.deepEqual(figures.mirrored, { p50: 55, p90: 95, p99: 104, p999: 105, max: 105 })
  assert.deepEqual(figures.later, { p50: 5, p90: 5, p99: 5, p999: 5, max: 5 })
  assert.equal(figures.p99AboveMs, 5)
  assert.deepEqual([figures.sourceLagMs, figures.targetLagMs], [0, 8])
})

test('a record that did not arrive, or arrived twice, is a fault, in the warm-up too', () => {
  assert.equal(faultOf('target', readingOf()), undefined)
  const { latencyMs } = readingOf()
  latencyMs[3] = Number.NaN
  assert.equal(
    faultOf('target', readingOf(0, { latencyMs })),
    '1 records of 216 did not arrive at the target'
  )
  assert.equal(
    faultOf('source', readingOf(0, { repeated: 2 })),
    '2 records arrived twice or more at the source'
  )
})

function runOf(repeat: number, slowerMs: number, lagRecords = 0): LatencyMeasurement {
  const lag = { lagRecords: Float64Array.from([lagRecords]) }
  return {
    contender: 'heliostat',
    repeat,
    ...figuresOf(readingOf(), readingOf(slowerMs, lag), schedule),
    records: 100,
    sentMbPerSecond: 1.024,
    loadLateMs: 1,
    countedCpuSeconds: 0.5,
    sourceCpuSeconds: 0.25,
    process: { exitCode: 0, seconds: 9, userSeconds: 1, systemSeconds: 1, peakRssBytes: 1e8 }
  }
}

function reportOf(runs: LatencyRun[]): string {
  const { startedAt, settings, units, machine, versions, leftOut } = resultOf([])
  const contenders = { heliostat: 'as it is' }
  const result: LatencyResult = {
    ...{ startedAt, settings, units, machine, versions, contenders, leftOut },
    schedule,
    runs
  }
  assert.match(latencyMarkdown(result), /^# Latency\n\n.*\| commit \| 0123456789 \|/s)
  return latencyTerminal(result)
}

test('the claim is reached when the median of the runs is below 20 ms', () => {
  assert.match(
    reportOf([runOf(1, 4), runOf(2, 19), runOf(3, 50)]),
    /^heliostat +19\.0 \(4\.0–50\.0\) +yes/m
  )
  assert.match(
    reportOf([runOf(1, 4), runOf(2, 20), runOf(3, 50)]),
    /^heliostat +20\.0 \(4\.0–50\.0\) +NO/m
  )
})

test('a failed run is told and does not count; without a whole run nothing is reached', () => {
  const failure: LatencyRun = { contender: 'heliostat', repeat: 1, failure: 'failed: a reason' }
  const report = reportOf([failure, runOf(2, 7)])
  assert.match(report, /^heliostat 1: failed: a reason$/m)
  assert.match(report, /^heliostat +7\.0 +yes/m)
  assert.match(reportOf([failure]), /^heliostat +– +NO/m)
})

test('a consumer that was slow itself is told', () => {
  assert.match(
    reportOf([runOf(1, 4, 6)]),
    /^heliostat 1: the consumers were behind by themselves \(source 0\.0 ms, target 6\.0 ms\)/m
  )
  assert.doesNotMatch(reportOf([runOf(1, 4, 5)]), /behind by themselves/)
})

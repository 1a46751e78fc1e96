import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { isAllowed } from '../../src/bench/consent.ts'
import { keepLog } from '../../src/bench/kept-log.ts'
import { Meter, type Window } from '../../src/bench/meter.ts'
import { type Recommendation, recommend } from '../../src/bench/recommendation.ts'
import { describeRefusal, describeStall } from '../../src/bench/refusals.ts'
import { summarizeRoundTrips } from '../../src/bench/round-trips.ts'
import { leastRecordBytes, sampleRecords } from '../../src/bench/sample-records.ts'
import { showIntent, showResult, showWindow } from '../../src/bench/show.ts'
import type { RoundTrip, Step, StepKind } from '../../src/bench/types.ts'
import { bench } from '../../src/commands/bench.ts'
import { benchOptions } from '../../src/config/options.ts'
import type { LinkSettings } from '../../src/mirror/types.ts'

const link: LinkSettings = {
  streams: 1,
  producers: 2,
  isolation: 'read_committed',
  fetchMinBytes: 1,
  fetchMaxBytes: 52_428_800,
  maxPartitionFetchBytes: 1_048_576,
  fetchMaxWaitMs: 500,
  budgetBytes: 100_663_296,
  maxRequestBytes: 1_048_576,
  maxInFlight: 5,
  requestTimeoutMs: 30_000,
  idempotent: true,
  maxHeldRecords: 0,
  skipGaps: false,
  merge: false,
  clientRack: ''
}

/** A step of two seconds. */
function step(kind: StepKind, connections: number, wireMegabytesPerSecond: number): Step {
  return {
    kind,
    connections,
    records: 2_000 * wireMegabytesPerSecond,
    recordBytes: 4e6 * wireMegabytesPerSecond,
    wireBytes: 2e6 * wireMegabytesPerSecond,
    seconds: 2,
    recordsPerSecond: 1_000 * wireMegabytesPerSecond,
    recordMegabytesPerSecond: 2 * wireMegabytesPerSecond,
    wireMegabytesPerSecond,
    latency: undefined,
    cpuSeconds: 0.5,
    mainThread: 0.2
  }
}

function steps(rates: Partial<Record<StepKind, readonly number[]>>): Step[] {
  return Object.entries(rates).flatMap(([kind, list]) =>
    list.map((rate, index) => step(kind as StepKind, 2 ** index, rate))
  )
}

function roundTrip(medianMs: number): RoundTrip {
  return { medianMs, p99Ms: medianMs, samples: 100 }
}

function recommended(
  rates: Partial<Record<StepKind, readonly number[]>>,
  trips: { source: number; target: number },
  settings: Partial<LinkSettings> = {}
): (setting: string) => Recommendation {
  const roundTrips = { source: roundTrip(trips.source), target: roundTrip(trips.target) }
  const rows = recommend(
    { roundTrips, steps: steps(rates) },
    { ...link, ...settings },
    { partitions: 16 }
  )
  return setting => rows.find(row => row.setting === setting) as Recommendation
}

const near = { source: 1, target: 1 }

test('the least number of connections is recommended with which the mirror is near its best', () => {
  const of = recommended(
    { fetch: [90, 95, 96], produce: [80, 85, 86], mirror: [60, 95, 100] },
    near
  )
  assert.equal(of('num.streams').recommended, 2)
  assert.equal(of('num.producers').recommended, 2)
  assert.match(of('num.streams').why, /mirror 60\.0 with 1, 95\.0 with 2, 100\.0 with 4/)
})

test('a side that alone moves as much with fewer connections needs no more', () => {
  const of = recommended(
    { fetch: [120, 130, 130], produce: [50, 99, 180], mirror: [50, 80, 100] },
    near
  )
  assert.equal(of('num.streams').recommended, 1)
  assert.equal(of('num.producers').recommended, 4)
})

test('sizes that are enough stay, and say what would be needed', () => {
  const of = recommended({ mirror: [100] }, { source: 10, target: 20 })
  for (const name of ['fetch.max.bytes', 'max.partition.fetch.bytes', 'buffer.memory']) {
    assert.equal(of(name).recommended, of(name).now, name)
  }
  // 100 MB/s for 10 ms are 1 MB; twice that.
  assert.equal(of('fetch.max.bytes').needed, 2_000_000)
  assert.match(of('fetch.max.bytes').why, /100\.0 MB\/s on the wire x 10\.00 ms .* = 1\.0 MB/)
  assert.equal(of('max.partition.fetch.bytes').needed, 125_000)
})

test('far away at a high rate, fetches, requests and the budget grow with the bytes on their way', () => {
  const of = recommended({ mirror: [1_000] }, { source: 100, target: 300 })
  const mebibytes = (count: number) => count * 1_048_576
  assert.equal(of('fetch.max.bytes').needed, 200e6)
  assert.equal(of('fetch.max.bytes').recommended, mebibytes(191))
  assert.equal(of('max.partition.fetch.bytes').recommended, mebibytes(12))
  assert.equal(of('buffer.memory').needed, 800e6)
  // 600 MB in 64 requests.
  assert.equal(of('max.request.size').needed, 9_375_000)
  assert.equal(of('max.request.size').recommended, mebibytes(9))
})

test('an answer of fetch.max.bytes fits into the budget', () => {
  const of = recommended({ mirror: [400] }, { source: 150, target: 1 }, { budgetBytes: 1_048_576 })
  const fetch = of('fetch.max.bytes').recommended as number
  assert.ok((of('buffer.memory').recommended as number) >= fetch)
})

test('a queue.size below the records on their way is to go, one above it may stay', () => {
  // 100,000 records/s for 20 ms are 2,000; twice that.
  const trips = { source: 10, target: 10 }
  const unlimited = recommended({ mirror: [100] }, trips)('queue.size')
  assert.deepEqual([unlimited.now, unlimited.needed, unlimited.recommended], [null, 4_000, null])
  const small = recommended({ mirror: [100] }, trips, { maxHeldRecords: 3_999 })('queue.size')
  assert.deepEqual([small.now, small.recommended], [3_999, null])
  const large = recommended({ mirror: [100] }, trips, { maxHeldRecords: 4_000 })('queue.size')
  assert.deepEqual([large.now, large.recommended], [4_000, 4_000])
})

test('a line has the form of kafka-producer-perf-test, with what crossed the network behind it', () => {
  const window = { records: 250_113, recordBytes: 256_115_712, wireBytes: 130_000_000, seconds: 5 }
  const latency = { averageMs: 3.14, maxMs: 41 }
  assert.equal(
    showWindow('produce', { ...window, latency }),
    '250113 records sent, 50022.6 records/sec (51.22 MB/sec), 3.1 ms avg latency, 41.0 ms max latency, 26.00 MB/sec on the wire.'
  )
  assert.equal(
    showWindow('mirror', { ...window, latency: undefined }),
    '250113 records mirrored, 50022.6 records/sec (51.22 MB/sec), 26.00 MB/sec on the wire.'
  )
})

test('a step counts from its begin to its stop, and bytes that are told later still count', () => {
  const windows: unknown[] = []
  const meter = new Meter({
    kind: 'produce',
    connections: 2,
    recordBytes: 1_000,
    onWindow: (_, window) => windows.push(window)
  })
  meter.reach(5, 50)
  meter.begin()
  meter.reach(15, 100)
  meter.took(2, 4, 3)
  meter.took(6)
  meter.stop()
  meter.reach(25, 450)
  const { records, recordBytes, wireBytes, latency, seconds, wireMegabytesPerSecond } =
    meter.result()
  assert.deepEqual([records, recordBytes, wireBytes], [20, 20_000, 400])
  assert.deepEqual(latency, { averageMs: 3, maxMs: 6 })
  assert.ok(seconds < 1 && wireMegabytesPerSecond > 0)
  assert.deepEqual(windows, [])
})

test('once a second a window tells what moved since the last one', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const windows: Window[] = []
  const onWindow = (_: StepKind, window: Window) => windows.push(window)
  const meter = new Meter({ kind: 'fetch', connections: 1, recordBytes: 10, onWindow })
  meter.begin()
  meter.reach(100, 500)
  meter.took(8)
  t.mock.timers.tick(1_000)
  meter.reach(250, 900)
  t.mock.timers.tick(1_000)
  meter.stop()
  t.mock.timers.tick(5_000)
  assert.deepEqual(
    windows.map(({ records, wireBytes, latency }) => [records, wireBytes, latency?.maxMs]),
    [
      [100, 500, 8],
      [150, 400, undefined]
    ]
  )
})

test('of a log that nobody watches the last warning is kept, in one line', () => {
  const log = keepLog()
  assert.equal(log.last(), undefined)
  log.logger.info('nothing to worry about')
  assert.equal(log.last(), undefined)
  log.logger
    .child({ source: 'east' })
    .warn({ error: 'NOT_ENOUGH_REPLICAS', count: 3 }, 'lane backs off')
  assert.equal(log.last(), 'lane backs off; NOT_ENOUGH_REPLICAS')
})

test('what is made is said with names, partitions, bytes and clusters', () => {
  const facts = (side: 'source' | 'target', replicationFactor: number) => ({
    side,
    alias: side,
    bootstrapServers: `${side}:9092`,
    clusterId: side,
    brokers: replicationFactor,
    replicationFactor
  })
  const load = { size: 200e6, recordBytes: 1_000, batchBytes: 65_536, partitions: 16 }
  const lines = showIntent([facts('source', 1), facts('target', 3)], 'heliostat-bench-1', load)
  assert.match(
    lines[1] ?? '',
    /source "source" \(source:9092\): topic heliostat-bench-1, 16 partitions, 1 replica, 200\.0 MB/
  )
  assert.match(lines[2] ?? '', /target "target" .* 16 partitions, 3 replicas, 1\.2 GB/)
  assert.match(lines[3] ?? '', /heliostat-bench-1-1, heliostat-bench-1-2, heliostat-bench-1-4/)
})

test('figures that say little are marked', () => {
  const measured = steps({ fetch: [100], produce: [50], mirror: [100, 100] })
  const [short, busy] = [measured[3] as Step, measured[1] as Step]
  short.seconds = 0.5
  busy.mainThread = 0.95
  const roundTrips = { source: roundTrip(1), target: roundTrip(1) }
  const text = showResult({ clusters: [], roundTrips, steps: measured }, [], 200).join('\n')
  assert.match(text, /note: over in less than 1 s, .*: mirror with 2\. Give a larger --size/)
  assert.match(text, /note: held back by the main thread .*: produce with 1\n/)
  assert.match(text, /note: produce is slower than the mirror/)
})

test('median and 99th are times that were measured', () => {
  const times = Array.from({ length: 200 }, (_, index) => 200 - index)
  assert.deepEqual(summarizeRoundTrips(times), { medianMs: 100, p99Ms: 198, samples: 200 })
  assert.deepEqual(summarizeRoundTrips([7]), { medianMs: 7, p99Ms: 7, samples: 1 })
})

test('sample records have the size that was asked for, from the least that the command takes', () => {
  assert.equal(benchOptions['record-size'].min, leastRecordBytes)
  for (const bytes of [leastRecordBytes, 1_024]) {
    const records = sampleRecords(500, bytes)
    assert.ok(records.every(record => Buffer.byteLength(record) === bytes))
    assert.equal(new Set(records).size, records.length)
  }
})

const side = {
  side: 'source',
  alias: 'east',
  bootstrapServers: 'east:9092',
  principal: 'User:mirror'
} as const

test('a right that is missing is named, with the command that grants it', () => {
  const failure = { code: 29, name: 'TOPIC_AUTHORIZATION_FAILED', message: 'no' }
  const text = describeRefusal(side, 'create topic x', 'Create', failure)
  assert.match(
    text,
    /^source "east": create topic x: TOPIC_AUTHORIZATION_FAILED \(29\): the right Create is missing/
  )
  assert.match(
    text,
    /kafka-acls .* --operation Create .* --topic heliostat-bench- --resource-pattern-type prefixed/
  )
  assert.match(text, /--operation Read --group heliostat-bench- /)
  const other = describeRefusal(side, 'create topic x', 'Create', {
    code: 44,
    name: 'POLICY_VIOLATION',
    message: 'at most 6 partitions'
  })
  assert.equal(other, 'source "east": create topic x: POLICY_VIOLATION (44): at most 6 partitions')
})

test('a target that takes nothing is told with where to look', () => {
  const target = { side: 'target', alias: 'west' } as const
  assert.equal(
    describeStall(target, 'write to topic x', 60_000, 'KAFKA_STORAGE_ERROR'),
    'target "west": write to topic x: nothing moved for 60 s (last: KAFKA_STORAGE_ERROR). ' +
      'Look at room on the disks of its brokers, in-sync replicas, quotas and rights'
  )
})

test('only y and yes are a yes; the end of the input and a signal are a no', async () => {
  const ask = async (typed: string | undefined, stop = new AbortController().signal) => {
    const [input, output] = [new PassThrough(), new PassThrough()]
    const answer = isAllowed(input, output, stop)
    if (typed === undefined) input.end()
    else input.write(typed)
    return answer
  }
  for (const typed of ['y\n', 'Yes\n', ' y \n']) assert.equal(await ask(typed), true, typed)
  for (const typed of ['\n', 'n\n', 'yep\n', undefined]) assert.equal(await ask(typed), false)
  const controller = new AbortController()
  const [input, output] = [new PassThrough(), new PassThrough()]
  const answer = isAllowed(input, output, controller.signal)
  await once(output, 'data')
  controller.abort()
  assert.equal(await answer, false)
})

test('sizes out of range are refused before anything is looked at', async () => {
  const refusals: readonly [flags: Record<string, string>, message: RegExp][] = [
    [{ size: '1GB' }, /--size: expected a whole number .*"1GB". Write it in digits alone/],
    [{ size: '-5' }, /--size: expected a whole number from 1000000 /],
    [{ 'record-size': '10' }, /--record-size: expected a whole number from 600 /],
    [{ 'batch-size': '5000000' }, /--batch-size: expected a whole number from 1024 to 1000000/],
    [{ partitions: '0' }, /--partitions: expected a whole number from 1 /]
  ]
  for (const [flags, message] of refusals) {
    await assert.rejects(bench(flags), { name: 'UsageError', message })
  }
})

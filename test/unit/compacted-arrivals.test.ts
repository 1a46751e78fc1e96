import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countPassed, type Side } from '../../src/mirror/compacted-arrivals.ts'
import { type Random, seededRandom } from '../support/random.ts'

const from = 100

type Told = { hasTimes?: boolean; arrived?: number; arrivedEnd?: number }

/** Letters stand for records, and a dot for one that is gone. The target's last record is the last that arrived. */
function passed(source: string, target: string, told: Told = {}): number | undefined {
  const { hasTimes = true, arrived = target.length, arrivedEnd = target.length } = told
  return countPassed(side(source, from), side(target, 0), { from, arrived, arrivedEnd, hasTimes })
}

function side(records: string, first: number): Side {
  const kept = [...records].flatMap((record, at) => (record === '.' ? [] : { record, at }))
  return {
    offsets: kept.map(({ at }) => first + at),
    digests: kept.map(({ record }) => BigInt(record.codePointAt(0) ?? 0))
  }
}

test('nothing compacted: all that arrived is passed over', () => {
  assert.equal(passed('abcdef', 'abc'), 3)
  assert.equal(passed('abc', 'abc'), 3)
})

test('what compaction took from the source is not counted', () => {
  assert.equal(passed('a.cdef', 'abc'), 2)
  assert.equal(passed('..cdef', 'abc'), 1)
  assert.equal(passed('...def', 'abc'), 0)
  assert.equal(passed('ab.def', 'abc'), 2)
})

test('what compaction took from the target has arrived all the same', () => {
  assert.equal(passed('abcdef', '.bc'), 3)
  assert.equal(passed('abcdef', 'a.c'), 3)
  assert.equal(passed('ab.def', 'a.c'), 2)
})

test('where the log had holes before, the records tell', () => {
  assert.equal(passed('a.b..cdef', 'abc'), 3)
  assert.equal(passed('..b..cdef', 'abc'), 2)
})

test('a record that comes twice is found in its place', () => {
  assert.equal(passed('abab', 'ab'), 2)
  assert.equal(passed('ababcd', 'abab'), 4)
  assert.equal(passed('..abcd', 'abab'), 2)
})

test('a new record that is like an old one is not passed over where a record before it is new', () => {
  assert.equal(passed('..XRQ', 'RQ'), 0)
})

test('without times, what could be either is not decided', () => {
  assert.equal(passed('..a', 'ab'), 1)
  assert.equal(passed('..a', 'ab', { hasTimes: false }), undefined)
  assert.equal(passed('ab.c', 'abx', { hasTimes: false }), 2)
})

test('sides that contradict each other tell nothing', () => {
  assert.equal(passed('axc', 'abc'), undefined, 'another record')
  assert.equal(passed('abc', 'abcd', { arrived: 3 }), undefined, 'more than arrived')
  assert.equal(passed('abc', 'ab.'), undefined, 'the last one is gone')
  assert.equal(passed('abc', '...'), undefined, 'all are gone')
})

test('random logs: what arrived is passed over, all of it and nothing else', t => {
  const random = seededRandom(t)
  let decided = 0
  for (let turn = 0; turn < 20_000; turn++) {
    const { here, there, arrival, truth } = compactedLogs(random)
    const found = countPassed(here, there, arrival)
    assert.ok(found === undefined || found === truth, JSON.stringify({ turn, found, truth }))
    if (found !== undefined) decided++
  }
  assert.ok(decided > 15_000, `${decided} decided`)
})

/** A log that may have had holes when it was mirrored; later each side loses records that have a newer one of their key. */
function compactedLogs(random: Random) {
  const holes = random.pick([0, 0, 20])
  const keys = random.pick([2, 5, 30])
  const log: { offset: number; key: number; digest: bigint }[] = []
  let offset = from
  for (let count = random.between(2, 40); count > 0; count--) {
    while (random.between(1, 100) <= holes) offset++
    const key = random.between(1, keys)
    log.push({ offset: offset++, key, digest: BigInt(1_000 + log.length) })
  }
  const arrived = random.between(1, log.length)
  const compact = (records: typeof log) => {
    const end = random.between(0, records.length)
    return records.filter(({ key }, at) => {
      return at >= end || !records.slice(at + 1, end).some(later => later.key === key)
    })
  }
  const source = compact(log)
  const target = random.pick([0, 1]) === 0 ? log.slice(0, arrived) : compact(log.slice(0, arrived))
  const place = new Map(log.map(({ digest }, at) => [digest, at]))
  const isArrived = ({ digest }: { digest: bigint }) => (place.get(digest) as number) < arrived
  return {
    here: {
      offsets: source.slice(0, arrived).map(record => record.offset),
      digests: source.slice(0, arrived).map(({ digest }) => digest)
    },
    there: {
      offsets: target.map(({ digest }) => place.get(digest) as number),
      digests: target.map(({ digest }) => digest)
    },
    arrival: { from, arrived, arrivedEnd: arrived, hasTimes: random.pick([true, false]) },
    truth: source.filter(isArrived).length
  }
}

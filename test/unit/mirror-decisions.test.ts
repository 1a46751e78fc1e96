// The pure decisions of the conductor: where to start, when a bounded run is done, how a run ends.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeEnd } from '../../src/mirror/end.ts'
import { isCovered, judgeLane } from '../../src/mirror/goal.ts'
import { addCounts, noCounts } from '../../src/mirror/lane-counts.ts'
import { Repeats } from '../../src/mirror/repeats.ts'
import { chooseStart } from '../../src/mirror/start-offset.ts'

test('a committed offset decides where a lane starts', () => {
  const facts = { committed: 0, reset: 'latest', wasThereAtFirstStart: true } as const
  assert.equal(chooseStart(facts), 'committed')
})

test('latest holds only for partitions that the first start found', () => {
  const facts = { committed: -1, reset: 'latest' } as const
  assert.equal(chooseStart({ ...facts, wasThereAtFirstStart: true }), 'log-end')
  assert.equal(chooseStart({ ...facts, wasThereAtFirstStart: false }), 'log-start')
})

test('earliest starts at the log start, none nowhere', () => {
  const facts = { committed: -1, wasThereAtFirstStart: true } as const
  assert.equal(chooseStart({ ...facts, reset: 'earliest' }), 'log-start')
  assert.equal(chooseStart({ ...facts, reset: 'none' }), 'refused')
})

test('a bounded run waits for a lane that backs off, unless it lacks the right', () => {
  const facts = { isStopped: false, isBackingOff: true, hasReachedEnd: false }
  assert.equal(judgeLane({ ...facts, reason: 'no-leader' }), 'under-way')
  assert.equal(judgeLane({ ...facts, reason: 'not-allowed' }), 'failed')
})

test('a stopped lane failed, even one that had reached its end', () => {
  const facts = {
    isStopped: true,
    isBackingOff: false,
    hasReachedEnd: true,
    reason: 'holes'
  } as const
  assert.equal(judgeLane(facts), 'failed')
})

test('all partitions cover at once, a share of them after a quiet while', () => {
  const facts = { expected: 4, hasJoined: true, settleMs: 10_000 }
  assert.equal(isCovered({ ...facts, held: 4, quietMs: 0 }), true)
  assert.equal(isCovered({ ...facts, held: 2, quietMs: 9_999 }), false)
  assert.equal(isCovered({ ...facts, held: 2, quietMs: 10_000 }), true)
  assert.equal(isCovered({ ...facts, held: 0, quietMs: 10_000 }), true)
  assert.equal(isCovered({ ...facts, expected: 0, held: 0, quietMs: 0, hasJoined: false }), false)
})

const clean = { busyLanes: 0, isCommitted: true, lostOffsets: 0 }

test('a stop signal ends with 0, and with 4 when batches are left without an answer', () => {
  assert.equal(describeEnd({ kind: 'stopped' }, clean).exitCode, 0)
  assert.equal(describeEnd({ kind: 'stopped' }, { ...clean, busyLanes: 2 }).exitCode, 4)
  assert.equal(describeEnd({ kind: 'stopped' }, { ...clean, isCommitted: false }).exitCode, 1)
})

test('a bounded run with lanes that failed ends with 1 and names the first', () => {
  const failed = [
    { name: 'orders-3', reason: 'holes' },
    { name: 'orders-4', reason: 'holes' }
  ]
  const { exitCode, reason } = describeEnd({ kind: 'caught-up', failed }, clean)
  assert.equal(exitCode, 1)
  assert.match(reason, /orders-3 .*holes.* 1 more/)
})

test('what was lost is said whatever the run ends with, and skipping it was asked for', () => {
  const lost = { ...clean, lostOffsets: 40 }
  const ends = [
    describeEnd({ kind: 'stopped' }, lost),
    describeEnd({ kind: 'caught-up', failed: [] }, lost)
  ]
  for (const { exitCode, reason } of ends) {
    assert.equal(exitCode, 0)
    assert.match(reason, /; 40 source offsets were deleted before they were mirrored$/)
  }
  assert.doesNotMatch(describeEnd({ kind: 'stopped' }, clean).reason, /deleted/)
})

test('a refused batch decides the end whatever the drain left', () => {
  const lane = { name: 'orders-0', reason: 'refused' }
  assert.equal(describeEnd({ kind: 'refused', lane }, { ...clean, busyLanes: 1 }).exitCode, 1)
})

test('the counts of successive lanes of a partition add up', () => {
  const first = { ...noCounts, records: 10, bytes: 100, firstSource: 5, lastSource: 14 }
  const idle = noCounts
  const second = { ...noCounts, records: 3, bytes: 30, firstSource: 15, lastSource: 17 }
  const sum = [first, idle, second].reduce(addCounts, noCounts)
  assert.deepEqual(
    [sum.records, sum.bytes, sum.firstSource, sum.lastSource, sum.firstTarget],
    [13, 130, 5, 17, -1]
  )
})

test('equal lines come once in ten seconds, with what they stand for', () => {
  const repeats = new Repeats()
  const lines: number[] = []
  const write = (count: number) => lines.push(count)
  for (const now of [0, 1_000, 2_000]) repeats.write('key', write, now)
  repeats.flush(9_999)
  assert.deepEqual(lines, [1])
  repeats.flush(10_000)
  assert.deepEqual(lines, [1, 2])
  repeats.flush(20_000)
  repeats.write('key', write, 20_001)
  assert.deepEqual(lines, [1, 2, 1])
})

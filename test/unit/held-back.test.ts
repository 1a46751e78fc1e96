import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import {
  followStableEnd,
  HeldBack,
  heldBackMs,
  type StableEnd
} from '../../src/mirror/held-back.ts'
import { Lane } from '../../src/mirror/lane.ts'
import type { PartitionProducers, ProducerState } from '../../src/native/index.ts'

const minute = 60_000

function end(lastStableOffset: number, highWatermark: number): StableEnd {
  return { lastStableOffset, highWatermark }
}

function producer(producerId: number, transactionStart: number): ProducerState {
  return { producerId, producerEpoch: 2, lastSequence: 9, transactionStart }
}

/** One lane that is looked at again and again; producers as the source tells them. */
function watch(producers: () => PartitionProducers[] = () => []) {
  const lines: Record<string, unknown>[] = []
  const lane = new Lane('orders', 3)
  let asked = 0
  let seen = end(-1, -1)
  const heldBack = new HeldBack({
    source: {
      async describeProducers() {
        asked++
        return producers()
      }
    },
    ends: () => [[lane, seen]],
    log: pino({ base: null }, { write: text => lines.push(JSON.parse(text)) })
  })
  const look = (now: number, next: StableEnd) => {
    seen = next
    return heldBack.look(now)
  }
  return { lane, lines, look, asked: () => asked }
}

test('an end that stands still with the log is idle, and one that moves is none', () => {
  assert.equal(followStableEnd(undefined, end(10, 10), 0), undefined)
  assert.equal(followStableEnd(undefined, end(-1, -1), 0), undefined)
  const standing = followStableEnd(undefined, end(10, 20), 5)
  assert.deepEqual(standing, { lastStableOffset: 10, highWatermark: 20, since: 5 })
  assert.equal(followStableEnd(standing, end(10, 30), 9), standing)
  assert.deepEqual(followStableEnd(standing, end(11, 30), 9)?.since, 9)
})

test('only records that came in since make it worth a word, and only after a minute', () => {
  const standing = { ...end(10, 20), since: 0 }
  assert.equal(heldBackMs(standing, end(10, 20), 5 * minute), 0)
  assert.equal(heldBackMs(standing, end(10, 21), minute - 1), 0)
  assert.equal(heldBackMs(standing, end(10, 21), minute), minute)
  assert.equal(heldBackMs(undefined, end(10, 21), minute), 0)
})

// T18
test('a lane behind an open transaction is told once, with its producer, and again when it goes on', async () => {
  const open = [producer(7, -1), producer(9, 15), producer(8, 10)]
  const { lane, lines, look, asked } = watch(() => [
    { topic: 'orders', partition: 3, producers: open }
  ])
  for (const [at, highWatermark] of [20, 40, 60, 80].entries()) {
    await look(at * minute, end(10, highWatermark))
  }
  assert.equal(lane.heldBackMs, 3 * minute)
  assert.deepEqual([lines.length, asked()], [1, 1])
  const { topic, partition, producerId, lastStableOffset, forMs, fix } = lines[0] as Record<
    string,
    unknown
  >
  assert.deepEqual([topic, partition, producerId], ['orders', 3, 8])
  assert.deepEqual([lastStableOffset, forMs], [10, minute])
  assert.match(`${fix}`, /find-hanging/)
  await look(4 * minute, end(80, 80))
  assert.equal(lane.heldBackMs, 0)
  assert.match(`${lines[1]?.msg}`, /has ended/)
})

test('transactions that follow one another are no reason for a word', async () => {
  const { lines, look } = watch()
  for (let at = 0; at < 10; at++) await look(at * minute, end(10 * at, 10 * at + 5))
  assert.deepEqual(lines, [])
})

test('a source that does not tell its producers leaves the line without one', async () => {
  const { lines, look } = watch(() => {
    const failure = { code: -165, name: '_UNSUPPORTED_FEATURE', message: 'no' }
    throw Object.assign(new Error('no'), { failure })
  })
  await look(0, end(10, 20))
  await look(minute, end(10, 21))
  assert.equal(lines.length, 1)
  assert.equal(lines[0]?.producerId, undefined)
})

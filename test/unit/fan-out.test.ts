// Partitions beside a lane's own: what checkpoints tell of them, and how they are written once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { type BranchEnd, decodeBranches, encodeBranches } from '../../src/mirror/branch-ends.ts'
import { exactlyOnce } from '../../src/mirror/delivery.ts'
import { FanOut } from '../../src/mirror/fan-out.ts'
import { FanOutWriter } from '../../src/mirror/fan-out-writer.ts'
import { Lane } from '../../src/mirror/lane.ts'
import { OtherPartitions, Refused } from '../../src/mirror/other-partitions.ts'
import { Repeats } from '../../src/mirror/repeats.ts'
import type { KafkaFailure, NewBatch } from '../../src/native/index.ts'

const place = { topic: 'other', partition: 3 }
const identity = { producerId: 71, producerEpoch: 0 }
const begun: BranchEnd = { ...place, ...identity, nextSequence: 0, targetEnd: 500 }

/** Runs of source offsets: first and count. */
function runs(...rows: [number, number][]): Float64Array<ArrayBuffer> {
  return new Float64Array(rows.flatMap(([first, count]) => [first, 0, count]))
}

test('a checkpoint takes off what was made of records behind it', () => {
  const fanOut = new FanOut()
  fanOut.add(begun)
  fanOut.noteWritten({ ...place, offsets: runs([10, 5], [20, 5]) }, 500)
  fanOut.noteWritten({ ...place, offsets: runs([30, 1], [30, 1], [31, 1]) }, 700)
  assert.deepEqual(fanOut.stampOf(place), { ...identity, baseSequence: 13 })
  const told = (offset: number) => {
    const [{ nextSequence, targetEnd } = begun] = fanOut.at(offset)
    return [nextSequence, targetEnd]
  }
  assert.deepEqual(told(10), [0, 500])
  assert.deepEqual(told(12), [2, 502])
  assert.deepEqual(told(20), [5, 505])
  assert.deepEqual(told(25), [10, 510])
  assert.deepEqual(told(30), [10, 510])
  assert.deepEqual(told(31), [12, 702])
  assert.deepEqual(told(99), [13, 703])
  assert.deepEqual(fanOut.stampOf(place), { ...identity, baseSequence: 13 })
})

test('sequences begin anew behind the last, and a place that is not known leaves the end where it was', () => {
  const fanOut = new FanOut()
  fanOut.add({ ...begun, nextSequence: 2 ** 31 - 2 })
  fanOut.noteWritten({ ...place, offsets: runs([0, 5]) }, -1)
  assert.deepEqual(fanOut.stampOf(place), { ...identity, baseSequence: 3 })
  assert.deepEqual(fanOut.at(4), [{ ...begun, nextSequence: 2, targetEnd: 500 }])
})

test('what has arrived is passed, and counts for checkpoints and sequences', () => {
  const fanOut = new FanOut([{ ...begun, nextSequence: 40, arrived: 7 }])
  assert.deepEqual(fanOut.toPass, [{ ...place, records: 7 }])
  fanOut.notePassed([{ ...place, offsets: runs([10, 5]) }])
  assert.deepEqual(fanOut.toPass, [{ ...place, records: 2 }])
  assert.equal(fanOut.isPassing, true)
  fanOut.notePassed([{ ...place, offsets: runs([15, 2]) }])
  assert.equal(fanOut.isPassing, false)
  assert.equal(fanOut.stampOf(place)?.baseSequence, 47)
  fanOut.noteWritten({ ...place, offsets: runs([17, 3]) }, 900)
  assert.deepEqual(fanOut.at(12), [{ ...begun, nextSequence: 42 }])
  assert.deepEqual(fanOut.at(18), [{ ...begun, nextSequence: 48, targetEnd: 901 }])
})

test('branches come back from their text, and damage is told', () => {
  const branches = [0, 1].flatMap(partition => [
    { ...begun, partition },
    { ...begun, topic: 'an.other_one-2', partition, targetEnd: 2 ** 53 - 1 }
  ])
  const text = encodeBranches(branches)
  assert.equal(
    text,
    'other:0.71.0.0.500,1.71.0.0.500/an.other_one-2:0.71.0.0.9007199254740991,1.71.0.0.9007199254740991'
  )
  const byName = (one: BranchEnd, other: BranchEnd) =>
    one.topic.localeCompare(other.topic) || one.partition - other.partition
  assert.deepEqual(decodeBranches(text)?.sort(byName), branches.sort(byName))
  for (const damaged of ['', 'other', 'other:1', 'other:0.71.0.0', 'other:0.71.0.0.500,']) {
    assert.equal(decodeBranches(damaged), undefined, damaged)
  }
})

test('a checkpoint has room for some sixty partitions', () => {
  const places = (count: number) =>
    Array.from({ length: count }, (_, partition) => ({ topic: 'a-topic', partition }))
  assert.equal(new FanOut().hasRoomFor(places(60)), true)
  assert.equal(new FanOut().hasRoomFor(places(64)), false)
})

/** A target that answers as told, and what it was asked, in order. */
function worldOf(answers: readonly (number | Partial<KafkaFailure>)[], wish?: 'exactly-once') {
  const told: string[] = []
  const lanes: string[] = []
  const log = pino({ enabled: false })
  const left = answers.values()
  let producers = 71
  const others = new OtherPartitions({
    target: {
      metadata: () => assert.fail(),
      createTopics: () => assert.fail(),
      appendBatches: async (batches: readonly NewBatch[]) =>
        batches.map(({ topic, partition, stamp }) => {
          told.push(`${partition}: ${stamp ? `${stamp.producerId}/${stamp.baseSequence}` : '-'}`)
          const answer = left.next().value ?? 0
          if (typeof answer === 'number') return { topic, partition, offset: answer }
          const failure = { name: 'ERROR', message: '', retriable: false, fatal: false, code: 1 }
          return { topic, partition, offset: -1, failure: { ...failure, ...answer } }
        })
    },
    creation: { create: true, grow: false } as never,
    timeoutMs: 1_000,
    log,
    repeats: new Repeats()
  })
  const lane = new Lane('topic', 0)
  lane.id = 1
  lane.level = exactlyOnce
  lane.fanOut = new FanOut()
  const writer = new FanOutWriter({
    lanes: {
      pendAgain: () => void lanes.push('again'),
      refuse: (_, { reason }) => void lanes.push(reason)
    },
    log,
    target: {
      listOffsets: async partitions => partitions.map(partition => ({ ...partition, offset: 500 }))
    },
    link: {
      start: async () => undefined,
      claimProducers: partitions => {
        const claimed = partitions.map(() => ({ producerId: producers, producerEpoch: 0 }))
        producers++
        return claimed
      }
    },
    commits: {
      commitNow: async lanes => {
        const [one] = lanes
        told.push(`commit ${encodeBranches(one?.branchesAt(0) ?? [])}`)
        return true
      }
    },
    others,
    wish,
    timeoutMs: 1_000
  })
  return { lane, lanes, writer, told }
}

function batchAt(offset: number, records: number, partition = 3) {
  return { topic: 'other', partition, bytes: new Uint8Array(61), offsets: runs([offset, records]) }
}

test('a producer is committed before it writes, and sequences go on', async () => {
  const { lane, writer, told } = worldOf([500, 510, 0, { code: 46 }])
  await writer.write(lane, [batchAt(0, 10), batchAt(10, 5)], [])
  await writer.write(lane, [batchAt(15, 1, 4), batchAt(16, 1)], [])
  assert.deepEqual(told, [
    'commit other:3.71.0.0.500',
    '3: 71/0',
    '3: 71/10',
    'commit other:3.71.0.0.500,4.72.0.0.500',
    '4: 72/0',
    '3: 71/15'
  ])
  assert.equal(lane.fanOut?.stampOf(place)?.baseSequence, 16)
  assert.deepEqual(lane.level, exactlyOnce)
})

test('an answer that is lost is asked for again under the same sequence', async () => {
  const { lane, writer, told } = worldOf([{ code: -195, name: '_TRANSPORT' }, 500])
  await writer.write(lane, [batchAt(0, 10)], [])
  assert.deepEqual(told.slice(1), ['3: 71/0', '3: 71/0'])
  assert.equal(lane.fanOut?.stampOf(place)?.baseSequence, 10)
})

test('a sequence that the target refuses has the lane begun anew, and again and again stops it', async () => {
  const { lane, lanes, writer, told } = worldOf([500, { code: 45 }, { code: 45 }, { code: 47 }])
  assert.equal(await writer.write(lane, [batchAt(0, 10), batchAt(10, 5)], []), false)
  assert.deepEqual(told, ['commit other:3.71.0.0.500', '3: 71/0', '3: 71/10'])
  assert.deepEqual(lanes, ['again'])
  for (let time = 2; time <= 3; time++) {
    assert.equal(await writer.write(lane, [batchAt(10, 5)], []), false)
  }
  assert.deepEqual(lanes, ['again', 'again', 'again', 'resume-loop'])
  assert.deepEqual(lane.level, exactlyOnce)
})

test('a lane that was given up before its commit writes nothing', async () => {
  const { lane, writer, told } = worldOf([])
  lane.id = 0
  assert.equal(await writer.write(lane, [batchAt(0, 10)], []), false)
  assert.deepEqual(told, [])
})

test('what no checkpoint has room for is written at least once, unless that is not wanted', async () => {
  const many = Array.from({ length: 70 }, (_, partition) => batchAt(partition, 1, partition))
  const { lane, writer, told } = worldOf([])
  await writer.write(lane, many, [])
  assert.deepEqual([told.length, told[69]], [70, '69: -'])
  assert.equal(lane.level.deliveryReason, 'fan-out')
  assert.equal(lane.fanOut, undefined)

  const strict = worldOf([], 'exactly-once')
  await assert.rejects(strict.writer.write(strict.lane, many, []), (error: unknown) => {
    assert.ok(error instanceof Refused)
    assert.match(error.message, /^--delivery exactly-once, and it cannot be proved: fan-out/)
    return true
  })
  assert.deepEqual(strict.told, [])
})

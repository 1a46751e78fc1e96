// The worker threads that open batches.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecs } from '../../src/batches/codec.ts'
import { BatchPool } from '../../src/batches/pool.ts'
import type { ResealTask } from '../../src/batches/reseal.ts'
import { decodeBatch, encodeBatch } from '../support/records.ts'

function taskOf(batch: Buffer, more: Partial<ResealTask> = {}): ResealTask {
  const bytes = new Uint8Array(batch)
  return { bytes, fromOffset: 0, skipRecords: 0, appendTime: 'keep', maxBytes: 1_000_000, ...more }
}

test('batches of every codec go out to workers and come back resealed', async t => {
  const pool = new BatchPool({ maxThreads: 2 })
  t.after(() => pool.close())
  const records = [
    { value: 'a', offsetDelta: 1 },
    { value: 'b', offsetDelta: 4 }
  ]
  const results = await Promise.all(
    codecs.map(codec => pool.reseal(taskOf(encodeBatch(records, { codec, baseOffset: 10 }))))
  )
  for (const result of results) {
    assert.ok('batches' in result)
    const [batch] = result.batches
    assert.deepEqual([batch?.firstOffset, batch?.lastOffset], [11, 14])
    const found = decodeBatch(Buffer.from(batch?.bytes as Uint8Array)).records
    assert.deepEqual(
      found.map(({ offset, value }) => [offset, value?.toString()]),
      [
        [0, 'a'],
        [1, 'b']
      ]
    )
  }
})

test('bytes are moved when they are alone in their memory, and copied when they are not', async t => {
  const pool = new BatchPool({ maxThreads: 1 })
  t.after(() => pool.close())
  const batch = encodeBatch([{ value: 'v' }])
  const alone = taskOf(batch)
  assert.ok('batches' in (await pool.reseal(alone)))
  assert.equal(alone.bytes.length, 0)
  const shared = new Uint8Array(batch.length + 5)
  shared.set(batch, 5)
  const part = taskOf(batch, { bytes: shared.subarray(5) })
  assert.ok('batches' in (await pool.reseal(part)))
  assert.equal(part.bytes.length, batch.length)
})

test('faults come back by name', async t => {
  const pool = new BatchPool({ maxThreads: 1 })
  t.after(() => pool.close())
  const batch = encodeBatch([{ value: 'v' }])
  batch[batch.length - 1] = 9
  const result = await pool.reseal(taskOf(batch))
  assert.ok('failure' in result)
  assert.equal(result.failure, 'bad-crc')
})

test('small batches share messages, and each gets its own answer', async t => {
  const pool = new BatchPool({ maxThreads: 2 })
  t.after(() => pool.close())
  const batches = Array.from({ length: 300 }, (_, index) =>
    encodeBatch([{ value: `${index}`, offsetDelta: index }], { baseOffset: 1_000 * index })
  )
  const damaged = 77
  const task = batches[damaged] as Buffer
  task[task.length - 1] = 9
  const results = await Promise.all(batches.map(batch => pool.reseal(taskOf(batch))))
  for (const [index, result] of results.entries()) {
    if (index === damaged) assert.equal('failure' in result && result.failure, 'bad-crc')
    else assert.equal('batches' in result && result.batches[0]?.firstOffset, 1_001 * index)
  }
})

test('what shares a message fails with it, and is done alone', async t => {
  const pool = new BatchPool({ maxThreads: 1 })
  t.after(() => pool.close())
  const batch = encodeBatch([{ value: 'v' }])
  // No message can carry a function.
  const unsendable = taskOf(batch, { limits: (() => undefined) as never })
  const together = await Promise.allSettled([pool.reseal(taskOf(batch)), pool.reseal(unsendable)])
  assert.deepEqual(
    together.map(({ status }) => status),
    ['rejected', 'rejected']
  )
  assert.ok('batches' in (await pool.resealAlone(taskOf(batch))))
  await assert.rejects(pool.resealAlone(unsendable))
})

test('there is an end to the queue', async t => {
  const pool = new BatchPool({ maxThreads: 1 })
  t.after(() => pool.close())
  const batch = encodeBatch([{ value: 'v' }])
  const room = pool.room
  const tasks = Array.from({ length: room }, () => pool.reseal(taskOf(batch)))
  assert.equal(pool.room, 0)
  await assert.rejects(pool.reseal(taskOf(batch)), /under way already/)
  for (const result of await Promise.all(tasks)) assert.ok('batches' in result)
  assert.equal(pool.room, room)
})

test('closing ends what is under way, and may be done twice', async () => {
  const pool = new BatchPool({ maxThreads: 1 })
  const task = pool.reseal(taskOf(encodeBatch([{ value: 'v' }])))
  const ended = assert.rejects(task)
  await pool.close()
  await pool.close()
  await ended
})

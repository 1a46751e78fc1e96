import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EndsSource, readReplicatedEnds } from '../../src/mirror/replicated-ends.ts'
import type { KafkaFailure, PartitionOffset } from '../../src/native/index.ts'

const partition = { topic: 'orders', partition: 0 }

function failure(code: number, name: string): KafkaFailure {
  return { code, name, message: 'no', retriable: true, fatal: false }
}

/** Tells one high watermark after another, and the last one for good. */
function targetOf(highWatermarks: number[], logEnd: Partial<PartitionOffset>, epoch = 3) {
  const asked: string[] = []
  const target: EndsSource = {
    async listOffsets(partitions) {
      asked.push(`watermarks ${partitions.length}`)
      const offset = highWatermarks.length > 1 ? highWatermarks.shift() : highWatermarks[0]
      const known = epoch < 0 ? {} : { leaderEpoch: epoch }
      return partitions.map(one => ({ ...one, offset: offset as number, ...known }))
    },
    async logEnds(partitions) {
      asked.push(`ends ${partitions.map(({ leaderEpoch }) => leaderEpoch)}`)
      return partitions.map(one => ({ ...one, offset: -1, ...logEnd }))
    }
  }
  return { target, asked, read: () => readReplicatedEnds(target, [partition], 1_000) }
}

test('a log that is replicated is asked for once', async () => {
  const { asked, read } = targetOf([10], { offset: 10 })
  assert.deepEqual(await read(), [{ highWatermark: 10, isBehind: false }])
  assert.deepEqual(asked, ['watermarks 1', 'ends 3'])
})

test('followers that catch up are waited for, and the newest high watermark counts', async () => {
  const { asked, read } = targetOf([10, 11, 14], { offset: 13 })
  assert.deepEqual(await read(), [{ highWatermark: 14, isBehind: false }])
  assert.equal(asked.length, 4)
})

test('followers that do not catch up leave it behind', async () => {
  assert.deepEqual(await targetOf([10], { offset: 13 }).read(), [
    { highWatermark: 10, isBehind: true }
  ])
})

test('brokers that cannot tell count as replicated, and other failures are told', async () => {
  const unsupported = targetOf([10], { failure: failure(-165, '_UNSUPPORTED_FEATURE') })
  assert.deepEqual(await unsupported.read(), [{ highWatermark: 10, isBehind: false }])
  const unknown = targetOf([10], { offset: 99 }, -1)
  assert.deepEqual(await unknown.read(), [{ highWatermark: 10, isBehind: false }])
  const moved = failure(74, 'FENCED_LEADER_EPOCH')
  const fenced = await targetOf([10], { failure: moved }).read()
  assert.deepEqual(fenced[0]?.failure, moved)
})

// Messages of the formats 0 and 1, as they lie in the logs of clusters that were begun before Kafka 0.11.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ResealResult, type ResealTask, resealBatch } from '../../src/batches/reseal.ts'
import { readBatchHeader } from '../support/batch-header.ts'
import { encodeMessage, encodeWrapped, type OldMessage } from '../support/old-messages.ts'
import { decodeBatch } from '../support/records.ts'

const time = 1_450_000_000_000
const codecs = ['gzip', 'snappy', 'lz4'] as const

test('plain messages of both formats become one batch', () => {
  for (const magic of [0, 1] as const) {
    const messages: OldMessage[] = [
      { magic, offset: 7, key: 'k', value: 'v', timestamp: time },
      { magic, offset: 9, key: null, value: '', timestamp: time + 2 },
      { magic, offset: 10, key: '', value: null, timestamp: time + 1 }
    ]
    const result = reseal(Buffer.concat(messages.map(encodeMessage)))
    const [batch] = batchesOf(result)
    assert.deepEqual([...(batch?.offsets ?? [])], [7, 0, 1, 9, 1, 2])
    assert.deepEqual(contents(result), [
      ['k', 'v', magic === 0 ? -1 : time],
      [null, '', magic === 0 ? -1 : time + 2],
      ['', null, magic === 0 ? -1 : time + 1]
    ])
    assert.equal(batch?.maxTimestamp, magic === 0 ? -1 : time + 2)
  }
})

for (const codec of codecs) {
  test(`${codec}: a set inside a message of format 0 has its own offsets`, () => {
    const inner = [100, 101, 105].map(offset => ({ magic: 0 as const, offset, value: `${offset}` }))
    const source = encodeWrapped(inner, { magic: 0, offset: 105, codec })
    const result = reseal(source, { fromOffset: 101 })
    assert.deepEqual([...(batchesOf(result)[0]?.offsets ?? [])], [101, 0, 1, 105, 1, 1])
    assert.deepEqual(contents(result), [
      [null, '101', -1],
      [null, '105', -1]
    ])
    const bytes = Buffer.from(batchesOf(result)[0]?.bytes as Uint8Array)
    assert.equal(readBatchHeader(bytes).codec, codec)
  })

  test(`${codec}: a set inside a message of format 1 counts from its last offset`, () => {
    // Compaction took the second and the last but one.
    const inner = [0, 2, 4].map(offset => one(offset))
    const source = encodeWrapped(inner, { magic: 1, offset: 104, codec, timestamp: time + 50 })
    const result = reseal(source)
    const [batch] = batchesOf(result)
    assert.deepEqual([...(batch?.offsets ?? [])], [100, 0, 1, 102, 1, 1, 104, 2, 1])
    assert.deepEqual(contents(result), [
      [null, '0', time],
      [null, '2', time + 2],
      [null, '4', time + 4]
    ])
  })
}

test('append time of the outer message is that of its records, unless left to the producer', () => {
  const wrapper = { magic: 1, offset: 1, timestamp: time + 9, isAppendTime: true } as const
  const source = encodeWrapped([one(0), one(1)], wrapper)
  const timesOf = (appendTime: 'keep' | 'as-is') =>
    contents(reseal(source, { appendTime })).map(([, , timestamp]) => timestamp)
  assert.deepEqual(timesOf('keep'), [time + 9, time + 9])
  assert.deepEqual(timesOf('as-is'), [time, time + 1])
})

test('an outer message left at offset 0 begins at 0', () => {
  const result = reseal(encodeWrapped([one(0), one(1), one(2)], { magic: 1, offset: 0 }))
  assert.deepEqual([...(batchesOf(result)[0]?.offsets ?? [])], [0, 0, 3])
})

test('the LZ4 header checksum that format 0 got wrong is overlooked, in format 1 it is not', () => {
  const change = (packed: Buffer) => {
    const at = 6
    packed[at] = (packed[at] as number) ^ 0xff
    return packed
  }
  const ancient = [{ magic: 0 as const, offset: 3, value: 'ancient' }]
  const result = reseal(encodeWrapped(ancient, { magic: 0, offset: 3, codec: 'lz4', change }))
  assert.deepEqual(contents(result), [[null, 'ancient', -1]])
  const later = encodeWrapped([one(0)], { magic: 1, offset: 3, codec: 'lz4', change })
  assert.equal(failureOf(reseal(later)), 'malformed')
})

test('damage is told, inside a set too', () => {
  const plain = encodeMessage(one(3))
  plain[plain.length - 1] = (plain.at(-1) as number) ^ 1
  assert.equal(failureOf(reseal(plain)), 'bad-crc')
  const set = encodeWrapped([one(0)], { magic: 1, offset: 3 })
  set[set.length - 1] = (set.at(-1) as number) ^ 1
  assert.equal(failureOf(reseal(set)), 'bad-crc')
  assert.equal(failureOf(reseal(wrapBytes(plain))), 'bad-crc')
})

test('malformed: sets that no client wrote', () => {
  const cut = Buffer.concat([encodeMessage(one(0)), encodeMessage(one(1)).subarray(0, 20)])
  const nested = encodeWrapped([one(0)], { magic: 1, offset: 0 })
  const cases: Buffer[] = [
    wrapBytes(cut),
    wrapBytes(nested),
    wrapBytes(Buffer.alloc(0)),
    wrapBytes(encodeMessage({ magic: 0, offset: 0 })),
    encodeMessage({ magic: 1, offset: 5, codec: 'gzip' }),
    encodeMessage({ magic: 1, offset: 5, codec: 'zstd', value: 'v' }),
    encodeWrapped([one(0), one(9)], { magic: 1, offset: 3 }),
    encodeMessage(one(-1)),
    encodeMessage(one(5)).subarray(0, 17),
    Buffer.concat([encodeMessage(one(5)), encodeMessage(one(6)).subarray(0, 30)])
  ]
  for (const [index, source] of cases.entries()) {
    assert.equal(failureOf(reseal(source)), 'malformed', `case ${index}`)
  }
})

function one(offset: number): OldMessage {
  return { magic: 1, offset, value: `${offset}`, timestamp: time + offset }
}

// Whatever stands inside.
function wrapBytes(set: Buffer): Buffer {
  const wrapper = { magic: 1, offset: 9, codec: 'snappy' } as const
  return encodeWrapped([], { ...wrapper, change: () => snapped(set) })
}

// A raw Snappy block of literals alone, each with its length in a byte.
function snapped(plain: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([plain.length])]
  for (let at = 0; at < plain.length; at += 60) {
    const part = plain.subarray(at, at + 60)
    parts.push(Buffer.from([(part.length - 1) << 2]), part)
  }
  assert.ok(plain.length < 128)
  return Buffer.concat(parts)
}

function reseal(source: Buffer, task: Partial<ResealTask> = {}): ResealResult {
  const bytes = new Uint8Array(source)
  return resealBatch({
    bytes,
    fromOffset: 0,
    skipRecords: 0,
    appendTime: 'keep',
    maxBytes: 1_000_000,
    ...task
  })
}

function batchesOf(result: ResealResult) {
  assert.ok('batches' in result, JSON.stringify(result))
  return result.batches
}

function contents(result: ResealResult): [string | null, string | null, number][] {
  return batchesOf(result).flatMap(({ bytes }) =>
    decodeBatch(Buffer.from(bytes)).records.map(({ key, value, timestamp }) => [
      key?.toString() ?? null,
      value?.toString() ?? null,
      timestamp
    ])
  ) as [string | null, string | null, number][]
}

function failureOf(result: ResealResult): string | undefined {
  return 'failure' in result ? result.failure : undefined
}

// What becomes of a batch in the hands of handlers.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { codecs } from '../../src/batches/codec.ts'
import type { Chain } from '../../src/transform/chain.ts'
import type { HandlerModule, MessageRecord } from '../../src/transform/record.ts'
import { type TransformTask, transformBatch } from '../../src/transform/transform.ts'
import { readBatchHeader, seal } from '../support/batch-header.ts'
import { chainOf, taskOf } from '../support/handled.ts'
import { decodeBatch, encodeBatch, type RecordInput } from '../support/records.ts'

const time = 1_700_000_000_000
const inputs: RecordInput[] = Array.from({ length: 100 }, (_, number) => ({
  key: number % 10 === 0 ? null : `key ${number}`,
  value: number % 7 === 0 ? null : `value ${number}`,
  headers: [
    ['plain', Buffer.from('h')],
    ['binary', Buffer.from([0xff, number])],
    ['none', null]
  ],
  timestamp: time + number
}))
const base = 5_000

function sealed(codec: 'none' | 'lz4' = 'lz4'): Buffer {
  return encodeBatch(inputs, { codec, baseOffset: base })
}

/** The source offset range of each batch, and all records in them. */
function resultOf(task: TransformTask, chain: Chain) {
  const result = transformBatch(task, chain)
  assert.ok('batches' in result, JSON.stringify(result))
  const batches = result.batches.map(({ bytes }) => decodeBatch(Buffer.from(bytes)))
  return {
    ranges: result.batches.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset]),
    counts: result.batches.map(({ recordCount }) => recordCount),
    records: batches.flatMap(({ records }) => records),
    skipped: result.skipped,
    errors: result.errors
  }
}

const valuesOf = (records: { value: Buffer | null }[]) => records.map(({ value }) => `${value}`)

test('a batch that handlers leave as it is passes as it came', () => {
  const looks: HandlerModule = {
    default: record => {
      void [record.key, record.value, record.headers, record.timestamp, record.topic]
      return record
    }
  }
  assert.deepEqual(transformBatch(taskOf(sealed()), chainOf(looks)), { unchanged: true })
})

test('what cannot pass as it came is written anew, with the same records', () => {
  const same = chainOf({ default: record => record })
  const all = resultOf(taskOf(sealed(), { fromOffset: base + 40 }), same)
  assert.deepEqual(all.ranges, [[base + 40, base + 99]])
  assert.deepEqual(
    valuesOf(all.records),
    inputs.slice(40).map(({ value }) => `${value}`)
  )
  const behind = resultOf(taskOf(sealed(), { skipRecords: 90 }), same)
  assert.deepEqual([behind.skipped, behind.counts], [90, [10]])
})

test('a codec that is forced is written also where handlers change nothing', () => {
  const same = chainOf({ default: record => record })
  const codecOf = (more: Partial<TransformTask>) => {
    const result = transformBatch(taskOf(sealed('lz4'), more), same)
    if (!('batches' in result)) return result
    const [batch] = result.batches
    return readBatchHeader(Buffer.from(batch?.bytes as Uint8Array)).codec
  }
  const unchanged = { unchanged: true }
  assert.deepEqual(codecOf({ codec: 'zstd' }), unchanged)
  assert.deepEqual(codecOf({ codec: 'lz4', forcesCodec: true }), unchanged)
  assert.equal(codecOf({ codec: 'zstd', forcesCodec: true }), 'zstd')
  assert.equal(codecOf({ codec: 'none', forcesCodec: true }), 'none')
  assert.deepEqual(codecOf({ codec: 'zstd', forcesCodec: true, avoidsZstd: true }), unchanged)
})

test('what is written anew for another reason gets the codec that is asked for', () => {
  const dropping = chainOf({ default: record => (record.offset === base ? null : record) })
  for (const codec of codecs) {
    const result = transformBatch(taskOf(sealed('lz4'), { codec }), dropping)
    assert.ok('batches' in result)
    const bytes = Buffer.from(result.batches[0]?.bytes as Uint8Array)
    assert.equal(readBatchHeader(bytes).codec, codec)
    assert.equal(decodeBatch(bytes).records.length, 99)
  }
})

test('records are dropped, changed and multiplied, in order', () => {
  const dropped = resultOf(
    taskOf(sealed()),
    chainOf({ default: record => (record.offset % 2 === 0 ? record : null) })
  )
  assert.deepEqual(dropped.counts, [50])
  assert.deepEqual(
    dropped.records.map(({ timestamp }) => timestamp),
    inputs.filter((_, number) => number % 2 === 0).map(({ timestamp }) => timestamp)
  )
  const doubled = resultOf(
    taskOf(sealed(), { aimBytes: 800 }),
    chainOf(
      { default: record => [record, record.with({ value: `copy of ${record.value}` })] },
      {
        default: (record, { args, topic, partition }) => {
          record.headers.push({ key: `${topic}-${partition}`, value: `${args}` })
          return record
        }
      }
    )
  )
  assert.deepEqual(
    valuesOf(doubled.records),
    inputs.flatMap(({ value }) => [`${value}`, `copy of ${value}`])
  )
  for (const { headers } of doubled.records) {
    assert.deepEqual(headers.at(-1), ['orders-3', Buffer.from('1')])
    assert.deepEqual(headers.length, 4)
  }
  // A checkpoint stands between records of the source only.
  assert.ok(doubled.ranges.length > 1)
  for (const [index, [first]] of doubled.ranges.entries()) {
    if (index > 0) assert.equal(first, (doubled.ranges[index - 1]?.[1] as number) + 1)
  }
  assert.ok(doubled.counts.every(count => count % 2 === 0))
})

test('key, value, headers and time are written as they were set', () => {
  const { records } = resultOf(
    taskOf(sealed()),
    chainOf({
      default: record => ({
        key: null,
        value: Buffer.from(`${record.value}`.toUpperCase()),
        headers: [{ key: 'ünï', value: null }],
        timestamp: record.timestamp + 1_000
      })
    })
  )
  assert.deepEqual(
    records.map(({ key, value, headers, timestamp }) => [key, `${value}`, headers, timestamp]),
    inputs.map(({ value }, number) => [
      null,
      `${value}`.toUpperCase(),
      [['ünï', null]],
      time + number + 1_000
    ])
  )
})

test('headers that were only read keep their bytes, also where they are no text', () => {
  const { records } = resultOf(
    taskOf(sealed()),
    chainOf({
      default: record => {
        void record.headers
        record.value = 'new'
        return record
      }
    })
  )
  assert.deepEqual(
    records.map(({ headers }) => headers),
    inputs.map(({ headers }) => headers)
  )
})

test('a batch whose records lie about their offsets is written anew, whoever sees it', () => {
  const lying = encodeBatch([{ value: 'a' }, { value: 'b', offsetDelta: 5 }], { codec: 'none' })
  lying.writeInt32BE(1, 23)
  seal(lying)
  for (const chain of [
    chainOf({ default: record => record }),
    chainOf({ handleBatch: records => records as MessageRecord[] })
  ]) {
    const { records } = resultOf(taskOf(lying), chain)
    assert.deepEqual(
      records.map(({ offset, value }) => [offset, `${value}`]),
      [
        [0, 'a'],
        [1, 'b']
      ]
    )
  }
})

test('a batch of which nothing is left is empty', () => {
  const { records, ranges } = resultOf(taskOf(sealed()), chainOf({ default: () => null }))
  assert.deepEqual([records, ranges], [[], []])
})

test('a batch form sees all records at once', () => {
  const newest: HandlerModule = {
    handleBatch: records => {
      const last = new Map(records.map(record => [`${record.key}`, record]))
      return records.filter(record => last.get(`${record.key}`) === record)
    }
  }
  const { records } = resultOf(taskOf(sealed()), chainOf(newest))
  assert.equal(records.length, 91)
  const unchanged = transformBatch(taskOf(sealed()), chainOf({ handleBatch: records => records }))
  assert.deepEqual(unchanged, { unchanged: true })
  const turned = transformBatch(
    taskOf(sealed()),
    chainOf({ handleBatch: records => records.toReversed() })
  )
  assert.match(
    'failure' in turned ? turned.detail : '',
    /handler h0 failed on the record at offset 5000: handleBatch: offset 5098 comes behind 5099/
  )
})

for (const [what, result, message] of [
  ['nothing', undefined, 'expected a record, an array of records or null, got undefined'],
  ['a promise', Promise.resolve(null), 'got a promise'],
  ['a number', 5, 'got 5'],
  ['a list of numbers', [5], 'got 5'],
  [
    'a record with a number as its value',
    { value: 5 },
    'value: expected bytes, a string or null, got 5'
  ],
  ['headers without keys', { headers: [{}] }, 'headers: expected { key, value }, got an object'],
  ['half a millisecond', { timestamp: 0.5 }, 'timestamp: expected whole milliseconds, got 0.5']
] as const) {
  test(`a handler that returns ${what} has failed`, () => {
    const rubbish = { default: () => result } as unknown as HandlerModule
    const failed = transformBatch(taskOf(sealed()), chainOf(rubbish))
    assert.ok('failure' in failed)
    assert.equal(failed.failure, 'handler-failed')
    assert.ok(failed.detail.includes(message), failed.detail)
  })
}

test('with skip, the records on which a handler fails are left out and counted', () => {
  const failing: HandlerModule = {
    default: record => {
      if (record.offset % 50 === 10) throw new Error(`no country in ${record.offset}`)
      return record
    }
  }
  const { records, errors } = resultOf(taskOf(sealed(), { onError: 'skip' }), chainOf(failing))
  assert.equal(records.length, 98)
  const message = `no country in ${base + 10}`
  assert.deepEqual(errors, { count: 2, offset: base + 10, handler: 'h0', message })
})

test('a record that has grown beyond what the target takes has failed, and one that came so has not', () => {
  const grown = randomBytes(5_000)
  const growing = chainOf({
    default: record => (record.offset % 50 === 10 ? record.with({ value: grown }) : record)
  })
  const task = taskOf(sealed(), { maxBytes: 4_000 })
  const failed = transformBatch(task, growing)
  assert.ok('failure' in failed)
  assert.equal(failed.failure, 'too-large')
  const message = /^the record at offset 5010 is 5\d\d\d bytes .*, and the target takes 4000$/
  assert.match(failed.detail, message)

  const skipped = resultOf({ ...task, onError: 'skip' }, growing)
  assert.equal(skipped.records.length, 98)
  assert.deepEqual([skipped.errors?.count, skipped.errors?.offset], [2, base + 10])
  assert.match(`${skipped.errors?.message}`, message)

  const partitions = { 'orders.dlq': 4 }
  const buried = transformBatch({ ...task, onError: 'dead-letter', partitions }, growing)
  assert.ok('batches' in buried, JSON.stringify(buried))
  const letters = buried.elsewhere.flatMap(({ bytes }) => decodeBatch(Buffer.from(bytes)).records)
  assert.deepEqual(valuesOf(letters), ['value 10', 'value 60'])

  const large = encodeBatch([{ value: grown }], { baseOffset: base })
  const kept = chainOf({ default: record => record })
  const own = transformBatch(taskOf(large, { maxBytes: 4_000, onError: 'skip' }), kept)
  assert.ok('failure' in own)
  assert.equal(own.failure, 'too-large')
})

test('where handlers are not to be asked again all records of the batch have failed', () => {
  const task = taskOf(sealed(), { onError: 'skip', failing: 'no answer within 5 ms' })
  const { records, errors } = resultOf(task, chainOf({ default: assert.fail }))
  assert.deepEqual([records.length, errors?.count, errors?.message], [0, 100, task.failing])
})

test('a damaged batch is no matter of the handler', () => {
  const batch = sealed()
  batch[80] = (batch[80] as number) ^ 1
  const failed = transformBatch(taskOf(batch), chainOf({ default: assert.fail }))
  assert.equal('failure' in failed && failed.failure, 'bad-crc')
})

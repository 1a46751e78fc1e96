// Pieces of log read as consumers see them, and the digests of their records.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchFault } from '../../src/batches/batch-fault.ts'
import { ChunkRecords } from '../../src/batches/chunk-records.ts'
import { codecs } from '../../src/batches/codec.ts'
import { digestChunk, RunDigest } from '../../src/batches/digest.ts'
import { murmur64 } from '../../src/batches/murmur.ts'
import { seal } from '../support/batch-header.ts'
import { encodeMessage, encodeWrapped } from '../support/old-messages.ts'
import { Chance, randomRecords } from '../support/random-records.ts'
import { encodeBatch } from '../support/records.ts'

test('the hash is the first half of MurmurHash3', () => {
  const known: [string, string][] = [
    ['', '0000000000000000'],
    ["I will not buy this tobacconist's, it is scratched.", '9b5b7ba2ef3f7866']
  ]
  for (const [text, expected] of known) {
    assert.equal(hashOf(Buffer.from(text)), expected)
  }
})

test('each byte counts for the hash, whatever the length', () => {
  for (let length = 1; length <= 33; length++) {
    const bytes = Buffer.alloc(length, 7)
    const hashes = new Set([hashOf(bytes)])
    for (let at = 0; at < length; at++) {
      bytes[at] = 8
      hashes.add(hashOf(bytes))
      bytes[at] = 7
    }
    assert.equal(hashes.size, length + 1)
  }
})

test('a record has one digest in all codecs, batches, offsets and formats', () => {
  const records = randomRecords(new Chance(9), 40, false)
  const alone = records.map(({ offsetDelta, ...record }) => encodeBatch([record]))
  const expected = digestChunk(Buffer.concat(alone)).words
  for (const codec of codecs) {
    const batch = encodeBatch(records, { codec, baseOffset: 1_000 })
    assert.deepEqual(digestChunk(batch).words, expected)
  }
  const old = { magic: 1, key: 'k', value: 'v', timestamp: 5 } as const
  assert.deepEqual(
    digestChunk(encodeMessage({ ...old, offset: 3 })).words,
    digestChunk(encodeBatch([old])).words
  )
})

test('whatever differs in a record differs in its digest', () => {
  const record = { key: 'k', value: 'v', headers: [['h', 'x']] as [string, string][], timestamp: 1 }
  const others = [
    record,
    { ...record, key: 'K' },
    { ...record, key: '' },
    { ...record, key: null },
    { ...record, value: null },
    { ...record, value: '' },
    { ...record, key: 'kv', value: '' },
    { ...record, headers: [] },
    { ...record, headers: [['h', null]] as [string, null][] },
    { ...record, headers: [['hx', '']] as [string, string][] },
    { ...record, timestamp: 2 },
    { ...record, timestamp: 1 + 2 ** 32 }
  ]
  const digests = others.map(other => digestChunk(encodeBatch([other])).words.join())
  assert.equal(new Set(digests).size, others.length)
  const timeless = others.map(other =>
    digestChunk(encodeBatch([other]), { withTimestamps: false }).words.join()
  )
  assert.equal(new Set(timeless).size, others.length - 2)
})

test('a run has one digest however it is cut, and another in another order', () => {
  const { words } = digestChunk(encodeBatch(randomRecords(new Chance(2), 10, false)))
  const cut = new RunDigest()
  cut.add(words.subarray(0, 6))
  cut.add(words.subarray(6))
  const whole = new RunDigest()
  whole.add(words)
  assert.equal(`${cut}`, `${whole}`)
  assert.equal(whole.count, 10)
  const swapped = new RunDigest()
  swapped.add(words.subarray(2, 4))
  swapped.add(words.subarray(0, 2))
  swapped.add(words.subarray(4))
  assert.notEqual(`${swapped}`, `${whole}`)
})

test('markers and aborted transactions are passed over, what was committed is not', () => {
  const batch = (baseOffset: number, producerId: number, value: string) =>
    encodeBatch([{ value }], { baseOffset, producerId, isTransactional: true })
  const marker = (baseOffset: number, producerId: number, type: number) =>
    encodeBatch([{ key: Buffer.from([0, 0, 0, type]) }], {
      baseOffset,
      producerId,
      isTransactional: true,
      isControl: true
    })
  const log = Buffer.concat([
    batch(10, 1, 'aborted'),
    batch(11, 2, 'committed'),
    encodeBatch([{ value: 'plain' }], { baseOffset: 12 }),
    marker(13, 1, 0),
    marker(14, 1, 0),
    batch(15, 1, 'second try'),
    marker(16, 2, 1),
    marker(17, 1, 1),
    batch(18, 1, 'aborted again'),
    marker(19, 1, 0)
  ])
  const aborted = [
    { producerId: 1, firstOffset: 18 },
    { producerId: 1, firstOffset: 10 }
  ]
  assert.deepEqual(valuesOf(log, { aborted }), ['committed', 'plain', 'second try'])
  assert.equal(valuesOf(log, {}).length, 5)
  const digest = digestChunk(log, { aborted })
  assert.deepEqual(
    [digest.count, digest.controlBatches, digest.abortedBatches, digest.nextOffset],
    [3, 5, 2, 20]
  )
  assert.deepEqual([...digest.offsets], [11, 12, 15])
})

// A read that begins between an aborted batch and its marker is told of the transaction, too: it took what came next for aborted.
test('a marker that is all that is left of an aborted transaction ends it', () => {
  const options = { producerId: 1, isTransactional: true }
  const log = Buffer.concat([
    encodeBatch([{ value: 'plain' }], { baseOffset: 12 }),
    encodeBatch([{ key: Buffer.alloc(4) }], { ...options, baseOffset: 13, isControl: true }),
    encodeBatch([{ value: 'second try' }], { ...options, baseOffset: 14 })
  ])
  const aborted = [{ producerId: 1, firstOffset: 10 }]
  assert.deepEqual(valuesOf(log, { fromOffset: 12, aborted }), ['plain', 'second try'])
})

test('records below an offset are left out, of batches in any format', () => {
  const log = Buffer.concat([
    encodeMessage({ magic: 0, offset: 1, value: '1' }),
    encodeWrapped(
      [0, 1].map(offset => ({ magic: 1 as const, offset, value: `${offset + 2}` })),
      { magic: 1, offset: 3 }
    ),
    encodeBatch([{ value: '4' }, { value: '5' }], { baseOffset: 4, lastOffsetDelta: 3 })
  ])
  assert.deepEqual(valuesOf(log, {}), ['1', '2', '3', '4', '5'])
  assert.deepEqual(valuesOf(log, { fromOffset: 3 }), ['3', '4', '5'])
  assert.deepEqual(valuesOf(log, { fromOffset: 5 }), ['5'])
  assert.deepEqual(valuesOf(log, { fromOffset: 2, endOffset: 5 }), ['2', '3', '4'])
  assert.equal(digestChunk(log, { fromOffset: 5 }).nextOffset, 8)
  const ended = digestChunk(log, { fromOffset: 9 })
  assert.deepEqual([ended.count, ended.nextOffset], [0, 9])
})

test('append time is the time of every record', () => {
  const source = encodeBatch([{ timestamp: 1 }, { timestamp: 2 }], { timestampType: 'append' })
  source.writeBigInt64BE(77n, 35)
  const written = encodeBatch([{ timestamp: 77 }, { timestamp: 77 }])
  assert.deepEqual(digestChunk(seal(source)).words, digestChunk(written).words)
})

test('whether a time is that of the append is told of batches in any format', () => {
  const message = { magic: 1, offset: 0, timestamp: 7 } as const
  const appended = { isAppendTime: true }
  const log = Buffer.concat([
    encodeMessage(message),
    encodeMessage({ ...message, offset: 1, ...appended }),
    encodeWrapped([message], { ...message, offset: 2, ...appended }),
    encodeMessage({ magic: 0, offset: 3 }),
    encodeBatch([{}], { baseOffset: 4, timestampType: 'append' })
  ])
  const records = new ChunkRecords(log)
  const told: boolean[] = []
  while (records.next()) told.push(records.hasAppendTime)
  assert.deepEqual(told, [false, true, true, false, true])
})

test('damage and cut batches are faults', () => {
  const log = Buffer.concat([encodeBatch([{ value: 'a' }]), encodeBatch([{ value: 'b' }])])
  assert.throws(() => digestChunk(log.subarray(0, log.length - 1)), BatchFault)
  assert.throws(() => digestChunk(log.subarray(0, 75)), BatchFault)
  log[log.length - 2] = (log.at(-2) as number) ^ 1
  assert.throws(() => digestChunk(log), /CRC/)
})

function hashOf(text: Buffer): string {
  const bytes = Buffer.concat([Buffer.from('??'), text])
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const words = new Uint32Array(2)
  murmur64(view, 2, bytes.length, 0, 0, words, 0)
  return [...words].map(word => word.toString(16).padStart(8, '0')).join('')
}

function valuesOf(log: Buffer, options: ConstructorParameters<typeof ChunkRecords>[1]): string[] {
  const records = new ChunkRecords(log, options)
  const values: string[] = []
  while (records.next()) values.push(records.record.value()?.toString() ?? '')
  return values
}

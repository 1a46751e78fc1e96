// Batches opened and written anew, judged by decoders that were written for the tests alone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchFault } from '../../src/batches/batch-fault.ts'
import { type Codec, codecs } from '../../src/batches/codec.ts'
import { openBatch } from '../../src/batches/record-batch.ts'
import {
  type ResealedBatch,
  type ResealResult,
  type ResealTask,
  resealBatch
} from '../../src/batches/reseal.ts'
import { sampleRecords } from '../../src/bench/sample-records.ts'
import { isIntact, readBatchHeader, seal } from '../support/batch-header.ts'
import { Chance, randomRecords } from '../support/random-records.ts'
import {
  type DecodedRecord,
  decodeBatch,
  encodeBatch,
  type RecordInput
} from '../support/records.ts'
import { writeVarint } from '../support/varint.ts'

const limits = { maxBytes: 16 * 1_048_576, maxRatio: 1_000 }

for (const codec of codecs) {
  test(`${codec}: random records with holes keep everything but their offsets`, () => {
    for (let seed = 0; seed < 60; seed++) {
      const chance = new Chance(seed)
      const records = randomRecords(chance, 1 + chance.below(60), seed % 3 > 0)
      const lastOffsetDelta = lastDelta(records) + (seed % 3 > 1 ? chance.below(5) : 0)
      const baseOffset = chance.pick([0, 500, 3_000_000_000_000])
      const snappy = chance.pick(['raw', 'xerial'] as const)
      const source = encodeBatch(records, { codec, snappy, baseOffset, lastOffsetDelta })
      const maxBytes = chance.pick([1_000_000, 9_000])
      const batches = batchesOf(reseal(source, { maxBytes }))
      assert.deepEqual(withSourceOffsets(batches), seen(source))
      for (const batch of batches) checkHeader(batch, maxBytes)
    }
  })

  test(`${codec}: a position inside the batch leaves out what lies before it`, () => {
    const source = encodeBatch(randomRecords(new Chance(5), 50, true), { codec, baseOffset: 70 })
    const fromOffset = seen(source)[20]?.offset as number
    const batches = batchesOf(reseal(source, { fromOffset }))
    assert.deepEqual(withSourceOffsets(batches), seen(source).slice(20))
    assert.equal(batches[0]?.firstOffset, fromOffset)
    assert.deepEqual(reseal(source, { fromOffset: 1_000_000 }), { batches: [], skipped: 0 })
  })

  test(`${codec}: no damage under a right CRC ends in anything but a fault`, () => {
    const chance = new Chance(11)
    const source = encodeBatch(randomRecords(chance, 20, true), { codec })
    for (let round = 0; round < 2_000; round++) {
      const damaged = Buffer.from(source)
      damaged[61 + chance.below(chance.pick([damaged.length - 61, 30]))] = chance.below(256)
      if (round % 3 === 0) damaged[21 + chance.below(40)] = chance.below(256)
      const result = reseal(seal(damaged), { limits })
      if ('failure' in result) assert.equal(result.failure, 'malformed')
      else for (const batch of result.batches) decodeBatch(Buffer.from(batch.bytes))
    }
  })
}

test('records of all sizes keep their bytes where the numbers before them change their width', () => {
  // Offsets pass 64 and 8,192, where their deltas grow by a byte; now and then a time or a size jumps.
  const chance = new Chance(23)
  for (const count of [70, 9_000]) {
    const records = Array.from({ length: count }, (_, index) => ({
      key: `key-${index}`,
      value: Buffer.alloc(chance.below(chance.pick([3, 60, 150])), index & 0xff),
      // Counted from the fourth, which is far ahead, all others take more bytes.
      timestamp: 1.7e12 + (index === 3 ? 2 ** 40 : index * chance.pick([1, 1, 1, 1, 1_000])),
      offsetDelta: index + Math.floor(index / 3) + (index > 50 ? 40 : 0)
    }))
    for (const first of [0, 3]) {
      const source = encodeBatch(records, { baseOffset: 9 })
      const fromOffset = seen(source)[first]?.offset as number
      for (const maxBytes of [10_000_000, 100_000]) {
        const batches = batchesOf(reseal(source, { fromOffset, maxBytes }))
        assert.deepEqual(withSourceOffsets(batches), seen(source).slice(first))
      }
    }
  }
})

for (const codec of codecs) {
  test(`${codec}: batches that lie together become one, with every record as it was`, () => {
    for (let seed = 0; seed < 20; seed++) {
      const chance = new Chance(seed)
      let baseOffset = chance.pick([0, 3_000_000_000_000])
      const sources = Array.from({ length: 2 + chance.below(40) }, () => {
        const records = randomRecords(chance, 1 + chance.below(3), false)
        const source = encodeBatch(records, { codec, baseOffset })
        // Between two there may be what is not mirrored, such as a transaction's end.
        baseOffset = (seen(source).at(-1)?.offset as number) + 1 + chance.below(2)
        return source
      })
      const batches = batchesOf(reseal(Buffer.concat(sources), { merges: true }))
      assert.equal(batches.length, 1)
      assert.deepEqual(withSourceOffsets(batches), sources.flatMap(seen))
      for (const batch of batches) checkHeader(batch, 1_000_000)
      assert.equal(readBatchHeader(Buffer.from(batches[0]?.bytes as Uint8Array)).codec, codec)
    }
  })
}

test('batches are not merged where one is damaged, or its length is a lie', () => {
  const sources = [1, 2, 3].map(baseOffset => encodeBatch([{ value: 'v' }], { baseOffset }))
  const whole = Buffer.concat(sources)
  const second = sources[0]?.length as number
  assert.equal(failureOf(reseal(whole, { merges: true })), undefined)
  for (const [at, value, failure] of [
    [66, 0xff, 'bad-crc'],
    [8, 0x7f, 'malformed'],
    [8, 0xff, 'malformed'],
    [11, 0, 'malformed'],
    [11, 255, 'malformed']
  ] as const) {
    const bytes = Buffer.from(whole)
    bytes[second + at] = value
    assert.equal(failureOf(reseal(bytes, { merges: true })), failure, `byte ${at}`)
  }
  const cut = whole.subarray(0, -1)
  assert.equal(failureOf(reseal(cut, { merges: true })), 'malformed')
})

test('records that the target has already are passed over, after those before the position', () => {
  const source = encodeBatch(randomRecords(new Chance(8), 30, true), { baseOffset: 70 })
  const fromOffset = seen(source)[10]?.offset as number
  const result = reseal(source, { fromOffset, skipRecords: 5 })
  assert.deepEqual(withSourceOffsets(batchesOf(result)), seen(source).slice(15))
  assert.equal('skipped' in result && result.skipped, 5)
  assert.deepEqual(reseal(source, { fromOffset, skipRecords: 99 }), { batches: [], skipped: 20 })
})

test('another codec is written where one is asked for, at its level', () => {
  const source = encodeBatch([{ value: 'x'.repeat(5_000) }], { codec: 'lz4' })
  for (const codec of codecs) {
    const [batch] = batchesOf(reseal(source, { codec, levels: { [codec]: 1 } }))
    assert.equal(readBatchHeader(Buffer.from(batch?.bytes as Uint8Array)).codec, codec)
    assert.deepEqual(withSourceOffsets([batch as ResealedBatch]), seen(source))
  }
})

test('a target without zstd gets LZ4 in its place, and every other codec as it was', () => {
  for (const codec of codecs) {
    const source = encodeBatch([{ key: 'k', value: 'v'.repeat(200) }], { codec })
    const [batch] = batchesOf(reseal(source, { avoidsZstd: true }))
    const { codec: written } = readBatchHeader(Buffer.from(batch?.bytes as Uint8Array))
    assert.equal(written, codec === 'zstd' ? 'lz4' : codec)
    assert.deepEqual(withSourceOffsets([batch as ResealedBatch]), seen(source))
  }
})

test('zstd that is asked for is LZ4 where the target takes none', () => {
  const source = encodeBatch([{ value: 'v'.repeat(200) }], { codec: 'gzip' })
  const [batch] = batchesOf(reseal(source, { codec: 'zstd', avoidsZstd: true }))
  assert.equal(readBatchHeader(Buffer.from(batch?.bytes as Uint8Array)).codec, 'lz4')
})

test('the level is that of the codec that is written, over its whole range', () => {
  const value = sampleRecords(40, 1_000).join('')
  const source = encodeBatch([{ value }], { codec: 'lz4' })
  const sizeAt = (codec: Codec, level: number) => {
    const [batch] = batchesOf(reseal(source, { codec, levels: { lz4: 1, [codec]: level } }))
    assert.deepEqual(withSourceOffsets([batch as ResealedBatch]), seen(source))
    return (batch as ResealedBatch).bytes.byteLength
  }
  assert.ok(sizeAt('gzip', 9) < sizeAt('gzip', 1))
  assert.equal(sizeAt('gzip', -1), sizeAt('gzip', 6))
  assert.ok(sizeAt('lz4', 17) < sizeAt('lz4', 3))
  assert.equal(sizeAt('lz4', 1), sizeAt('lz4', 3))
  const asProduced = batchesOf(reseal(source, {}))
  assert.equal(asProduced[0]?.bytes.byteLength, sizeAt('lz4', 9))
  assert.ok(sizeAt('lz4', 3) < sizeAt('lz4', 9))
  assert.ok(sizeAt('zstd', 22) < sizeAt('zstd', 1))
  assert.ok(sizeAt('zstd', 1) < sizeAt('zstd', -100))
  assert.ok(sizeAt('zstd', -131_072) <= 41_000)
  const other = batchesOf(reseal(source, { codec: 'gzip', levels: { zstd: 1 } }))
  assert.equal(other[0]?.bytes.byteLength, sizeAt('gzip', 6))
})

test('append times are written into the records, or left to the producer', () => {
  const times = [5, 3, 4]
  const records = times.map(timestamp => ({ value: 'v', timestamp }))
  const source = encodeBatch(records, { timestampType: 'append' })
  source.writeBigInt64BE(1_000n, 35)
  seal(source)
  const timesOf = (appendTime: 'keep' | 'as-is') =>
    withSourceOffsets(batchesOf(reseal(source, { appendTime }))).map(record => record.timestamp)
  assert.deepEqual(timesOf('keep'), [1_000, 1_000, 1_000])
  assert.deepEqual(timesOf('as-is'), times)
  const [batch] = batchesOf(reseal(source, { appendTime: 'as-is' }))
  assert.equal(batch?.maxTimestamp, 5)
})

test('a delete horizon in place of the base time leaves the times of the records', () => {
  const source = encodeBatch([{ timestamp: 900 }, { timestamp: 1_100 }])
  // The base time is 900: now the records are 100 before and 100 after the horizon.
  source.writeBigInt64BE(1_000n, 27)
  source.writeInt16BE(0x40, 21)
  const shifted = withTimestampDeltas(source, [-100, 100])
  assert.deepEqual(
    withSourceOffsets(batchesOf(reseal(shifted))).map(record => record.timestamp),
    [900, 1_100]
  )
})

test('a transactional batch loses its producer; a control batch gives nothing', () => {
  const options = { producerId: 77, producerEpoch: 3, baseSequence: 9, isTransactional: true }
  const source = encodeBatch([{ value: 'v' }], options)
  const [batch] = batchesOf(reseal(source))
  checkHeader(batch as ResealedBatch, 1_000)
  const marker = encodeBatch([{ key: Buffer.from([0, 0, 0, 1]) }], { ...options, isControl: true })
  assert.deepEqual(reseal(marker), { batches: [], skipped: 0 })
})

test('deltas that lie under a dense header are mended: the header decides', () => {
  const records = [0, 7, 3].map(offsetDelta => ({ value: `${offsetDelta}`, offsetDelta }))
  const source = encodeBatch(records, { baseOffset: 10, lastOffsetDelta: 2 })
  const found = withSourceOffsets(batchesOf(reseal(source)))
  assert.deepEqual(
    found.map(({ offset, value }) => [offset, value?.toString()]),
    [
      [10, '0'],
      [11, '7'],
      [12, '3']
    ]
  )
})

test('times that a number cannot hold stay exact', () => {
  const source = encodeBatch([{ timestamp: 0 }, { timestamp: 2 ** 50 }, { timestamp: 1 }])
  const base = 1_764_000_000_123_456_789n
  source.writeBigInt64BE(base, 27)
  source.writeBigInt64BE(base + 2n ** 50n, 35)
  const [batch] = batchesOf(reseal(seal(source)))
  const bytes = Buffer.from(batch?.bytes as Uint8Array)
  assert.equal(bytes.readBigInt64BE(27), base)
  assert.equal(bytes.readBigInt64BE(35), base + 2n ** 50n)
  assert.deepEqual(bytes.subarray(61), source.subarray(61))
})

test('a time beyond 64 bits is malformed', () => {
  const source = encodeBatch([{ timestamp: 0 }, { timestamp: 1 }])
  source.writeBigInt64BE(2n ** 63n - 1n, 27)
  assert.equal(failureOf(reseal(seal(source))), 'malformed')
})

test('damage is not signed: a wrong CRC is told before anything is decoded', () => {
  const source = encodeBatch([{ value: 'v'.repeat(1_000) }], { codec: 'gzip' })
  for (const at of [21, 40, 61, source.length - 1]) {
    const damaged = Buffer.from(source)
    damaged[at] = (damaged[at] as number) ^ 1
    const result = reseal(damaged)
    assert.ok(['bad-crc', 'malformed'].includes(failureOf(result) ?? ''))
    if (at >= 61) assert.equal(failureOf(result), 'bad-crc')
  }
})

test('one record over the limit is told by its offset', () => {
  const records = [{ value: 'v' }, { value: Buffer.alloc(2_000, 'w') }, { value: 'x' }]
  const result = reseal(encodeBatch(records, { baseOffset: 40 }), { maxBytes: 1_000 })
  assert.ok('failure' in result)
  assert.equal(result.failure, 'too-large')
  assert.match(result.detail, /offset 41 is 20\d\d bytes/)
})

test('a bomb in a batch is malformed', () => {
  const source = encodeBatch([{ value: Buffer.alloc(20_000_000) }], { codec: 'zstd' })
  assert.equal(
    failureOf(reseal(source, { limits: { ...limits, maxBytes: 1_000_000 } })),
    'malformed'
  )
})

test('an empty batch that compaction kept gives nothing', () => {
  for (const codec of codecs) {
    const source = encodeBatch([], { lastOffsetDelta: 9, timestampType: 'create' })
    source.writeInt16BE(codecs.indexOf(codec), 21)
    assert.deepEqual(reseal(seal(source)), { batches: [], skipped: 0 })
  }
})

const broken: [string, number[]][] = [
  ['a negative record length', [0x01]],
  ['a record longer than the batch', [0x7e, 0, 0, 0, 1, 1, 0]],
  ['an integer of six bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0]],
  ['an integer of 33 bits', [20, 0, 0, 0, 0x82, 0x80, 0x80, 0x80, 0x10, 0x61, 1, 0]],
  ['a key length of -2', [12, 0, 0, 0, 3, 1, 0]],
  ['a key beyond its record', [12, 0, 0, 0, 40, 1, 0]],
  ['a negative number of headers', [12, 0, 0, 0, 1, 1, 1]],
  ['more headers than bytes', [12, 0, 0, 0, 1, 1, 0x7e]],
  ['a header without a key', [16, 0, 0, 0, 1, 1, 2, 1, 1]],
  ['a byte too many in the record', [14, 0, 0, 0, 1, 1, 0, 0]],
  ['a byte too many in the batch', [12, 0, 0, 0, 1, 1, 0, 0]]
]

for (const [name, body] of broken) {
  test(`malformed: ${name}`, () => {
    const batch = Buffer.concat([encodeBatch([], {}), Buffer.from(body)])
    batch.writeInt32BE(batch.length - 12, 8)
    batch.writeInt32BE(1, 57)
    assert.throws(() => drain(openBatch(seal(batch), limits)), BatchFault)
  })
}

test('malformed: offsets that run backwards, stand still or go beyond the batch', () => {
  for (const deltas of [
    [0, 2, 2],
    [0, 2, 1],
    [0, 2, 9],
    [-1, 2, 3]
  ]) {
    const records = deltas.map(offsetDelta => ({ offsetDelta }))
    const source = encodeBatch(records, { lastOffsetDelta: 8 })
    assert.equal(failureOf(reseal(source)), 'malformed', `${deltas}`)
  }
})

test('malformed: counts and offsets that no batch has', () => {
  const changes: ((batch: Buffer) => void)[] = [
    batch => batch.writeInt32BE(-1, 57),
    batch => batch.writeInt32BE(2_000_000_000, 57),
    batch => batch.writeInt32BE(-1, 23),
    batch => batch.writeBigInt64BE(-1n, 0),
    batch => batch.writeBigInt64BE(2n ** 63n - 1n, 0),
    batch => batch.writeInt8(3, 16),
    batch => batch.writeInt16BE(5, 21),
    batch => batch.writeInt32BE(20, 8)
  ]
  for (const change of changes) {
    const batch = encodeBatch([{ value: 'a' }, { value: 'b' }])
    change(batch)
    assert.equal(failureOf(reseal(seal(batch))), 'malformed', change.toString())
  }
  for (const length of [0, 11, 17, 60]) {
    assert.equal(failureOf(reseal(encodeBatch([{}]).subarray(0, length))), 'malformed')
  }
})

test('integers longer than they have to be are written shortest, headers too', () => {
  // Key length 1 in two bytes, header count 1 in two.
  const record = [0, 0, 0, 0x82, 0x00, 0x61, 1, 0x82, 0x00, 2, 0x68, 1]
  const batch = Buffer.concat([encodeBatch([], {}), Buffer.from([record.length * 2, ...record])])
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(1, 57)
  const [resealed] = batchesOf(reseal(seal(batch)))
  const body = Buffer.from(resealed?.bytes as Uint8Array).subarray(61)
  assert.deepEqual([...body], [20, 0, 0, 0, 2, 0x61, 1, 2, 2, 0x68, 1])
})

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

function batchesOf(result: ResealResult): ResealedBatch[] {
  assert.ok('batches' in result, JSON.stringify(result))
  return result.batches
}

function failureOf(result: ResealResult): string | undefined {
  return 'failure' in result ? result.failure : undefined
}

function seen(source: Buffer): DecodedRecord[] {
  return decodeBatch(source).records
}

function lastDelta(records: RecordInput[]): number {
  return records.at(-1)?.offsetDelta ?? 0
}

/** The records of the batches as the tests' own decoder reads them, at the offsets that the runs name. */
function withSourceOffsets(batches: ResealedBatch[]): DecodedRecord[] {
  return batches.flatMap(({ bytes, offsets, firstOffset, lastOffset }) => {
    const { records } = decodeBatch(Buffer.from(bytes))
    assert.deepEqual(
      records.map(({ offset }) => offset),
      records.map((_, index) => index)
    )
    const found: DecodedRecord[] = []
    for (let at = 0; at < offsets.length; at += 3) {
      const [offset, index, count] = offsets.subarray(at, at + 3) as unknown as [
        number,
        number,
        number
      ]
      assert.equal(index, found.length)
      for (let place = 0; place < count; place++) {
        found.push({ ...(records[index + place] as DecodedRecord), offset: offset + place })
      }
    }
    assert.equal(found.length, records.length)
    assert.deepEqual([found[0]?.offset, found.at(-1)?.offset], [firstOffset, lastOffset])
    return found
  })
}

function checkHeader({ bytes, recordCount, maxTimestamp }: ResealedBatch, maxBytes: number): void {
  const batch = Buffer.from(bytes)
  const { header, records } = decodeBatch(batch)
  assert.ok(batch.length <= maxBytes)
  assert.ok(isIntact(batch))
  assert.equal(header.baseOffset, 0)
  assert.equal(header.attributes & ~7, 0)
  assert.equal(header.partitionLeaderEpoch, -1)
  assert.deepEqual([header.producerId, header.producerEpoch, header.baseSequence], [-1, -1, -1])
  assert.equal(header.recordCount, recordCount)
  assert.equal(header.lastOffsetDelta, recordCount - 1)
  assert.equal(header.baseTimestamp, records[0]?.timestamp)
  assert.equal(header.maxTimestamp, maxTimestamp)
  assert.equal(maxTimestamp, Math.max(...records.map(({ timestamp }) => timestamp)))
}

/** Writes the two records of a plain batch anew, empty and with these time deltas. */
function withTimestampDeltas(batch: Buffer, deltas: number[]): Buffer {
  const records = deltas.map((delta, index) => {
    const body = [0]
    writeVarint(delta, body)
    writeVarint(index, body)
    body.push(1, 1, 0)
    return Buffer.from([body.length * 2, ...body])
  })
  const changed = Buffer.concat([batch.subarray(0, 61), ...records])
  changed.writeInt32BE(changed.length - 12, 8)
  return seal(changed)
}

function drain(records: { next(): boolean }): void {
  while (records.next());
}

// Compression as batches use it: what others wrote and read, damage, and bombs.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { BatchFault } from '../../src/batches/batch-fault.ts'
import { codecs } from '../../src/batches/codec.ts'
import { compress, decompress, defaultLimits, type Limits } from '../../src/batches/compression.ts'
import * as others from '../support/codecs.ts'
import { Chance } from '../support/random-records.ts'

const small: Limits = { maxBytes: 1_048_576, maxRatio: 1_000 }

for (const codec of codecs) {
  test(`${codec}: what others write is read, and others read what is written`, () => {
    const chance = new Chance(7)
    for (const length of [0, 1, 15, 4_096, 65_536, 65_537, 300_000]) {
      const plain = sample(chance, length)
      assert.deepEqual(others.decompress(codec, compress(codec, plain)), plain)
      assert.deepEqual(decompress(codec, others.compress(codec, plain), defaultLimits), plain)
    }
  })

  test(`${codec}: bytes that cannot be compressed grow by little`, () => {
    const chance = new Chance(1)
    const plain = Buffer.from(Array.from({ length: 200_000 }, () => chance.below(256)))
    const packed = compress(codec, plain)
    assert.ok(packed.length < plain.length + 1_000)
    assert.deepEqual(decompress(codec, packed, defaultLimits), plain)
  })

  test(`${codec}: no damage ends in anything but a fault or other bytes`, () => {
    const chance = new Chance(3)
    const packed = compress(codec, sample(chance, 3_000))
    for (let round = 0; round < 2_000; round++) {
      const damaged = Buffer.from(packed.subarray(0, packed.length - chance.pick([0, 0, 0, 1, 9])))
      for (let change = 0; change <= chance.below(3); change++) {
        damaged[chance.below(chance.pick([damaged.length, 20]))] = chance.below(256)
      }
      try {
        assert.ok(decompress(codec, damaged, small).length <= small.maxBytes)
      } catch (error) {
        assert.ok(error instanceof BatchFault, String(error))
        assert.equal(error.reason, 'malformed')
      }
    }
  })
}

test('a raw Snappy block is read, as librdkafka writes it', () => {
  const plain = Buffer.alloc(100_000, 'raw ')
  assert.deepEqual(decompress('snappy', others.compress('snappy', plain, 'raw'), small), plain)
})

test('LZ4 frames are what Java writes: independent blocks of 64 KiB, one checksum', () => {
  const frame = compress('lz4', Buffer.alloc(10))
  assert.deepEqual(frame.subarray(0, 7), Buffer.from('04224d18604082', 'hex'))
})

test('the wrong header checksum of format 0 is overlooked there alone', () => {
  const frame = compress('lz4', Buffer.alloc(1_000, 'old '))
  frame[6] = 0
  assert.deepEqual(decompress('lz4', frame, small, 0), Buffer.alloc(1_000, 'old '))
  assert.throws(() => decompress('lz4', frame, small, 1), BatchFault)
})

const bombs: [string, (typeof codecs)[number], () => Buffer][] = [
  ['gzip of zeros', 'gzip', () => gzipSync(Buffer.alloc(40_000_000))],
  ['Snappy in blocks', 'snappy', () => others.compress('snappy', Buffer.alloc(40_000_000))],
  ['one Snappy block', 'snappy', () => others.compress('snappy', Buffer.alloc(40_000_000), 'raw')],
  ['LZ4 in many blocks', 'lz4', () => compress('lz4', Buffer.alloc(40_000_000))],
  ['LZ4 in large blocks', 'lz4', () => others.compress('lz4', Buffer.alloc(40_000_000))],
  ['Zstandard of zeros', 'zstd', () => others.compress('zstd', Buffer.alloc(40_000_000))],
  ['Zstandard that tells no size', 'zstd', () => repeatedBlocks(10_000)]
]

for (const [name, codec, make] of bombs) {
  test(`a bomb is refused before it takes memory: ${name}`, () => {
    const bomb = make()
    const before = process.resourceUsage().maxRSS
    assert.throws(() => decompress(codec, bomb, small), /over 1048576 bytes/)
    assert.ok(process.resourceUsage().maxRSS - before < 20_000, 'KiB of memory')
  })
}

const lies: [string, (typeof codecs)[number], Buffer][] = [
  ['a Snappy block claims 4 GB', 'snappy', Buffer.from('ffffffff0f00', 'hex')],
  ['a Snappy block claims more than its bytes can hold', 'snappy', Buffer.from('80800400', 'hex')],
  // Magic, single segment with a size of 8 bytes, one last raw block of 1 byte.
  [
    'a Zstandard frame claims 4 GB',
    'zstd',
    Buffer.from('28b52ffde0ffffffff0000000009000041', 'hex')
  ],
  ['a Zstandard frame ends early', 'zstd', Buffer.from('28b52ffd00', 'hex')],
  ['there is nothing', 'zstd', Buffer.alloc(0)],
  ['there is nothing', 'lz4', Buffer.alloc(0)],
  ['there is nothing', 'snappy', Buffer.alloc(0)],
  ['there is nothing', 'gzip', Buffer.alloc(0)]
]

for (const [name, codec, bytes] of lies) {
  test(`${codec}: ${name}`, () => {
    assert.throws(() => decompress(codec, bytes, small), BatchFault)
  })
}

test('a high ratio is refused where it takes much memory, and taken where it does not', () => {
  const limits = { maxBytes: 128 * 1_048_576, maxRatio: 100 }
  assert.equal(decompress('gzip', gzipSync(Buffer.alloc(10_000_000)), limits).length, 10_000_000)
  assert.throws(() => decompress('gzip', gzipSync(Buffer.alloc(30_000_000)), limits), BatchFault)
})

function sample(chance: Chance, length: number): Buffer {
  const words = ['order ', 'shipped ', 'EUR ', '\0\u0001', 'ä', '{"id":']
  const text = Array.from({ length: length / 2 + 1 }, () => chance.pick(words)).join('')
  return Buffer.from(text).subarray(0, length)
}

// Each a block of type 1: 128 KiB of one byte, in four. The window is the smallest.
function repeatedBlocks(count: number): Buffer {
  const frame = Buffer.concat([Buffer.from('28b52ffd0038', 'hex'), Buffer.alloc(4 * count)])
  for (let block = 0; block < count; block++) {
    const isLast = block === count - 1 ? 1 : 0
    frame.writeUIntLE((131_072 << 3) | 2 | isLast, 6 + 4 * block, 3)
  }
  return frame
}

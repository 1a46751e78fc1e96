// Partitions by key are those of Kafka's own producer.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur2, partitionOfKey } from '../../src/transform/key-partition.ts'

// From the tests of Kafka's clients (UtilsTest.testMurmur2).
const known: readonly [string, number][] = [
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107]
]

for (const [text, hash] of known) {
  test(`murmur2 of ${text}`, () => {
    assert.equal(murmur2(Buffer.from(text)), hash)
    assert.equal(partitionOfKey(Buffer.from(text), 7), (hash & 0x7fff_ffff) % 7)
  })
}

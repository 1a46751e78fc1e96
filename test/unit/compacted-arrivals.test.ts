import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alignArrived } from '../../src/mirror/compacted-arrivals.ts'

/** Letters stand for records. */
function align(source: string, target: string): number {
  return alignArrived(...([source, target].map(digestsOf) as [bigint[], bigint[]]))
}

function digestsOf(records: string): bigint[] {
  return [...records].map(record => BigInt(record.codePointAt(0) ?? 0))
}

test('nothing compacted: all that arrived is passed over', () => {
  assert.equal(align('abcdef', 'abc'), 3)
  assert.equal(align('abc', 'abc'), 3)
  assert.equal(align('abc', ''), 0)
})

test('what compaction took from the source is not counted', () => {
  assert.equal(align('acdef', 'abc'), 2)
  assert.equal(align('cdefgh', 'abc'), 1)
  assert.equal(align('defgh', 'abc'), 0)
})

test('what compaction took from the target has arrived all the same', () => {
  assert.equal(align('abcdef', 'bc'), 3)
  assert.equal(align('abcdef', 'ac'), 3)
})

test('the last record that arrived may be gone from the source', () => {
  assert.equal(align('abde', 'abc'), 2)
})

test('a record that comes twice is found in its place', () => {
  assert.equal(align('abab', 'ab'), 2)
  assert.equal(align('ababcd', 'abab'), 4)
})

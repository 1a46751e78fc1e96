import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchPathsOf } from '../../src/mirror/batch-paths.ts'
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/mirror/checkpoint.ts'
import { noCounts } from '../../src/mirror/lane-counts.ts'

const checkpoint: Checkpoint = {
  algorithm: 1,
  targetClusterId: 'MkU3OEVBNTcwNTJENDM2Qg',
  producerId: 1_234_567_890_123,
  producerEpoch: 3,
  nextSequence: 2_147_483_647,
  targetEnd: 9_007_199_254_740_991,
  isInStep: true,
  level: { delivery: 'exactly-once', deliveryReason: '' },
  sourceTopicId: '0123456789abcdef0123456789abcdef',
  targetTopicId: 'fedcba9876543210fedcba9876543210',
  leaderEpoch: 2_147_483_647
}

test('a checkpoint comes back from its text as it was', () => {
  const decoded = decodeCheckpoint(encodeCheckpoint(checkpoint))
  assert.deepEqual(decoded, { kind: 'own', checkpoint })
})

test('unknown numbers and odd cluster ids survive too', () => {
  const odd = { ...checkpoint, targetClusterId: 'a;b=c %ü', producerId: -1, targetEnd: -1 }
  assert.deepEqual(decodeCheckpoint(encodeCheckpoint(odd)), { kind: 'own', checkpoint: odd })
})

test('a stop that outlives the process travels along, and older text knows of none', () => {
  const stopped: Checkpoint = { ...checkpoint, keptStop: 'target-went-back' }
  const text = encodeCheckpoint(stopped)
  assert.deepEqual(decodeCheckpoint(text), { kind: 'own', checkpoint: stopped })
  const older = decodeCheckpoint(text.replace(';stop=target-went-back', ''))
  assert.deepEqual(older, { kind: 'own', checkpoint })
})

test('other partitions travel along, and damage to them is no checkpoint', () => {
  const branch = {
    topic: 'a.b-c_d',
    producerId: 5,
    producerEpoch: 0,
    nextSequence: 9,
    targetEnd: 77
  }
  const branches = [0, 12].map(partition => ({ ...branch, partition }))
  const text = encodeCheckpoint({ ...checkpoint, branches })
  assert.deepEqual(decodeCheckpoint(text), { kind: 'own', checkpoint: { ...checkpoint, branches } })
  assert.match(text, /;fan=a\.b-c_d:0\.5\.0\.9\.77,12\.5\.0\.9\.77$/)
  assert.deepEqual(decodeCheckpoint(`${text}x`), { kind: 'foreign' })
})

test('what was done travels along, and older text does not tell', () => {
  const deeds = { paths: { shallow: 12, holes: 3, 'already-there': 1 }, lost: 7 }
  const text = encodeCheckpoint({ ...checkpoint, deeds })
  assert.deepEqual(decodeCheckpoint(text), { kind: 'own', checkpoint: { ...checkpoint, deeds } })
  assert.match(text, /;paths=shallow:12,holes:3,already-there:1;lost=7$/)
  const newer = decodeCheckpoint(text.replace('holes:3', 'merged:9,holes:x'))
  const paths = { shallow: 12, 'already-there': 1 }
  assert.deepEqual(newer, {
    kind: 'own',
    checkpoint: { ...checkpoint, deeds: { paths, lost: 7 } }
  })
})

test('T27: the text stays far below the 4,096 bytes that a broker takes', () => {
  const most = Number.MAX_SAFE_INTEGER
  const counts = Object.fromEntries(Object.keys(noCounts).map(name => [name, most]))
  const paths = batchPathsOf({ ...noCounts, ...counts })
  assert.equal(Object.keys(paths).length, 16)
  const text = encodeCheckpoint({ ...checkpoint, deeds: { paths, lost: most } })
  assert.ok(Buffer.byteLength(text) < 700, text)
})

test('no text means that nothing was said', () => {
  assert.deepEqual(decodeCheckpoint(''), { kind: 'none' })
})

test('the text of a newer version is recognised and not read', () => {
  assert.deepEqual(decodeCheckpoint('h2;whatever=1'), { kind: 'newer', version: 2 })
})

test('names that this version does not know are passed over', () => {
  const text = `${encodeCheckpoint(checkpoint)};topic=abc`
  assert.deepEqual(decodeCheckpoint(text), { kind: 'own', checkpoint })
})

test('text of other programs and damaged text are foreign', () => {
  const whole = encodeCheckpoint(checkpoint)
  const texts = ['NO METADATA', '{"a":1}', 'h1', 'h0;alg=1', whole.replace('seq=', 'seq=x')]
  for (const text of [...texts, whole.slice(0, 40), `${whole.slice(0, 20)}%zz`]) {
    assert.equal(decodeCheckpoint(text).kind, 'foreign', text)
  }
})

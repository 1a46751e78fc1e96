// Cells of the benchmark's matrix, by the parts of their names.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../bench/failure.ts'
import { matrixCell, walk } from '../../bench/matrix.ts'
import { type RealScenario, scenarios } from '../../bench/scenarios.ts'

function realCell(text: string): RealScenario {
  const cell = matrixCell(text)
  assert.ok(cell.ends === 'real')
  return cell
}

test('a cell has what its parts say, and otherwise the middle of each factor', () => {
  const cell = realCell('real:zstd:100:4k:128:tls:20ms:compacted')
  const { codec, recordBytes, batchBytes, partitions, tls, roundTripMs, far, topicShape } = cell
  assert.deepEqual([codec, recordBytes, batchBytes, partitions], ['zstd', 100, 4_096, 128])
  assert.deepEqual([tls, roundTripMs, far, topicShape], [true, 20, undefined, 'compacted'])
  const { codec: middle, recordBytes: record, tls: plain, ...others } = realCell('real:128:1m')
  assert.deepEqual([middle, record, plain], ['lz4', 1_024, undefined])
  assert.deepEqual([others.partitions, others.batchBytes], [128, 1_048_576])
  for (const factor of ['roundTripMs', 'far', 'topicShape']) assert.ok(!(factor in others), factor)
})

test('neither the order of parts nor naming a middle makes another cell', () => {
  const cell = matrixCell('real:tls:gzip')
  assert.equal(cell.name, 'real-gzip-tls')
  assert.deepEqual(matrixCell('real:0ms:gzip:tls'), cell)
  assert.deepEqual(matrixCell('real:dense:16:gzip:256k:1024:tls'), cell)
})

test('the name of a cell leads to it', () => {
  for (const text of [
    'real:one:target:80ms:transactional',
    'stub:zstd:10240:1',
    'stub:20ms:target',
    ...walkNames()
  ]) {
    const cell = matrixCell(text)
    assert.deepEqual(matrixCell(cell.name), cell)
    // Topics and files bear it.
    assert.match(cell.name, /^[a-z0-9-]+$/)
  }
})

function walkNames(): string[] {
  return walk.map(({ name }) => name)
}

const named: [parts: string, name: string][] = [
  ['real', 'real-256k'],
  ['real:16k', 'real-16k'],
  ['real:1', 'real-single-partition'],
  ['real:80ms:16k', 'real-16k-80ms'],
  ['real:80ms:16k:target', 'real-16k-80ms-target'],
  ['stub', 'stub-256k'],
  ['stub:one', 'stub-one-record'],
  ['stub:10000', 'stub-partitions-10000']
]

for (const [parts, name] of named) {
  test(`${parts} is ${name} of the table`, () => {
    assert.equal(
      matrixCell(parts),
      scenarios.find(each => each.name === name)
    )
  })
}

const refused: [text: string, message: RegExp][] = [
  [
    'nonsense',
    /^--cell: expected the name of a cell, or real or stub and parts \(see --help\), got nonsense$/
  ],
  ['mock:zstd', /^--cell: expected the name of a cell, or real or stub/],
  ['real:5k', /^--cell real:5k: expected parts of none gzip .* 256k\* .*, got 5k$/],
  ['real:', /, got none$/],
  ['real:zstd:gzip', /^--cell real:zstd:gzip: zstd and gzip exclude each other$/],
  ['real:4k:4k', /4k and 4k exclude each other$/],
  ['real:target', /^--cell real:target: a far target needs a round trip/],
  ['stub:tls', /^--cell stub:tls: stub ends are plain text and dense/],
  ['stub:compacted', /^--cell stub:compacted: stub ends are plain text/]
]

for (const [text, message] of refused) {
  test(`refused: ${text}`, () => {
    assert.throws(
      () => matrixCell(text),
      error => error instanceof UsageError && message.test(error.message)
    )
  })
}

test('the walk goes to each value of each factor that the table has not, and is no product', () => {
  const values = (of: (cell: RealScenario) => unknown) =>
    [...new Set([...walk, ...scenarios.filter(isReal)].map(of))].sort()
  assert.deepEqual(
    values(({ codec }) => codec),
    ['gzip', 'lz4', 'none', 'snappy', 'zstd']
  )
  assert.deepEqual(values(({ recordBytes }) => recordBytes).length, 3)
  assert.deepEqual(values(({ batchBytes }) => batchBytes).length, 5)
  assert.deepEqual(values(({ partitions }) => partitions).length, 4)
  assert.deepEqual(
    values(({ tls = false }) => tls),
    [false, true]
  )
  assert.deepEqual(
    values(({ roundTripMs = 0 }) => roundTripMs),
    [0, 20, 80]
  )
  assert.deepEqual(values(({ topicShape = 'dense' }) => topicShape).length, 3)
  assert.ok(walk.length < 20)
  assert.deepEqual(
    walkNames().filter(name => scenarios.some(each => each.name === name)),
    []
  )
})

function isReal(scenario: (typeof scenarios)[number]): scenario is RealScenario {
  return scenario.ends === 'real'
}

test('slow shapes move less, so that a run takes seconds and not hours', () => {
  const middle = realCell('real:gzip').totalRecordBytes
  // As many records in a second, and each a tenth as large.
  assert.equal(realCell('real:100').totalRecordBytes, middle / 10)
  assert.ok(realCell('real:one').totalRecordBytes < middle / 4)
  // A batch of 4 KiB of each of 16 partitions in 80 ms is 0.8 MB/s.
  const far = realCell('real:4k:80ms:target').totalRecordBytes * 0.45
  assert.ok(Math.abs(far / 15 / 0.82e6 - 1) < 0.01)
  assert.equal(realCell('real:4k:80ms').totalRecordBytes, middle)
  const stub = matrixCell('stub:4k:80ms:target')
  assert.ok(stub.ends === 'stub' && stub.roundTripMs === 80 && stub.far === 'target')
  // Five of them.
  assert.ok(Math.abs(stub.totalWireBytes / 15 / 4.1e6 - 1) < 0.01)
})

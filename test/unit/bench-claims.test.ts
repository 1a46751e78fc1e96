// What the project claims of its speed, checked against results.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claims } from '../../bench/claims.ts'
import type { ContenderName } from '../../bench/contender.ts'
import { defaultCells, scenarios } from '../../bench/scenarios.ts'
import { judge } from '../../bench/verdict.ts'
import { cellOf, runsOf } from './bench-results.ts'

function verdictOf(cells: Parameters<typeof judge>[0], figure: string, cell: string) {
  return judge(cells).filter(verdict => verdict.cell === cell && verdict.figure === figure)
}

test('a claim is of a cell that there is, with heliostat and the contender it names, and has a threshold', () => {
  const takesPart = (cell: string, contender: ContenderName) =>
    scenarios.some(({ name, contenders }) => name === cell && contenders.includes(contender))
  for (const { cell, against = 'heliostat', againstCell = cell, least, most } of claims) {
    assert.ok(takesPart(cell, 'heliostat'), cell)
    assert.ok(takesPart(againstCell, against), `${againstCell} ${against}`)
    assert.notEqual(least === undefined, most === undefined, cell)
  }
})

test('a ratio to a contender is of the same cell', () => {
  const cells = [
    cellOf('stub-4k', ...runsOf('heliostat', [51]), ...runsOf('raw-relay', [100])),
    cellOf('stub-16k', ...runsOf('heliostat', [79]), ...runsOf('raw-relay', [100]))
  ]
  const [small] = verdictOf(cells, 'wireMbPerSecond', 'stub-4k')
  assert.deepEqual([small?.value.toFixed(3), small?.isReached], ['0.510', true])
  const [medium] = verdictOf(cells, 'wireMbPerSecond', 'stub-16k')
  assert.deepEqual([medium?.value.toFixed(3), medium?.isReached], ['0.790', false])
})

test("a ratio to another cell is of heliostat's own figures", () => {
  const many = cellOf('stub-partitions-10000', ...runsOf('heliostat', [1_200]))
  const few = (rate: number) =>
    cellOf('stub-256k', ...runsOf('heliostat', [rate]), ...runsOf('raw-relay', [3_000]))
  const of = (rate: number) =>
    verdictOf([many, few(rate)], 'wireMbPerSecond', 'stub-partitions-10000')[0]
  assert.deepEqual([of(2_000)?.value, of(2_000)?.isReached], [0.6, true])
  assert.equal(of(2_100)?.isReached, false)
  assert.deepEqual(verdictOf([many], 'wireMbPerSecond', 'stub-partitions-10000'), [])
})

test('between real brokers each record-by-record mirror costs twelve times as much', () => {
  const rivals = ['mirror-maker-1', 'mirror-maker-2', 'node-rdkafka-loop']
  const cell = (cpu: number) =>
    cellOf(
      'real-256k',
      ...runsOf('heliostat', [100], { cpu: 1 }),
      ...rivals.flatMap(rival => runsOf(rival, [100], { cpu }))
    )
  const reached = (cpu: number) =>
    verdictOf([cell(cpu)], 'cpuPerRecordGb', 'real-256k').map(({ isReached }) => isReached)
  assert.deepEqual(reached(12.5), [true, true, true])
  assert.deepEqual(reached(11.5), [false, false, false])
})

test('what the default set measures is claimed of each of its cells', () => {
  for (const name of defaultCells)
    assert.ok(
      claims.some(({ cell }) => cell === name),
      name
    )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTable } from '../../src/observe/table.ts'

const columns = [
  { title: 'TOPIC' },
  { title: 'LAG', align: 'right' as const },
  { title: 'HOST', priority: 1 },
  { title: 'BROKER', priority: 2 }
]
const rows = [
  ['orders', '1,234', '10.0.0.7', '1'],
  ['a', '5', '', '22']
]

test('columns are as wide as their widest cell, and numbers stand to the right', () => {
  assert.deepEqual(formatTable(columns, rows, 80), [
    'TOPIC     LAG  HOST      BROKER',
    'orders  1,234  10.0.0.7  1',
    'a           5            22'
  ])
})

test('a narrow terminal loses the columns of the highest number first, and no row', () => {
  assert.deepEqual(formatTable(columns, rows, 30), [
    'TOPIC     LAG  HOST',
    'orders  1,234  10.0.0.7',
    'a           5'
  ])
  assert.deepEqual(formatTable(columns, rows, 15), [
    'TOPIC     LAG',
    'orders  1,234',
    'a           5'
  ])
})

test('what may not be left out is shown whole, however narrow the terminal', () => {
  assert.deepEqual(formatTable(columns, rows, 3)[1], 'orders  1,234')
})

test('a table without rows is its titles', () => {
  assert.deepEqual(formatTable(columns, [], 80), ['TOPIC  LAG  HOST  BROKER'])
})

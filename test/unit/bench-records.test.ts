// What the benchmark's cells are filled with.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordValues } from '../../bench/records.ts'

for (const bytes of [100, 1_024, 10_240]) {
  test(`values of ${bytes} bytes are of that size, on one line, and hardly ever the same`, () => {
    const values = recordValues(500, bytes)
    assert.equal(values.length, 500)
    for (const value of values) {
      assert.equal(Buffer.byteLength(value), bytes)
      assert.ok(!value.includes('\n'))
    }
    assert.ok(new Set(values).size > 490)
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatProgress, measureProgress, takeSample } from '../../src/observe/progress.ts'
import { formatDuration } from '../../src/observe/units.ts'
import { laneView, linkState, mirrorState } from './mirror-state.ts'

test('rates come from two samples, and the time left from the goal', () => {
  const before = { at: 0, records: 0, bytes: 0, lag: 3_000, goal: { records: 3_000, done: 0 } }
  const now = {
    at: 2_000,
    records: 1_000,
    bytes: 4e6,
    lag: 2_000,
    goal: { records: 3_000, done: 1_000 }
  }
  const progress = measureProgress(before, now)
  assert.deepEqual(progress, {
    recordsPerSecond: 500,
    mbPerSecond: 2,
    lag: 2_000,
    done: 1 / 3,
    timeLeftMs: 4_000
  })
  assert.equal(
    formatProgress(progress),
    '500 records/s · 2.0 MB/s · lag 2,000 · 33 % done · 4.0s left'
  )
})

test('a lag that nobody knows is not zero', () => {
  const { lag: _, ...link } = linkState([laneView()])
  const sample = takeSample(mirrorState([{ ...link, lag: undefined }]), 1)
  assert.equal(sample.lag, undefined)
  assert.match(formatProgress(measureProgress(sample, { ...sample, at: 2 })), /lag unknown/)
})

test('durations take the largest unit that fits', () => {
  assert.deepEqual([400, 42_000, 72_000, 7_260_000].map(formatDuration), [
    '0.4s',
    '42s',
    '1m 12s',
    '2h 1m'
  ])
})

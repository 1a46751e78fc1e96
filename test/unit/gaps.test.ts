// What a lane has lost: counted exactly, told once, and kept when its lane is given up.

import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { pino } from 'pino'
import { Gaps } from '../../src/mirror/gaps.ts'
import { Lane } from '../../src/mirror/lane.ts'
import { logLaneEvent } from '../../src/mirror/lane-log.ts'
import { Repeats } from '../../src/mirror/repeats.ts'
import type { LinkEvent } from '../../src/native/index.ts'

test('gaps add up', () => {
  const gaps = new Gaps()
  gaps.note({ from: 100, to: 140, isSkipped: true })
  gaps.note({ from: 200, to: 202, isSkipped: true })
  assert.equal(gaps.offsets, 42)
  assert.deepEqual(
    gaps.listed.map(({ from, to }) => [from, to]),
    [
      [100, 140],
      [200, 202]
    ]
  )
})

test('a gap that is met again, grown meanwhile, counts once', () => {
  const gaps = new Gaps()
  gaps.note({ from: 100, to: 140, isSkipped: false })
  gaps.note({ from: 100, to: 170, isSkipped: true })
  assert.equal(gaps.offsets, 70)
  gaps.note({ from: 300, to: 310, isSkipped: true })
  // The lane began again at a commit from before both.
  gaps.note({ from: 90, to: 400, isSkipped: true })
  assert.equal(gaps.offsets, 310)
  assert.equal(gaps.listed.length, 1)
})

test('of very many gaps the newest are listed, and all are counted', () => {
  const gaps = new Gaps()
  for (let at = 0; at < 250; at++) gaps.note({ from: at * 10, to: at * 10 + 3, isSkipped: true })
  assert.equal(gaps.offsets, 750)
  assert.equal(gaps.listed.length, 100)
  assert.equal(gaps.listed.at(-1)?.to, 2_493)
})

test('each gap is a line of its own, an error, with what is lost and what to do', () => {
  const lines: Record<string, unknown>[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    }
  })
  const log = pino({ base: null, timestamp: false }, destination)
  const lane = new Lane('orders', 3)
  const gap = { type: 'source-gap', lane: 1, from: 100, to: 140 } as const
  const events: LinkEvent[] = [
    { ...gap, isSkipped: false },
    { ...gap, to: 150, isSkipped: true }
  ]
  const repeats = new Repeats()
  for (const event of events) logLaneEvent(log, repeats, lane, event)
  const [stopped, skipped] = lines
  assert.equal(lines.length, 2)
  for (const line of lines) {
    assert.deepEqual([line.level, line.topic, line.partition, line.from], [50, 'orders', 3, 100])
  }
  assert.deepEqual([stopped?.offsets, stopped?.isSkipped], [40, false])
  assert.match(String(stopped?.fix), /retention\.ms.*--on-gap skip.*offset 140/)
  assert.deepEqual([skipped?.offsets, skipped?.isSkipped], [50, true])
  assert.doesNotMatch(String(skipped?.fix), /--on-gap/)
})

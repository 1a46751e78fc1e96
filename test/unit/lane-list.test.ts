import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { listLanes, logLanes } from '../../src/observe/lane-list.ts'
import { laneView, linkState, mirrorState } from './mirror-state.ts'

const running = laneView()
const waiting = laneView({
  partition: 1,
  state: 'backing-off',
  reason: 'no-leader',
  checkpoint: -1
})
const given = laneView({ partition: 2, state: 'revoked' })

test('lanes that this process holds are listed, with their states counted', () => {
  const state = mirrorState([linkState([running, waiting, given])])
  const { shown, left, lanesByState } = listLanes(state, 10)
  assert.deepEqual(
    shown.map(({ lane }) => lane.partition),
    [0, 1]
  )
  assert.equal(left, 0)
  assert.deepEqual(lanesByState, { running: 1, 'backing-off': 1 })
})

test('where not all find room, those that are not simply running come first', () => {
  const state = mirrorState([
    linkState([running, running]),
    linkState([waiting], { source: 'north' })
  ])
  const { shown, left } = listLanes(state, 2)
  assert.deepEqual(
    shown.map(({ source, lane }) => `${source} ${lane.state}`),
    ['north backing-off', 'east running']
  )
  assert.equal(left, 1)
})

test('a line a lane and one at the end; what is not known is left out', () => {
  const lines: Record<string, unknown>[] = []
  const logger = pino({ base: null }, { write: line => lines.push(JSON.parse(line)) })
  logLanes(mirrorState([linkState([running, waiting])]), logger)
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['lane', 'lane', 'lanes listed']
  )
  const { state, reason, checkpoint, committed, lag } = lines[0] ?? {}
  assert.deepEqual([state, reason, checkpoint, committed, lag], ['running', 'none', 110, 100, 5])
  assert.ok(!('checkpoint' in (lines[1] ?? {})))
})

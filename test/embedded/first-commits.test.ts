// What is committed for a lane before it begins: after a crash nothing else tells what it has sent.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeCheckpoint } from '../../src/mirror/checkpoint.ts'
import { Group } from '../../src/native/index.ts'
import { laneOf, startMirror, startPair, waitFor } from '../support/mock-mirror.ts'

const offsetCommit = 8
const groupAuthorizationFailed = 30

// The id was claimed for the first try, and a partition is written under one id once.
test('a lane whose first commit failed begins under an id of its own, and commits it', async t => {
  const pair = startPair(t, { orders: 1 })
  pair.source.pushErrors(offsetCommit, [groupAuthorizationFailed])
  const { mirror, log } = startMirror(t, pair)
  await waitFor(() => laneOf(mirror, 'orders', 0)?.state === 'caught-up', 'the lane')
  assert.ok(log.some(({ error }) => error === 'GROUP_AUTHORIZATION_FAILED'))
  const reader = new Group({
    'bootstrap.servers': pair.source.bootstrapServers,
    'group.id': 'mirror'
  })
  t.after(() => reader.close())
  const [commit] = await reader.committed([{ topic: 'orders', partition: 0 }], 10_000)
  const decoded = decodeCheckpoint(commit?.metadata ?? '')
  assert.ok(decoded.kind === 'own', commit?.metadata ?? 'nothing is committed')
  assert.ok(decoded.checkpoint.producerId >= 0, commit?.metadata ?? '')
  assert.equal(decoded.checkpoint.level.delivery, 'exactly-once')
})

// A source from before Kafka 0.10 ends the run at once, whatever the target does.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBrokerBeforeTen } from '../support/broker-before-ten.ts'
import { startMirror } from '../support/mirror-process.ts'

const badConfig = 2

test('a source from before 0.10 is refused with what to do', async t => {
  const bootstrap = await startBrokerBeforeTen(t)
  // Nobody listens there.
  const target = { bootstrap: '127.0.0.1:1' }
  const options = { source: { bootstrap }, target, whitelist: 'any', group: 'any' }
  const mirror = await startMirror(t, options)
  const { code } = await mirror.exited
  assert.equal(code, badConfig, mirror.tail())
  assert.match(
    mirror.tail(),
    /is a Kafka broker from before 0\.10, which is too old: .*MirrorMaker of its own age/
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { noteReload, reload } from '../../src/commands/reload.ts'
import type { LoadedConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/errors.ts'
import type { Reloaded } from '../../src/mirror/reload.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { mirrorState } from './mirror-state.ts'

interface Line {
  level: number
  msg: string
  [field: string]: unknown
}

function reloadWith(take: () => Reloaded): { ok: boolean; lines: Line[] } {
  const lines: Line[] = []
  const logger = pino({ base: null }, { write: line => lines.push(JSON.parse(line)) })
  const ok = reload({ load: () => ({}) as LoadedConfig, take, logger })
  return { ok, lines }
}

test('what can be taken over is taken over', () => {
  const { ok, lines } = reloadWith(() => ({ taken: ['east: sasl.password'], waiting: [] }))
  assert.ok(ok)
  assert.deepEqual(
    lines.map(({ taken }) => taken),
    [['east: sasl.password']]
  )
})

test('what has to wait for a restart is named, and the reload was no success', () => {
  const { ok, lines } = reloadWith(() => ({ taken: [], waiting: ['west: ssl.ca.location'] }))
  assert.ok(!ok)
  assert.equal(lines.length, 2)
  assert.deepEqual(lines[1]?.waiting, ['west: ssl.ca.location'])
  assert.equal(lines[1]?.level, 40)
})

test('a file that cannot be used changes nothing, and the mirror goes on', () => {
  const problems = ['a.properties:3: gruop.id: unknown setting']
  const refused = reloadWith(() => {
    throw new ConfigError(problems)
  })
  assert.ok(!refused.ok)
  assert.deepEqual(refused.lines[0]?.problems, problems)
  const broken = reloadWith(() => {
    throw new TypeError('a mistake of ours')
  })
  assert.ok(!broken.ok)
  assert.equal(broken.lines[0]?.level, 50)
})

test('the time of the last good reload is kept', () => {
  const first = noteReload(undefined, false, 1_000)
  assert.deepEqual(first, { ok: false, at: 1_000 })
  const second = noteReload(first, true, 2_000)
  assert.deepEqual(noteReload(second, false, 3_000), { ok: false, at: 3_000, lastOkAt: 2_000 })
})

test('metrics show how the last reload went, once there was one', async () => {
  const build = { version: '1.2.3', librdkafka: '2.12.0', node: '20.20.2', features: '' }
  const render = (given = {}) => createMetrics(() => mirrorState([], given), build).render()
  assert.ok(!/^heliostat_config_reload_success /m.test(await render()))
  assert.match(await render(), /^heliostat_config_reload_timestamp_seconds 1700000000$/m)
  const failed = await render({ lastReload: { ok: false, at: 1, lastOkAt: 1_800_000_000_000 } })
  assert.match(failed, /^heliostat_config_reload_success 0$/m)
  assert.match(failed, /^heliostat_config_reload_timestamp_seconds 1800000000$/m)
})

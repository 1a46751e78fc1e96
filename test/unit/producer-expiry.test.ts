import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import {
  type BrokerConfigs,
  readProducerExpiry,
  smallestExpiry
} from '../../src/mirror/producer-expiry.ts'
import type { ConfigEntry, KafkaFailure } from '../../src/native/index.ts'

function entry(name: string, value: string): ConfigEntry {
  return { name, value, isDefault: false, isSensitive: false }
}

function expiry(ms: number): ConfigEntry[] {
  return [entry('log.dir', '/data'), entry('producer.id.expiration.ms', `${ms}`)]
}

function refused(name: string): Error {
  const failure: Partial<KafkaFailure> = { code: 31, name, message: 'not allowed' }
  return Object.assign(new Error(name), { failure })
}

/** A target of so many brokers; `read` answers for each. */
async function ask(brokers: number, read: (id: number) => Promise<ConfigEntry[]>) {
  const lines: { level: number; msg: string; [field: string]: unknown }[] = []
  const log = pino({ base: null }, { write: text => lines.push(JSON.parse(text)) })
  const all = Array.from({ length: brokers }, (_, id) => ({ id, host: 'west', port: 9_092 }))
  const target: BrokerConfigs = {
    metadata: async () => ({ brokers: all, topics: [] }),
    describeBrokerConfigs: read
  }
  return { expiryMs: await readProducerExpiry(target, log), lines }
}

test('brokers that differ: the smallest counts', async () => {
  assert.equal(smallestExpiry([expiry(7_200_000), expiry(3_600_000), []]), 3_600_000)
  const { expiryMs, lines } = await ask(3, async id => expiry(86_400_000 * (id + 1)))
  assert.equal(expiryMs, 86_400_000)
  assert.deepEqual(lines, [])
})

test('brokers before 3.4 count from the expiry of transactional ids', () => {
  const older = [entry('transactional.id.expiration.ms', '604800000')]
  assert.equal(smallestExpiry([older]), 604_800_000)
  assert.equal(smallestExpiry([[...older, ...expiry(86_400_000)]]), 86_400_000)
})

test('without the right a day is assumed, and said once, with the command that grants it', async () => {
  const { expiryMs, lines } = await ask(3, async () => {
    throw refused('CLUSTER_AUTHORIZATION_FAILED')
  })
  assert.equal(expiryMs, 86_400_000)
  assert.equal(lines.length, 1)
  assert.match(`${lines[0]?.fix}`, /--operation DescribeConfigs --cluster/)
  assert.equal(lines[0]?.error, 'CLUSTER_AUTHORIZATION_FAILED')
})

test('a broker that is away does not keep the others from being heard', async () => {
  const { expiryMs } = await ask(2, async id => {
    if (id === 0) throw refused('_TIMED_OUT')
    return expiry(3_600_000)
  })
  assert.equal(expiryMs, 3_600_000)
})

test('an error of ours is none of the brokers', async () => {
  await assert.rejects(
    ask(1, async () => {
      throw new TypeError('ours')
    }),
    /ours/
  )
})

test('a target that forgets within minutes is warned of', async () => {
  const { lines } = await ask(1, async () => expiry(600_000))
  assert.equal(lines[0]?.level, 40)
  assert.match(lines[0]?.msg ?? '', /one at a time: raise its producer.id.expiration.ms/)
})

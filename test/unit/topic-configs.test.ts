// What is copied to a new target topic, and when one is grown.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigEntry } from '../../src/native/index.ts'
import { chooseConfigs, isRecompressing, readBehaviour } from '../../src/topics/configs.ts'
import {
  chooseReplication,
  growsWithSource,
  isWorthRetrying,
  whyRefused
} from '../../src/topics/create-rules.ts'

function entry(name: string, value: string | null, isDefault = false): ConfigEntry {
  return { name, value, isDefault, isSensitive: false }
}

test('values that are set on the source are copied, others of its configs are not', () => {
  const source = [
    entry('cleanup.policy', 'compact'),
    entry('segment.bytes', '1000'),
    entry('retention.ms', null)
  ]
  assert.deepEqual(chooseConfigs(source, new Map()), { 'cleanup.policy': 'compact' })
})

test('a default of the source is set where the target would have another, or none is known', () => {
  const source = [entry('retention.ms', '604800000', true)]
  assert.deepEqual(chooseConfigs(source, new Map([['retention.ms', '604800000']])), {})
  const copied = { 'retention.ms': '604800000' }
  assert.deepEqual(chooseConfigs(source, new Map([['retention.ms', '1000']])), copied)
  assert.deepEqual(chooseConfigs(source, new Map()), copied)
})

test('the behaviour of a target topic is read from its configs', () => {
  const behaviour = readBehaviour([
    entry('max.message.bytes', '2097152'),
    entry('message.timestamp.type', 'LogAppendTime'),
    entry('compression.type', 'zstd'),
    entry('min.insync.replicas', '2')
  ])
  const expected = {
    maxMessageBytes: 2_097_152,
    isAppendTime: true,
    minInSyncReplicas: 2,
    compression: 'zstd'
  }
  assert.deepEqual(behaviour, expected)
})

test("a target recompresses unless it keeps the producer's codec or the source's", () => {
  assert.equal(isRecompressing('producer', 'producer'), false)
  assert.equal(isRecompressing('lz4', 'lz4'), false)
  assert.equal(isRecompressing('producer', 'gzip'), true)
  assert.equal(isRecompressing('producer', undefined), false)
})

test('only a topic that was in step with the source grows with it', () => {
  assert.equal(growsWithSource(6, 4, true), true)
  assert.equal(growsWithSource(6, 4, false), false)
  assert.equal(growsWithSource(4, 6, true), false)
})

test('the replication factor is at most the number of brokers', () => {
  assert.equal(chooseReplication(3, undefined, 1), 1)
  assert.equal(chooseReplication(2, undefined, 3), 2)
  assert.equal(chooseReplication(3, 2, 5), 2)
  assert.equal(chooseReplication(1, 3, 2), 2)
})

test('a creation is tried again when brokers are missing, and refused without the right', () => {
  const failure = { name: '', message: '', retriable: false, fatal: false }
  assert.equal(isWorthRetrying({ ...failure, code: 38 }), true)
  assert.equal(isWorthRetrying({ ...failure, code: 29 }), false)
  assert.equal(whyRefused('a', { ...failure, code: 29 }).reason, 'target-topic-refused')
  assert.equal(whyRefused('a', { ...failure, code: 36 }).reason, 'target-topic-missing')
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { redactConfig } from '../../src/config/redact.ts'
import { findRule, rules } from '../../src/config/rules/table.ts'
import { nearestName } from '../../src/config/suggest.ts'

test('every setting that librdkafka documents has a rule on the side that uses it', () => {
  const file = createRequire(import.meta.url).resolve(
    'node-rdkafka/deps/librdkafka/CONFIGURATION.md'
  )
  const rows = readFileSync(file, 'utf8').matchAll(/^([a-z_.]+) +\| +([*CP]) +\|/gm)
  const missing = [...rows].filter(([, name = '', use]) => {
    const rule = findRule(name, use === 'P' ? 'target' : 'source')
    const isOfOtherSide = rule?.side === (use === 'P' ? 'source' : 'target')
    return !rule || (use !== '*' && isOfOtherSide)
  })
  assert.deepEqual(
    missing.map(([, name]) => name),
    []
  )
})

test('a name has one rule a side', () => {
  const seen = new Map<string, number>()
  for (const { name, side } of rules) {
    for (const at of side ? [side] : ['source', 'target']) {
      seen.set(`${name} ${at}`, (seen.get(`${name} ${at}`) ?? 0) + 1)
    }
  }
  assert.deepEqual(
    [...seen].filter(([, count]) => count > 1),
    []
  )
})

test('a rename leads to a rule', () => {
  for (const rule of rules) {
    if (!('to' in rule) || rule.to.startsWith('--')) continue
    assert.ok(findRule(rule.to, rule.side ?? 'source'), `${rule.name} -> ${rule.to}`)
  }
})

test('secrets are masked by the ending of their name, and what librdkafka calls sensitive', () => {
  const masked = redactConfig({
    'sasl.password': 'a',
    'ssl.key.pem': 'b',
    'ssl.key.password': 'c',
    'sasl.oauthbearer.client.secret': 'd',
    'sasl.jaas.config': 'e',
    'ssl.key.location': 'f',
    'sasl.username': 'g',
    'sasl.oauthbearer.config': 'h',
    'ssl.ca.location': 'i',
    'bootstrap.servers': 'j'
  })
  assert.deepEqual(Object.values(masked), [
    ...Array.from({ length: 8 }, () => '[redacted]'),
    'i',
    'j'
  ])
})

test('the nearest name is within a third of its letters', () => {
  assert.equal(
    nearestName('bootstrap.server', ['bootstrap.servers', 'group.id']),
    'bootstrap.servers'
  )
  assert.equal(
    nearestName('fecth.min.bytes', ['fetch.min.bytes', 'fetch.max.bytes']),
    'fetch.min.bytes'
  )
  assert.equal(nearestName('colour', ['group.id', 'acks']), undefined)
})

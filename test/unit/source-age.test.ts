// What a mirror says of a source from before Kafka 0.11, or of one that cannot be read at all.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { ConfigError } from '../../src/errors.ts'
import { checkSourceAge } from '../../src/mirror/source-age.ts'

function check(fetchVersion: number): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) })
  checkSourceAge('old', 'b1:9092', fetchVersion, log)
  return lines
}

test('what a source of 0.10 does not tell is said once, and of newer ones nothing', () => {
  for (const fetchVersion of [2, 3]) {
    const [line, ...more] = check(fetchVersion)
    assert.deepEqual(more, [])
    assert.match(`${line?.msg}`, /from before Kafka 0\.11: every batch is rebuilt \(old-broker\)/)
    assert.ok((line?.notCopied as string[]).includes('cleanup.policy'))
  }
  // Not known, Kafka 0.11, and 4.1.
  for (const fetchVersion of [-1, 4, 18]) assert.deepEqual(check(fetchVersion), [])
})

test('a source whose settings hide that it is older still is refused', () => {
  const refused = { name: ConfigError.name, message: /^source "old": b1:9092 is .* before 0\.10/ }
  for (const fetchVersion of [0, 1]) assert.throws(() => check(fetchVersion), refused)
})

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ConfigError, UsageError } from '../../src/errors.ts'
import { readTopicPattern } from '../../src/topics/pattern.ts'
import { type SelectorOptions, TopicSelector } from '../../src/topics/select.ts'

function selector(t: TestContext, options: SelectorOptions): TopicSelector {
  const topics = new TopicSelector(options)
  t.after(() => topics.close())
  return topics
}

function matches(pattern: string, name: string): boolean {
  const { source, flags } = readTopicPattern(pattern)
  return new RegExp(source, flags).test(name)
}

test('the pattern is matched against whole names, and a comma means or', async t => {
  const topics = selector(t, { include: 'orders, log.*' })
  const { selected } = await topics.select(['orders', 'orders-2', 'my-log', 'log', 'log.web'])
  assert.deepEqual(selected, ['orders', 'log', 'log.web'])
})

test('outer quotes and spaces are taken off as MirrorMaker does', () => {
  assert.ok(matches(' "orders | pay ments" ', 'payments'))
  assert.ok(matches("'orders'", 'orders'))
})

test('a comma means or wherever it stands, and an escaped brace is no repetition', () => {
  assert.ok(matches('[a,b]x', 'bx'))
  assert.ok(matches('orders,\\Qlogs\\E', 'logs'))
  assert.ok(matches("'orders','logs'", "orders'|'logs") === false)
  assert.ok(matches('a\\{1,b', 'b'))
})

test('an exclude list mirrors everything else', async t => {
  const topics = selector(t, { exclude: 'test.*' })
  const { selected } = await topics.select(['orders', 'test', 'test-1'])
  assert.deepEqual(selected, ['orders'])
})

test('internal and control topics are left out even when the pattern matches, and named', async t => {
  const topics = selector(t, { include: '.*' })
  const control = [
    '__consumer_offsets',
    '__transaction_state',
    '__cluster_metadata',
    '__share_group_state',
    '__heliostat_offsets',
    'heartbeats',
    'east.heartbeats',
    'east.checkpoints.internal',
    'mm2-configs.east.internal',
    'mm2-offset-syncs.west.internal'
  ]
  const { selected, leftOut } = await topics.select(['orders', '__audit', ...control])
  assert.deepEqual(selected, ['orders', '__audit'])
  assert.deepEqual(
    leftOut.map(row => row.topic),
    control
  )
  assert.equal(leftOut[0]?.why, 'internal to Kafka')
})

test('control topics that the pattern does not match are not named', async t => {
  const { leftOut } = await selector(t, { include: 'orders' }).select(['__consumer_offsets'])
  assert.deepEqual(leftOut, [])
})

// As SIGSTOP and SIGCONT do it: the answer is there, and so is the timer of the limit.
test('a process that was stopped has not taken too long to match', async t => {
  const topics = selector(t, { include: 'orders', timeLimitMs: 500 })
  const selecting = topics.select(['orders', 'log'])
  await new Promise(resolve => setImmediate(resolve))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500)
  assert.deepEqual((await selecting).selected, ['orders'])
})

test('a catastrophic pattern ends with an error that names the topic, and the selector goes on', async t => {
  const topics = selector(t, { include: '(a+)+b', timeLimitMs: 1_500 })
  await assert.rejects(topics.select(['ok', 'a'.repeat(60)]), (error: Error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /no answer within 1500 ms at topic "aaaa/)
    return true
  })
  assert.deepEqual((await topics.select(['aab'])).selected, ['aab'])
})

const translated: readonly [pattern: string, name: string, isMatch: boolean][] = [
  ['\\Qa.b\\E.*', 'a.bc', true],
  ['\\Qa.b\\E.*', 'axbc', false],
  ['\\p{Alpha}+', 'orders', true],
  ['[\\p{Alpha}_]+-\\p{Digit}', 'or_ders-1', true],
  ['\\P{Digit}+', 'a1', false],
  ['(?i)ORDERS', 'orders', true],
  ['^(?!test).*', 'test-1', false],
  ['^(?!test).*', 'orders', true],
  ['\\Aorders\\z', 'orders', true],
  ['orders-[\\w-.]+', 'orders-a.b-c', true],
  ['a\\-b', 'a-b', true],
  ['[]a]+', 'a]', true],
  ['[a\\-c]+', 'a-c', true],
  ['[a\\-c]+', 'b', false],
  ['[a-c-]+', 'b-', true],
  ['log\\.\\w++', 'log.web', true],
  ['(a|b)\\1', 'aa', true],
  ['(a|b)\\1', 'ab', false],
  ['\\x61\\u0062', 'ab', true],
  ['a{2}', 'aa', true],
  ['.+?', 'abc', true],
  ['(?<!x)abc', 'abc', true],
  ['[^a-z]+', 'ABC', true]
]

for (const [pattern, name, isMatch] of translated) {
  test(`Java's ${pattern} ${isMatch ? 'matches' : 'does not match'} ${name}`, () => {
    assert.equal(matches(pattern, name), isMatch)
  })
}

const refused: readonly [pattern: string, message: string][] = [
  [
    'a{1,3}',
    'topic pattern: a comma separates patterns, so {1,3} cannot be written. Write it out: a(a(a)?)?\n  a{1,3}\n   ^'
  ],
  [
    '*',
    'topic pattern: there is nothing before this * to repeat. For every name write .* and for a dot \\.\n  *\n  ^'
  ],
  ['(orders', 'topic pattern: a ) is missing here\n  (orders\n         ^'],
  ['orders)', 'topic pattern: this ) has no ( before it\n  orders)\n        ^'],
  ['[a-z', 'topic pattern: this [ has no ] after it\n  [a-z\n  ^'],
  [
    '[a-z&&[^b]]',
    'topic pattern: an intersection && is not supported: use a look-ahead, such as (?!b)[a-z]\n  [a-z&&[^b]]\n      ^'
  ],
  ['a(?>b)c', 'topic pattern: an atomic group (?> is not supported here\n  a(?>b)c\n   ^'],
  ['a*+b', 'topic pattern: the possessive *+ is not supported here: write *\n  a*+b\n   ^'],
  [
    'a(?i)b',
    'topic pattern: a flag inside the pattern is not supported here: put (?i) at the very start\n  a(?i)b\n   ^'
  ],
  ['\\R', 'topic pattern: \\R is not supported here\n  \\R\n  ^'],
  ['[z-a]', 'topic pattern "[z-a]": Range out of order in character class'],
  ['', 'topic pattern: it is empty. For every topic write .*'],
  [' "" ', 'topic pattern: it is empty. For every topic write .*'],
  [
    'a{2, }b',
    'topic pattern: a comma separates patterns, so {1,3} cannot be written. Write it out: a(a(a)?)?\n  a{2, }b\n   ^'
  ],
  [
    'log–.*',
    'topic pattern: here stands – (U+2013, en dash), and no topic has it in its name\n  log–.*\n     ^'
  ],
  [
    '“log.*”',
    'topic pattern: here stands “ (U+201C, left double quotation mark), and no topic has it in its name\n  “log.*”\n  ^'
  ],
  [
    'a,\tb',
    'topic pattern: a tab, a line end or another white space but the plain one is in no topic name. Take it out\n  a| b\n    ^'
  ]
]

for (const [pattern, message] of refused) {
  test(`the pattern ${JSON.stringify(pattern)} is refused with its position`, () => {
    assert.throws(
      () => new TopicSelector({ include: pattern }),
      (error: Error) => {
        assert.ok(error instanceof UsageError)
        assert.equal(error.message, message)
        return true
      }
    )
  })
}

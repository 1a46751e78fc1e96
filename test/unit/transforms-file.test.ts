// The file of transforms: rules that are read, and everything that is wrong with one told at once.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { changedHandlers } from '../../src/commands/reload.ts'
import { readTransformsFile } from '../../src/config/transforms-file.ts'
import { ConfigError } from '../../src/errors.ts'
import { CommandLine } from '../support/command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'heliostat-transforms-'))
mkdirSync(join(folder, 'rules'))
const path = join(folder, 'rules', 'transforms.yaml')
const command = new CommandLine(folder)
after(() => {
  command.close()
  rmSync(folder, { recursive: true })
})
writeFileSync(join(folder, 'rules', 'handler.mjs'), 'export default record => record\n')
writeFileSync(join(folder, 'source.properties'), 'bootstrap.servers=localhost:1\ngroup.id=g\n')
writeFileSync(join(folder, 'target.properties'), 'bootstrap.servers=localhost:2\n')
const files = ['--consumer.config', 'source.properties', '--producer.config', 'target.properties']

const defaults = { onError: 'fail', maxErrors: 7, timeLimitMs: 500 } as const

function read(text: string) {
  writeFileSync(path, text)
  return readTransformsFile(path, defaults)
}

const good = `# Two rules and a comment.
- topics: orders,pay.*
  handlers:
    - filter: &eu { key: ^eu- }
    - drop-tombstones
    - { file: ./handler.mjs, args: { limit: 5 } }
    - ./handler.mjs
  on-error: skip
  max-errors: 0
- topics: '.*'
  handlers: [filter: *eu]
`

test('the first rule that takes a topic counts, and paths begin where the file is', () => {
  const { transforms, rules } = read(good)
  const file = join(folder, 'rules', 'handler.mjs')
  const eu = { name: 'filter', args: { key: '^eu-' }, folder: join(folder, 'rules') }
  assert.deepEqual(transforms.chains, [
    [
      eu,
      { name: 'drop-tombstones', args: undefined, folder: join(folder, 'rules') },
      { name: './handler.mjs', file, args: { limit: 5 } },
      { name: './handler.mjs', file, args: undefined }
    ],
    [eu]
  ])
  const found = ['orders', 'payments', 'logs'].map(topic => {
    const rule = transforms.ruleFor(topic)
    return [rule?.chain, rule?.onError, rule?.maxErrors]
  })
  assert.deepEqual(found, [
    [0, 'skip', 0],
    [0, 'skip', 0],
    [1, 'fail', 7]
  ])
  assert.deepEqual(
    rules.map(({ origin }) => origin),
    [`${path}:2`, `${path}:10`]
  )
  assert.equal(
    read('- topics: a\n  handlers: [drop-tombstones]').transforms.ruleFor('ab'),
    undefined
  )
})

test('a pattern that runs away is an error that names it', () => {
  const { transforms } = read("- topics: '(a+)+'\n  handlers: [drop-tombstones]")
  assert.throws(
    () => transforms.ruleFor(`${'a'.repeat(60)}.b`),
    /transforms\.yaml:1: the pattern \(a\+\)\+ gave no answer within 1000 ms at topic "a{60}\.b"/
  )
})

test('everything that is wrong with a file is told at once, each with its line', () => {
  const bad = `- topics: (orders
  handlers: [ { filtre: { key: x } }, { filter: { kye: x } }, { file: ./no.mjs } ]
- topcs: a
  handlers: [ { sample: { rate: 7 } }, { headers: { remove: a }, mask: { fields: b } } ]
  on-error: ignore
  max-errors: -1
- 5
- topics: a
  handlers: [ { file: 5, arg: x }, 5 ]
- { topics: a, handlers: [] }
`
  const lines = [
    '1: topic pattern: a ) is missing here\n  (orders\n         ^',
    '2: handlers: filtre: there is no built-in handler "filtre", did you mean "filter"? A module is written as a path, such as ./handler.mjs',
    '2: handlers: filter: there is no argument "kye", did you mean "key"?',
    `2: handlers: ./no.mjs: there is no file ${join(folder, 'rules', 'no.mjs')}`,
    '3: there is no "topcs" here, did you mean "topics"?',
    '3: topics: expected a regular expression, such as orders.*',
    '4: handlers: sample: rate: expected a share such as 5% or 0.05, at most 100%, got 7',
    '4: handlers: expected one name with its arguments, got headers, mask. Write each handler as an entry of its own',
    '5: on-error: expected fail or skip or dead-letter',
    '6: max-errors: expected a whole number from 0 to 9007199254740991',
    '7: expected a rule { topics: REGEX, handlers: [ … ] }',
    '9: there is no "arg" here, did you mean "args"?',
    '9: file: expected a path, such as ./handler.mjs',
    '9: handlers: expected a name, { NAME: arguments } or { file: PATH }',
    '10: handlers: expected a list, such as [ drop-tombstones ]'
  ]
  assert.throws(
    () => read(bad),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError)
      assert.deepEqual(
        error.problems,
        lines.map(line => `${path}:${line}`)
      )
      return true
    }
  )
})

test('a file that was changed waits for a restart, unless its rules are the same', () => {
  const one = read(good)
  assert.deepEqual(changedHandlers(one, read(`# Another comment.\n${good}`)), [])
  assert.deepEqual(changedHandlers(one, read(good.replace('^eu-', '^us-'))), ['transforms'])
  assert.deepEqual(changedHandlers(one, read(good.replace('skip', 'fail'))), ['transforms'])
  assert.deepEqual(changedHandlers(one, { transforms: undefined, rules: [] }), ['transforms'])
})

for (const [what, text, message] of [
  ['an empty file', '', /:1: expected a list of rules, each of them - \{ topics: REGEX/],
  ['a file without a list', 'topics: a\nhandlers: []', /:1: expected a list of rules/],
  ['what is no YAML', '- topics: a\n  handlers: [', /:2: .* end with a \]/],
  ['a key given twice', '- topics: a\n  topics: b\n  handlers: [x]', /:2: Map keys must be unique/]
] as const) {
  test(`${what} is refused with its line`, () => {
    assert.throws(() => read(text), { name: 'ConfigError', message })
  })
}

test('config validate and config print know the file', async () => {
  writeFileSync(path, good)
  const flags = [...files, '--whitelist', '.*', '--transforms', 'rules/transforms.yaml']
  const ok = await command.run('config', 'validate', ...flags)
  assert.deepEqual([ok.code, ok.out], [0, 'ok\n'], ok.err)
  const printed = await command.run('config', 'print', ...flags)
  const rows = printed.out.split('\n').slice(-4)
  assert.match(rows[0] ?? '', /^TOPICS +HANDLERS +ON ERROR +MAX ERRORS +ORIGIN$/)
  assert.match(
    rows[1] ?? '',
    /^orders,pay\.\* +filter, drop-tombstones, \.\/handler\.mjs, \.\/handler\.mjs +skip +0 +rules\/transforms\.yaml:2$/
  )
  const json = await command.run('config', 'print', ...flags, '--format', 'json')
  const { rules } = JSON.parse(json.out)
  assert.deepEqual(rules[1], {
    topics: '.*',
    handlers: ['filter'],
    onError: 'fail',
    maxErrors: 1_000_000,
    origin: 'rules/transforms.yaml:10'
  })
  writeFileSync(path, '- topics: a\n  handlers: [x]')
  writeFileSync(join(folder, 'typo.properties'), 'bootstrap.servers=localhost:1\ngruop.id=g\n')
  const bad = await command.run(
    'config',
    'validate',
    '--consumer.config',
    'typo.properties',
    ...flags.slice(2)
  )
  assert.equal(bad.code, 2)
  assert.match(bad.err, /typo\.properties:2: .*gruop\.id/)
  assert.match(bad.err, /rules\/transforms\.yaml:2: handlers: x: there is no built-in handler "x"/)
})

test('a file of transforms and a message handler exclude each other', async () => {
  const flags = ['--transforms', path, '--message.handler', 'drop-tombstones']
  const { code, err } = await command.run('run', ...files, '--whitelist', '.*', ...flags)
  assert.equal(code, 2)
  assert.match(err, /^error: --transforms and --message\.handler exclude each other/)
})

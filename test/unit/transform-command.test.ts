// `heliostat transform test`, and every handler that cannot be used: told before anything is moved.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FixtureError, readFixture, writeBytes } from '../../src/transform/fixture.ts'
import { CommandLine } from '../support/command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'heliostat-transform-'))
const command = new CommandLine(folder)
after(() => {
  command.close()
  rmSync(folder, { recursive: true })
})
const files: Record<string, string> = {
  'source.properties': 'bootstrap.servers=localhost:1\ngroup.id=g\n',
  'target.properties': 'bootstrap.servers=localhost:2\n',
  'records.jsonl': `{"topic":"orders","partition":3,"offset":17,"timestamp":1700000000000,"key":"eu-1","value":{"json":{"id":9007199254740993,  "email":"a"}},"headers":[{"key":"trace","value":"1"}]}
{"key":"us-1","value":{"base64":"/w=="},"timestamp":0}

{"topic":"orders","partition":3,"offset":19,"timestamp":1700000000000,"key":null,"value":null}
`,
  'throws.mjs': 'throw new Error("no luck today")',
  'syntax.mjs': 'export default record => {',
  'nothing.mjs': 'export const handle = record => record',
  'number.mjs': 'export default 5',
  'rejects.mjs':
    'export const init = async args => { throw new Error("no table " + args) }\nexport default record => record',
  'endless.mjs': 'for (;;);',
  'never.mjs': 'await new Promise(() => {})',
  'rubbish.mjs': 'export default () => ({ value: 5 })',
  'spins.mjs': 'export default record => { if (record.key === null) for (;;); return record }',
  'newest.mjs':
    'export const handleBatch = records => records.filter((record, at) => at === records.length - 1)',
  'typed.ts': `import type { Handler, HandlerContext, MessageRecord } from 'heliostat'

interface Args {
  suffix: string
}

let suffix = ''

export function init(args: unknown): void {
  suffix = JSON.parse(args as string).suffix satisfies Args['suffix']
}

const handle: Handler = (record: MessageRecord, { topic }: HandlerContext) =>
  record.key === null ? null : [record, record.with({ key: \`\${record.key}\${suffix}\`, headers: [{ key: topic, value: null }] })]

export default handle
`
}
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)

const tryOn = (...args: string[]) =>
  command.run('transform', 'test', ...args, '--fixture', 'records.jsonl')

test('what a handler changes stands before and after, and the rest as it was', async () => {
  const { code, out, err } = await tryOn('--handler', 'mask', '--args', 'fields: email')
  assert.deepEqual(
    out.split('\n'),
    [
      'orders-3 offset 17: changed',
      '    timestamp  2023-11-14T22:13:20.000Z',
      '    key        eu-1',
      '    header     trace: 1',
      '  - value      {"id":9007199254740993,  "email":"a"}',
      '  + value      {"id":9007199254740993,  "email":"****"}',
      '',
      'fixture-0 offset 1: failed: handler mask: the value is no JSON: it is no UTF-8',
      '    timestamp  1970-01-01T00:00:00.000Z',
      '    key        us-1',
      '    value      (base64) /w==',
      '',
      'orders-3 offset 19: unchanged',
      '    timestamp  2023-11-14T22:13:20.000Z',
      '    key        (null)',
      '    value      (null)',
      '',
      '3 records: 1 changed, 1 unchanged, 1 failed',
      ''
    ],
    err
  )
  assert.equal(code, 1)
})

test('a handler in TypeScript runs, and its JSON is a fixture again', async () => {
  const { code, out, err } = await tryOn(
    '--handler',
    './typed.ts',
    '--args',
    '{"suffix":"-copy"}',
    '--format',
    'json'
  )
  assert.equal(code, 0, err)
  const { records, summary } = JSON.parse(out)
  assert.deepEqual(summary, { changed: 2, unchanged: 0, dropped: 1, failed: 0, 'no-rule': 0 })
  const [first, second] = records[0].after
  assert.deepEqual(first, records[0].before)
  assert.deepEqual(second, {
    ...first,
    key: 'eu-1-copy',
    headers: [{ key: 'orders', value: null }]
  })
  const lines = records.map(({ before }: { before: unknown }) => JSON.stringify(before)).join('\n')
  assert.deepEqual(
    readFixture(lines, 'again', 0),
    readFixture(files['records.jsonl'] as string, 'records.jsonl', 0)
  )
})

test('handlers of batches get the records of a partition that stand together', async () => {
  const rows = [0, 1, 2].map(offset => JSON.stringify({ topic: 'a', offset, value: 'v' }))
  writeFileSync(join(folder, 'three.jsonl'), rows.join('\n'))
  const { out } = await command.run(
    ...['transform', 'test', '--handler', './newest.mjs', '--fixture', 'three.jsonl'],
    ...['--format', 'json']
  )
  const outcomes = JSON.parse(out).records.map(({ outcome }: { outcome: string }) => outcome)
  assert.deepEqual(outcomes, ['dropped', 'dropped', 'unchanged'])
})

test('a rule is found by topic, and records without one are told', async () => {
  writeFileSync(join(folder, 'rules.yaml'), '- topics: orders\n  handlers: [drop-tombstones]')
  const { code, out, err } = await tryOn('--transforms', 'rules.yaml')
  assert.equal(code, 0, err)
  assert.match(out, /3 records: 1 unchanged, 1 dropped, 1 without a rule\n$/)
})

test('a module that a chain names twice is loaded for each, in TypeScript too', async () => {
  const entry = (suffix: string) => `{ file: ./typed.ts, args: '{"suffix":"${suffix}"}' }`
  const chain = `- topics: orders\n  handlers: [ ${entry('-a')}, ${entry('-b')} ]\n`
  writeFileSync(join(folder, 'twice.yaml'), chain)
  const { out, err } = await tryOn('--transforms', 'twice.yaml', '--format', 'json')
  assert.equal(err, '')
  const keys = JSON.parse(out).records[0].after.map(({ key }: { key: string }) => key)
  assert.deepEqual(keys, ['eu-1', 'eu-1-b', 'eu-1-a', 'eu-1-a-b'])
})

test('a handler that never returns fails on that record alone', async () => {
  const { code, out } = await tryOn('--handler', './spins.mjs', '--handler-timeout-ms', '300')
  assert.equal(code, 1)
  assert.match(out, /offset 19: failed: handler \.\/spins\.mjs: no answer within 300 ms/)
  assert.match(out, /3 records: 2 unchanged, 1 failed\n$/)
})

test('a handler that returns rubbish fails', async () => {
  const { code, out } = await tryOn('--handler', './rubbish.mjs')
  assert.equal(code, 1)
  assert.match(out, /failed: handler .*: value: expected bytes, a string or null, got 5/)
})

for (const [what, handler, message] of [
  ['is not there', './none.mjs', /handler \.\/none\.mjs: there is no file .*none\.mjs/],
  ['throws at load', './throws.mjs', /it cannot be loaded: no luck today/],
  ['is no JavaScript', './syntax.mjs', /it cannot be loaded: Unexpected end of input/],
  ['has no default export', './nothing.mjs', /it has no default export; write "export default/],
  ['exports a number', './number.mjs', /its export default is no function/],
  ['rejects its arguments', './rejects.mjs', /handler \.\/rejects\.mjs: no table x/],
  ['never ends to load', './endless.mjs', /endless\.mjs: it has not begun within 1000 ms/],
  ['never begins', './never.mjs', /never\.mjs: it has not begun within 1000 ms/],
  ['takes other arguments', 'filter', /handler filter: expected arguments by name, got "x"/],
  ['is not known', 'filtre', /--handler: there is no handler "filtre"/]
] as const) {
  test(`a handler that ${what}: exit code 2 and nothing is tried`, async () => {
    const limitMs = what.startsWith('never') ? '1000' : '30000'
    const flags = ['--handler', handler, '--args', 'x', '--handler-timeout-ms', limitMs]
    const { code, out, err } = await tryOn(...flags)
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, message)
  })
}

for (const [handler, message] of [
  ['./throws.mjs', /it cannot be loaded: no luck today/],
  ['./rejects.mjs', /handler \.\/rejects\.mjs: no table x/],
  ['sample', /handler sample: expected arguments by name, got "x"/]
] as const) {
  test(`a run with ${handler} ends with exit code 2 before anything is moved`, async () => {
    const clusters = ['--consumer.config', 'source.properties']
    clusters.push('--producer.config', 'target.properties', '--whitelist', '.*')
    const flags = ['--message.handler', handler, '--message.handler.args', 'x', '--http', 'off']
    const { code, err } = await command.run('run', ...clusters, ...flags)
    assert.equal(code, 2)
    assert.match(err, message)
  })
}

test('arguments that are neither JSON nor YAML are refused', async () => {
  const { code, err } = await tryOn('--handler', 'filter', '--args', '{ key: [a-z]\\d }')
  assert.equal(code, 2)
  assert.match(err, /^error: handler filter: the arguments are neither JSON nor YAML: .*in quotes/)
})

test('flags that do not fit together are told at once', async () => {
  const { code, err } = await command.run('transform', 'test', '--args', 'x', '--from-topic', 't')
  assert.equal(code, 2)
  assert.deepEqual(err.split('\n').slice(0, 3), [
    'error: give --handler FILE|NAME or --transforms FILE, one of them',
    'error: --args: there is no --handler that it is for',
    'error: --consumer.config FILE is missing: it describes the cluster of --from-topic'
  ])
})

test('everything that is wrong with a fixture is told, each with its line', () => {
  const text = `{"kye":1}
{"value":{"base64":"?"}}
no json
[]

{"offset":-1}
{"headers":[{"value":"v"}]}
{"value":5}
{"topic":""}`
  assert.throws(
    () => readFixture(text, 'f', 0),
    (error: unknown) => {
      assert.ok(error instanceof FixtureError)
      assert.deepEqual(error.problems, [
        'f:1: there is no "kye". There are topic, partition, offset, timestamp, key, value, headers',
        'f:2: value: expected a text, null, {"base64":"…"} or {"json":…}',
        'f:3: it is no JSON at byte 0',
        'f:4: expected an object such as {"key":"k","value":"v"}',
        'f:6: offset: expected a whole number from 0 on, got -1',
        'f:7: headers: expected a list of { "key": …, "value": … }',
        'f:8: value: expected a text, null, {"base64":"…"} or {"json":…}',
        'f:9: topic: expected a name'
      ])
      return true
    }
  )
  assert.throws(() => readFixture('\n', 'f', 0), /f: it holds no records/)
  assert.deepEqual(writeBytes(Buffer.from([0xff])), { base64: '/w==' })
})

const root = fileURLToPath(new URL('../../..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

test('what README shows of a trial is what it prints', async () => {
  const [, fixture = '', shown = ''] =
    /cat records\.jsonl\n {4}(\{.*)\n {4}\$ bin\/heliostat transform test .*\n([^$]*?) {4}\$/.exec(
      readme
    ) ?? []
  writeFileSync(join(folder, 'readme.jsonl'), fixture)
  const args = ['--handler', 'mask', '--args', 'fields: customer.email']
  const { out, err } = await command.run('transform', 'test', ...args, '--fixture', 'readme.jsonl')
  assert.equal(out, shown.replaceAll(/^ {4}/gm, ''), err)
})

test('the file of transforms in README can be used', async () => {
  const [, yaml = ''] = /```yaml\n([^`]*)```/.exec(readme) ?? []
  writeFileSync(join(folder, 'readme.yaml'), yaml)
  writeFileSync(join(folder, 'mask.key'), 'secret')
  writeFileSync(join(folder, 'enrich.ts'), 'export default record => record')
  const { code, out, err } = await tryOn('--transforms', 'readme.yaml')
  assert.equal(code, 0, err)
  assert.match(out, /\+ header {5}trace-id: 1\n {2}\+ header {5}origin: eu-west\n/)
})

test('the types that the package exports check a handler', () => {
  const project = join(folder, 'typed')
  mkdirSync(join(project, 'node_modules'), { recursive: true })
  symlinkSync(root, join(project, 'node_modules', 'heliostat'), 'dir')
  symlinkSync(join(root, 'node_modules', '@types'), join(project, 'node_modules', '@types'), 'dir')
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const options = ['--noEmit', '--strict', '--target', 'es2023', '--types', 'node']
  options.push('--module', 'nodenext', '--pretty', 'false')
  const check = (name: string, text: string) => {
    writeFileSync(join(project, name), text)
    execFileSync(process.execPath, [compiler, ...options, join(project, name)], { cwd: project })
  }
  check('good.ts', files['typed.ts'] as string)
  check('readme.ts', /```ts\n([^`]*)```/.exec(readme)?.[1] as string)
  const bad = (files['typed.ts'] as string).replace('record.key === null ? null', 'record.kye ? 5')
  assert.throws(
    () => check('bad.ts', bad),
    ({ stdout }: { stdout: Buffer }) => /Property 'kye' does not exist/.test(`${stdout}`)
  )
})

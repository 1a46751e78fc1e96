import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { environmentName, hasMirrorMakerFlag, runOptions } from '../../src/config/options.ts'
import { readOptions } from '../../src/config/read-options.ts'
import { UsageError } from '../../src/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'heliostat-cli-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'source.properties'), 'bootstrap.servers=localhost:1\ngroup.id=g\n')
writeFileSync(join(folder, 'target.properties'), 'bootstrap.servers=localhost:2\n')
writeFileSync(join(folder, 'typo.properties'), 'bootstrap.servers=localhost:1\ngruop.id=g\n')

const files = ['--consumer.config', 'source.properties', '--producer.config', 'target.properties']
const mainUrl = new URL('../../src/cli.js', import.meta.url).href
const script = `const { main } = await import(${JSON.stringify(mainUrl)}); process.exit(await main(process.argv.slice(1)))`

interface Outcome {
  code: number | null
  out: string
  err: string
}

function heliostat(args: readonly string[], variables: Record<string, string> = {}): Outcome {
  const env = { ...process.env, ...variables }
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script, '--', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env
  })
  return { code: ended.status, out: ended.stdout, err: ended.stderr }
}

const badInput: readonly [what: string, args: readonly string[], message: string][] = [
  ['no command', [], 'error: a command is missing\nSee heliostat --help\n'],
  [
    'an unknown command',
    ['rum'],
    'error: unknown command "rum", did you mean "run"?\nSee heliostat --help\n'
  ],
  [
    'an unknown flag',
    ['run', ...files, '--whitelist', '.*', '--num.stream', '2'],
    'error: run: unknown flag --num.stream, did you mean "--num.streams"?\nSee heliostat --help\n'
  ],
  [
    'a word too many',
    ['run', ...files, '--whitelist', '.*', 'orders'],
    'error: run: unexpected argument "orders"\nSee heliostat --help\n'
  ],
  [
    'no topic pattern',
    ['run', ...files],
    'error: no topics chosen: give --whitelist REGEX (for every topic ".*") or --blacklist REGEX\nSee heliostat --help\n'
  ],
  [
    'both kinds of topic patterns',
    ['run', ...files, '--whitelist', 'a', '--blacklist', 'b'],
    'error: --whitelist and --blacklist exclude each other: give one of them\nSee heliostat --help\n'
  ],
  [
    'a bad regular expression',
    ['run', ...files, '--whitelist', '*'],
    'error: topic pattern: there is nothing before this * to repeat. For every name write .* and for a dot \\.\n  *\n  ^\nSee heliostat --help\n'
  ],
  [
    'no consumer file',
    ['run', '--producer.config', 'target.properties', '--whitelist', '.*'],
    'error: --consumer.config FILE is missing: it describes the source\nSee heliostat --help\n'
  ],
  [
    'a second consumer file',
    ['run', ...files, '--consumer.config', 'source.properties', '--whitelist', '.*'],
    'error: --consumer.config is given twice: one source a process for now. Start one process for each\nSee heliostat --help\n'
  ],
  [
    'missing and unreadable files',
    ['run', '--consumer.config', 'none.properties', '--producer.config', '.', '--whitelist', '.*'],
    'error: none.properties: cannot be read: there is no such file\nerror: .: cannot be read: it is a folder\n'
  ],
  [
    'an unknown key',
    [
      'run',
      '--consumer.config',
      'typo.properties',
      '--producer.config',
      'target.properties',
      '--whitelist',
      '.*'
    ],
    'error: typo.properties:2: gruop.id: unknown setting, did you mean "group.id"?\n'
  ],
  [
    'a number that is none',
    ['run', ...files, '--whitelist', '.*', '--num.streams', 'two'],
    'error: --num.streams: expected a whole number from 1 to 64, got "two"\nSee heliostat --help\n'
  ],
  [
    'a flag without its value',
    ['run', ...files, '--whitelist'],
    'error: --whitelist: the value is missing\nSee heliostat --help\n'
  ],
  [
    'a flag given twice',
    ['run', ...files, '--whitelist', 'a', '--whitelist', 'b'],
    'error: --whitelist: it is given 2 times; give it once\nSee heliostat --help\n'
  ],
  [
    'a bad HTTP address',
    ['run', ...files, '--whitelist', '.*', '--http', '9747'],
    'error: --http: expected HOST:PORT or off, got "9747"\nSee heliostat --help\n'
  ],
  [
    'a wrong word',
    ['run', ...files, '--whitelist', '.*', '--isolation', 'serializable'],
    'error: --isolation: expected read_committed or read_uncommitted, got "serializable"\nSee heliostat --help\n'
  ]
]

for (const [what, args, message] of badInput) {
  test(`${what}: exit code 2 and a clear message`, () => {
    const { code, err, out } = heliostat(args)
    assert.equal(err, message)
    assert.equal(code, 2)
    if (args.length > 0) assert.equal(out, '')
  })
}

test('an unknown variable with our prefix is an error', () => {
  const { code, err } = heliostat(['run', ...files, '--whitelist', '.*'], {
    HELIOSTAT_NUM_STREAM: '1'
  })
  assert.equal(
    err,
    'error: environment: unknown variable HELIOSTAT_NUM_STREAM, did you mean "HELIOSTAT_NUM_STREAMS"?\nSee heliostat --help\n'
  )
  assert.equal(code, 2)
})

test('MirrorMaker flags without a command word are a run', () => {
  assert.ok(hasMirrorMakerFlag(['--consumer.config=a.properties']))
  assert.ok(!hasMirrorMakerFlag(['--verbose']))
  const { code, err } = heliostat(files)
  assert.match(err, /^error: no topics chosen/)
  assert.equal(code, 2)
})

test('help names every flag, and exits 0', () => {
  const { code, out } = heliostat(['run', '--help'])
  assert.equal(code, 0)
  for (const flag of Object.keys(runOptions)) assert.ok(out.includes(`--${flag}`), flag)
  assert.equal(heliostat(['--help']).code, 0)
})

test('the version is that of the package', () => {
  const { code, out } = heliostat(['--version'])
  assert.match(out, /^\d+\.\d+\.\d+\n$/)
  assert.equal(code, 0)
})

test('a flag is stronger than the environment, and that than the default', () => {
  const environment = { HELIOSTAT_NUM_STREAMS: '3', HELIOSTAT_NUM_PRODUCERS: '4' }
  const options = readOptions(runOptions, { 'num.streams': '5' }, environment)
  assert.equal(options['num.streams'], 5)
  assert.equal(options['num.producers'], 4)
  assert.equal(options['drain-timeout-ms'], 25_000)
  assert.throws(() => readOptions(runOptions, {}, { HELIOSTAT_NUM_STREAMS: 'x' }), UsageError)
})

test('each option has a variable of its own', () => {
  const names = Object.keys(runOptions).map(environmentName)
  assert.equal(new Set(names).size, names.length)
  assert.equal(environmentName('offset.commit.interval.ms'), 'HELIOSTAT_OFFSET_COMMIT_INTERVAL_MS')
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { commands } from '../../src/cli.ts'
import { environmentName, runOptions } from '../../src/config/options.ts'
import { readOptions, refuseUnknownVariables } from '../../src/config/read-options.ts'
import { UsageError } from '../../src/errors.ts'
import { builtIns } from '../../src/transform/built-ins.ts'
import { CommandLine } from '../support/command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'heliostat-cli-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'source.properties'), 'bootstrap.servers=localhost:1\ngroup.id=g\n')
writeFileSync(join(folder, 'target.properties'), 'bootstrap.servers=localhost:2\n')
writeFileSync(join(folder, 'typo.properties'), 'bootstrap.servers=localhost:1\ngruop.id=g\n')

const files = ['--consumer.config', 'source.properties', '--producer.config', 'target.properties']
const commandLine = new CommandLine(folder)
after(() => commandLine.close())

const heliostat = (args: readonly string[], variables: Record<string, string> = {}) =>
  commandLine.runWith(variables, args)

/** What stands behind the message: where to look. */
const seeRun = '\nSee heliostat run --help\n'
const seeAll = '\nSee heliostat --help\n'
const quoteIt =
  "Put a pattern, or a value with spaces, in quotes, or the shell takes it apart: --whitelist '.*'"
const everyTopic = "For every topic: --whitelist '.*'"
const instead =
  'a handler is an ES module here (a path, such as ./handler.mjs) or one that comes with heliostat: ' +
  Object.keys(builtIns).join(', ')
const printed = 'as web pages print in place of what is typed'

const badInput: readonly [what: string, args: readonly string[], message: string][] = [
  ['an unknown command', ['rum'], `unknown command "rum", did you mean "run"?${seeAll}`],
  ['a command in capitals', ['Run'], `unknown command "Run", did you mean "run"?${seeAll}`],
  [
    'a command that misses its second word',
    ['config'],
    `config: a word is missing. Write heliostat config print or heliostat config validate${seeAll}`
  ],
  [
    'an unknown second word',
    ['config', 'prnt'],
    `unknown command "config prnt", did you mean "config print"?${seeAll}`
  ],
  [
    'an unknown flag',
    ['run', ...files, '--whitelist', '.*', '--num.stream', '2'],
    `unknown flag --num.stream, did you mean "--num.streams"?${seeRun}`
  ],
  [
    'a flag in capitals',
    ['run', ...files, '--Whitelist', '.*'],
    `unknown flag --Whitelist, did you mean "--whitelist"?${seeRun}`
  ],
  [
    'a flag written as one word',
    ['run', '--consumerConfig=a'],
    `unknown flag --consumerConfig, did you mean "--consumer.config"?${seeRun}`
  ],
  [
    'the beginning of a flag',
    ['run', '--whitel', '.*'],
    `unknown flag --whitel, did you mean "--whitelist"?${seeRun}`
  ],
  [
    'a flag turned off by its name',
    ['run', '--no-until-caught-up'],
    `unknown flag --no-until-caught-up, did you mean "--until-caught-up=false"?${seeRun}`
  ],
  [
    'a flag of another command',
    ['run', '--seconds', '5'],
    `unknown flag --seconds: it belongs to heliostat demo${seeRun}`
  ],
  [
    'a flag called like a part of every object',
    ['run', '--constructor'],
    `unknown flag --constructor${seeRun}`
  ],
  [
    'one dash for two',
    ['run', ...files, '-whitelist', '.*'],
    `-whitelist: a flag begins with two dashes. Write --whitelist${seeRun}`
  ],
  [
    'one dash for two, and no command',
    ['-consumer.config', 'source.properties'],
    `-consumer.config: a flag begins with two dashes. Write --consumer.config${seeRun}`
  ],
  [
    'a flag and its value in one pair of quotes',
    ['run', '--whitelist .*'],
    `"--whitelist .*": the flag and its value are one argument. Put quotes around the value alone: --whitelist '…'${seeRun}`
  ],
  [
    'an en dash for two dashes',
    ['run', ...files, '–whitelist', 'orders'],
    `–whitelist orders: it holds – (U+2013, en dash), ${printed}. Write --whitelist orders${seeRun}`
  ],
  [
    'em dashes and curly quotes',
    ['—whitelist=“.*”'],
    `—whitelist=“.*”: it holds — (U+2014, em dash), “ (U+201C, left double quotation mark), ” (U+201D, right double quotation mark), ${printed}. Write --whitelist='.*'${seeRun}`
  ],
  [
    'curly quotes around a value with spaces, which the shell took apart',
    ['run', ...files, '--whitelist', '‘orders,', 'logs’'],
    `--whitelist ‘orders, logs’: it holds ‘ (U+2018, left single quotation mark), ’ (U+2019, right single quotation mark), ${printed}. Write --whitelist 'orders, logs'${seeRun}`
  ],
  [
    'a long dash that stands alone',
    ['run', '—', 'whitelist', 'a'],
    `— whitelist a: it holds — (U+2014, em dash), ${printed}. Write --whitelist a${seeRun}`
  ],
  [
    'a no-break space',
    ['run', '--whitelist\u00a0a'],
    `--whitelist\\u00a0 a: it holds (U+00A0, no-break space), ${printed}. Write --whitelist a${seeRun}`
  ],
  [
    'line ends of Windows',
    ['run', '--whitelist', 'a\r'],
    `--whitelist a\\u000d: it holds (U+000D, carriage return), for the script has line ends of Windows; sed -i 's/\\r$//' FILE mends them. Write --whitelist a${seeRun}`
  ],
  [
    'a secret in curly quotes, which is not shown',
    ['run', '--consumer.config.override', '“sasl.password=canary”'],
    `--consumer.config.override sasl.password=[redacted]: it holds “ (U+201C, left double quotation mark), ” (U+201D, right double quotation mark), ${printed}. Write --consumer.config.override 'sasl.password=[redacted]'${seeRun}`
  ],
  [
    'a secret in curly quotes that the shell took apart',
    ['run', '--consumer.config.override', '“sasl.password=my', 'canary”'],
    `--consumer.config.override sasl.password=[redacted]: it holds “ (U+201C, left double quotation mark), ” (U+201D, right double quotation mark), ${printed}. Write --consumer.config.override 'sasl.password=[redacted]'${seeRun}`
  ],
  [
    'a secret where no argument belongs',
    ['run', ...files, 'sasl.password=canary'],
    `unexpected argument "sasl.password=[redacted]". ${quoteIt}${seeRun}`
  ],
  [
    'a word too many',
    ['run', ...files, '--whitelist', '.*', 'orders'],
    `unexpected argument "orders". ${quoteIt}${seeRun}`
  ],
  [
    'a pattern that the shell made file names of',
    ['run', ...files, '--whitelist', 'a.txt', 'b.txt', 'c.txt'],
    `unexpected argument "b.txt" and 1 more. ${quoteIt}${seeRun}`
  ],
  [
    'no topic pattern',
    ['run', ...files],
    `no topics chosen: give --whitelist REGEX or --blacklist REGEX. ${everyTopic}${seeRun}`
  ],
  [
    'both kinds of topic patterns',
    ['run', ...files, '--include', 'a', '--blacklist', 'b'],
    `--whitelist (--include) and --blacklist (--exclude) exclude each other: give one of them. ${everyTopic}${seeRun}`
  ],
  [
    'a bad regular expression',
    ['run', ...files, '--whitelist', '*'],
    `topic pattern: there is nothing before this * to repeat. For every name write .* and for a dot \\.\n  *\n  ^${seeRun}`
  ],
  [
    'no consumer file',
    ['run', '--producer.config', 'target.properties', '--whitelist', '.*'],
    `--consumer.config FILE is missing: it describes the source${seeRun}`
  ],
  [
    'a consumer file given twice',
    ['run', ...files, '--consumer.config', 'source.properties', '--whitelist', '.*'],
    `--consumer.config: "source.properties" is given twice. Each source has a file of its own${seeRun}`
  ],
  [
    'two targets',
    ['run', ...files, '--producer.config', 'source.properties', '--whitelist', '.*'],
    `--producer.config is given twice: there is one target${seeRun}`
  ],
  [
    'missing and unreadable files',
    ['run', '--consumer.config', 'none.properties', '--producer.config', '.', '--whitelist', '.*'],
    'none.properties: cannot be read: there is no such file\nerror: .: cannot be read: it is a folder\n'
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
    'typo.properties:2: gruop.id: unknown setting, did you mean "group.id"?\n'
  ],
  [
    'a number that is none',
    ['run', ...files, '--whitelist', '.*', '--num.streams', 'two'],
    `--num.streams: expected a whole number from 1 to 64, got "two"${seeRun}`
  ],
  [
    'numbers with junk, all of them at once',
    ['run', '--num.streams', '4k', '--queue.size=1_000', '--offset.commit.interval.ms', '0'],
    '--num.streams: expected a whole number from 1 to 64, got "4k". Write it in digits alone\n' +
      'error: --queue.size: expected a whole number from 1 to 2147483647, got "1_000". Write it in digits alone\n' +
      `error: --offset.commit.interval.ms: expected a whole number from 100 to 3600000, got "0"${seeRun}`
  ],
  [
    'a flag without its value',
    ['run', ...files, '--whitelist'],
    `--whitelist: the value is missing${seeRun}`
  ],
  [
    'a flag in the place of a value',
    ['run', ...files, '--whitelist', '--num.streams', '2'],
    `--whitelist: the value is missing${seeRun}`
  ],
  [
    'a value that looks like a flag',
    ['run', ...files, '--whitelist', '-a.*'],
    `--whitelist: the value is missing before -a.*. A value that begins with a dash is written --whitelist=-a.*, and a flag with two dashes${seeRun}`
  ],
  [
    'a flag given twice',
    ['run', ...files, '--whitelist', 'a', '--whitelist=b'],
    `--whitelist: it is given 2 times, with "a", "b". Give it once. Join patterns with a comma${seeRun}`
  ],
  [
    'a bad HTTP address',
    ['run', ...files, '--whitelist', '.*', '--http', '9747'],
    `--http: expected HOST:PORT or off, got "9747"${seeRun}`
  ],
  [
    'a wrong word',
    ['run', ...files, '--whitelist', '.*', '--isolation', 'read-committed'],
    `--isolation: expected read_committed or read_uncommitted, got "read-committed", did you mean "read_committed"?${seeRun}`
  ],
  [
    'a word for a flag that is on or off',
    ['run', '--abort.on.send.failure=yes'],
    `--abort.on.send.failure: expected true or false, got "yes"${seeRun}`
  ],
  [
    'recompression that cannot be, all of it at once',
    ['run', ...files, '--whitelist', '.*', '--recompress=ztsd', '--recompress', 'a=snappy:3'],
    '--recompress: there is no codec "ztsd", did you mean "zstd"?; write CODEC, CODEC:LEVEL or ' +
      'PATTERN=CODEC, with none, gzip, snappy, lz4 or zstd\n' +
      `error: --recompress: snappy has no levels, got "snappy:3". Write snappy${seeRun}`
  ],
  [
    'a message handler that is a Java class',
    ['run', ...files, '--whitelist', '.*', '--message.handler', 'com.example.Rename'],
    `--message.handler: the Java class com.example.Rename cannot run; ${instead}${seeRun}`
  ],
  [
    'a message handler that there is not',
    ['run', ...files, '--whitelist', '.*', '--message.handler', 'renmae'],
    `--message.handler: there is no handler "renmae"; ${instead}${seeRun}`
  ],
  [
    'arguments without a message handler',
    ['run', ...files, '--whitelist', '.*', '--message.handler.args', 'x'],
    `--message.handler.args: there is no --message.handler that it is for${seeRun}`
  ],
  [
    'a rebalance listener',
    ['run', '--consumer.rebalance.listener', 'com.example.L', '--rebalance.listener.args', 'x'],
    '--consumer.rebalance.listener: remove it; assignment changes are logged and counted\n' +
      `error: --rebalance.listener.args: remove it; assignment changes are logged and counted${seeRun}`
  ]
]

for (const [what, args, message] of badInput) {
  test(`${what}: exit code 2 and a clear message`, async () => {
    const { code, err, out } = await heliostat(args)
    assert.equal(err, `error: ${message}`)
    assert.equal(code, 2)
    assert.equal(out, '')
  })
}

test('no command: the help and exit code 2, with nothing on stdout', async () => {
  const { code, err, out } = await heliostat([])
  assert.match(
    err,
    /^Usage: heliostat COMMAND[\s\S]*error: a command is missing\nSee heliostat --help\n$/
  )
  assert.equal(code, 2)
  assert.equal(out, '')
})

test('unknown variables with our prefix are an error, all at once', async () => {
  const { code, err } = await heliostat(['run', ...files, '--whitelist', '.*'], {
    HELIOSTAT_NUM_STREAM: '1',
    HELIOSTAT_SOUCE_GROUP_ID: 'g'
  })
  assert.equal(
    err,
    'error: environment: unknown variable HELIOSTAT_NUM_STREAM, did you mean "HELIOSTAT_NUM_STREAMS"?\n' +
      `error: environment: unknown variable HELIOSTAT_SOUCE_GROUP_ID, did you mean "HELIOSTAT_SOURCE_GROUP_ID"?${seeRun}`
  )
  assert.equal(code, 2)
})

test('variables of a cluster are known by their prefix; the first source has no number', () => {
  refuseUnknownVariables({
    HELIOSTAT_SOURCE_GROUP_ID: 'a',
    HELIOSTAT_SOURCE2_GROUP_ID: 'b',
    HELIOSTAT_TARGET_ACKS: 'all',
    PATH: '/bin'
  })
  assert.throws(
    () => refuseUnknownVariables({ HELIOSTAT_SOURCE1_GROUP_ID: 'a' }),
    /unknown variable HELIOSTAT_SOURCE1_GROUP_ID, did you mean "HELIOSTAT_SOURCE_GROUP_ID"\?/
  )
})

test('a variable of a source that has no file is an error', async () => {
  const { code, err } = await heliostat(['config', 'validate', ...files], {
    HELIOSTAT_SOURCE3_GROUP_ID: 'g'
  })
  const what = 'there is no source 3, with one --consumer.config. Give its file, or remove it'
  assert.equal(err, `error: HELIOSTAT_SOURCE3_GROUP_ID: ${what}\n`)
  assert.equal(code, 2)
})

test('a secret and its twin of a file exclude each other', async () => {
  const { code, err } = await heliostat(['config', 'validate', ...files], {
    HELIOSTAT_SOURCE_SASL_PASSWORD: 'canary',
    HELIOSTAT_SOURCE_SASL_PASSWORD_FILE: 'source.properties'
  })
  assert.match(err, /HELIOSTAT_SOURCE_SASL_PASSWORD is set too\. Set one of the two/)
  assert.doesNotMatch(err, /canary/)
  assert.equal(code, 2)
})

test('flags without a command word are a run', async () => {
  const { code, err } = await heliostat(files)
  assert.match(err, /^error: no topics chosen/)
  assert.equal(code, 2)
})

test("the help of a run names every flag, MirrorMaker's first, and has examples", async () => {
  const { code, out } = await heliostat(['run', '--help'])
  assert.equal(code, 0)
  for (const flag of Object.keys(runOptions))
    assert.ok(out.includes(`--${flag} `) || out.includes(`--${flag}\n`), flag)
  const titles = [
    "MirrorMaker's flags",
    'Clusters',
    'Topics',
    'Mirror',
    'Observe',
    'General',
    'Examples:'
  ]
  const places = titles.map(title => out.indexOf(`\n${title}\n`))
  assert.deepEqual(
    places,
    [...places].sort((a, b) => a - b)
  )
  assert.ok(!places.includes(-1))
  assert.ok(out.includes('heliostat run --consumer.config source.properties'))
})

test('help is shown however it is asked for, whatever else stands there', async () => {
  const full = (await heliostat(['run', '--help'])).out
  for (const args of [
    ['run', '-h'],
    ['help', 'run'],
    [...files, '--help'],
    ['run', '--foo', '--help']
  ]) {
    assert.deepEqual(await heliostat(args), { code: 0, out: full, err: '' }, args.join(' '))
  }
})

test('the overview lists every command, and the help of config its two', async () => {
  const { code, out } = await heliostat(['--help'])
  assert.equal(code, 0)
  for (const [name, { describe }] of Object.entries(commands)) {
    assert.ok(out.includes(`  heliostat ${name} `), name)
    assert.ok(describe.length > 0)
  }
  const config = (await heliostat(['config', '--help'])).out
  assert.ok(config.includes('config print') && config.includes('config validate'))
  assert.ok(!config.includes('heliostat demo '))
})

test('the version is that of the package', async () => {
  for (const args of [['--version'], ['version'], ['run', '--version']]) {
    const { code, out } = await heliostat(args)
    assert.match(out, /^\d+\.\d+\.\d+\n$/)
    assert.equal(code, 0)
  }
})

test('config validate says ok, and hints at topics that nobody has chosen', async () => {
  assert.deepEqual(await heliostat(['config', 'validate', ...files, '--whitelist', 'a']), {
    code: 0,
    out: 'ok\n',
    err: ''
  })
  const { code, out, err } = await heliostat(['config', 'validate', ...files])
  assert.deepEqual({ code, out }, { code: 0, out: 'ok\n' })
  assert.match(err, /^warning: no topics chosen/)
})

test('topics that a file of Kafka 0.7 names are a choice too, and their pattern is checked', async () => {
  const old = 'bootstrap.servers=localhost:1\ngroup.id=g\nmirror.topics.whitelist=('
  writeFileSync(join(folder, 'old.properties'), old)
  const { code, err } = await heliostat([
    'config',
    'validate',
    '--consumer.config=old.properties',
    ...files.slice(2)
  ])
  assert.match(err, /^error: topic pattern: a \) is missing here/)
  assert.equal(code, 2)
})

test('config validate finds the problems of files and patterns at once', async () => {
  const { code, out, err } = await heliostat([
    'config',
    'validate',
    '--consumer.config',
    'typo.properties',
    '--producer.config',
    'none.properties',
    '--whitelist',
    '('
  ])
  assert.equal(code, 2)
  assert.equal(out, '')
  assert.match(err, /error: topic pattern: a \) is missing here/)
  assert.match(err, /error: typo\.properties:2: gruop\.id: unknown setting/)
  assert.match(err, /error: none\.properties: cannot be read/)
})

test('flags of MirrorMaker without effect are said once, as a note', async () => {
  const { code, err } = await heliostat([
    'config',
    'validate',
    ...files,
    '--whitelist=a',
    '--new.consumer',
    '--new.producer'
  ])
  assert.equal(code, 0)
  assert.equal(
    err,
    'note: --new.consumer has no effect: there is one consumer here\n' +
      'note: --new.producer has no effect: there is one producer here\n'
  )
})

test('config print shows each option with its origin', async () => {
  const { code, out, err } = await heliostat(
    ['config', 'print', ...files, '--num.streams', '3', '--format', 'json'],
    { HELIOSTAT_NUM_PRODUCERS: '4' }
  )
  assert.equal(err, '')
  assert.equal(code, 0)
  const { options } = JSON.parse(out)
  const row = (name: string) => options.find((option: { name: string }) => option.name === name)
  assert.deepEqual(row('num.streams'), { name: 'num.streams', value: 3, origin: '--num.streams' })
  assert.deepEqual(row('num.producers'), {
    name: 'num.producers',
    value: 4,
    origin: 'HELIOSTAT_NUM_PRODUCERS'
  })
  assert.deepEqual(row('drain-timeout-ms'), {
    name: 'drain-timeout-ms',
    value: 25_000,
    origin: 'default'
  })
})

test('config print tells an interval of the file from the default, and the flag is stronger', async () => {
  writeFileSync(
    join(folder, 'interval.properties'),
    'bootstrap.servers=localhost:1\ngroup.id=g\nauto.commit.interval.ms=700\n'
  )
  const args = ['config', 'print', '--consumer.config=interval.properties', ...files.slice(2)]
  assert.match(
    (await heliostat(args)).out,
    /^--offset\.commit\.interval\.ms +700 +interval\.properties:3$/m
  )
  const { out } = await heliostat([...args, '--offset.commit.interval.ms', '900'])
  assert.match(out, /^--offset\.commit\.interval\.ms +900 +--offset\.commit\.interval\.ms$/m)
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

test('a flag that is on or off takes a value behind it or none, in any case', () => {
  for (const value of ['true', 'TRUE']) {
    assert.equal(
      readOptions(runOptions, { 'abort.on.send.failure': value }, {})['abort.on.send.failure'],
      true
    )
  }
  assert.throws(() => readOptions(runOptions, { 'until-caught-up': '1' }, {}), UsageError)
})

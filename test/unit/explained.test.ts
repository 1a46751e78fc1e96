// Where each value of a run comes from, and what is otherwise than with MirrorMaker.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts'
import { runOptions } from '../../src/config/options.ts'
import { type Environment, readOptions } from '../../src/config/read-options.ts'
import { ConfigError, UsageError } from '../../src/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'heliostat-explained-'))
after(() => rmSync(folder, { recursive: true }))

interface Input {
  source?: string
  target?: string
  flags?: Record<string, unknown>
  environment?: Environment
  built?: readonly string[]
}

function load({ source = '', target = '', flags = {}, environment = {}, built }: Input) {
  const consumer = join(folder, 's')
  const producer = join(folder, 't')
  writeFileSync(consumer, `bootstrap.servers=localhost:1\ngroup.id=g\n${source}`, { mode: 0o600 })
  writeFileSync(producer, `bootstrap.servers=localhost:2\n${target}`, { mode: 0o600 })
  const all = { 'consumer.config': consumer, 'producer.config': producer, ...flags }
  const options = readOptions(runOptions, all, environment)
  const isGiven = (name: string) =>
    name in flags || `HELIOSTAT_${name.toUpperCase().replaceAll(/[.-]/g, '_')}` in environment
  return loadConfig(options, environment, isGiven, built)
}

/** `value <- origin` by `cluster part name`. */
function table({ explained }: LoadedConfig): Map<string, string> {
  return new Map(
    explained.map(({ cluster, part, name, value, origin }) => [
      `${cluster} ${part} ${name}`,
      `${value} <- ${origin.replaceAll(`${folder}/`, '')}`
    ])
  )
}

const everything = { whitelist: '.*' }

test('every value of a run is explained, each once', () => {
  const config = load({ flags: everything })
  const names = config.explained.map(({ cluster, part, name }) => `${cluster} ${part} ${name}`)
  assert.equal(new Set(names).size, names.length)
  const [{ source, link }] = config.links as [LoadedConfig['links'][0]]
  const count =
    Object.keys(source.connection).length +
    Object.keys(source.group).length +
    Object.keys(config.target.connection).length +
    Object.keys(link).length
  // Where a partition starts and how often is committed come on top.
  assert.equal(names.length, count + 2)
})

test('a value is traced to its line, its flag or its variable', () => {
  const found = table(
    load({
      source:
        'source.cluster.alias=east\nfetch.size=2048\nsend.buffer.bytes=-1\nsasl.password=hunter2\n' +
        'auto.offset.reset=largest\nfetch.max.bytes=999999999\nmax.poll.interval.ms=400000\n' +
        'isolation.level=read_committed\nqueued.min.messages=7\n',
      target: 'metadata.max.age.ms=1000\nmax.in.flight=3\n',
      flags: {
        ...everything,
        'num.producers': '3',
        'consumer.config.override': ['client.rack=r'],
        'queue.size': '9'
      },
      environment: { HELIOSTAT_SOURCE_CLIENT_ID: 'me', HELIOSTAT_NUM_STREAMS: '2' }
    })
  )
  const expected = {
    'east connection bootstrap.servers': 'localhost:1 <- s:1',
    'east connection client.id': 'me <- HELIOSTAT_SOURCE_CLIENT_ID',
    'east connection socket.send.buffer.bytes': '0 <- s:5',
    'east connection sasl.password': '[redacted] <- s:6',
    'east connection client.rack': 'r <- --consumer.config.override',
    'east connection log_level': '6 <- default',
    'east group group.id': 'g <- s:2',
    'east group max.poll.interval.ms': '400000 <- s:9',
    'east group isolation.level': 'read_committed <- s:10',
    'east group enable.auto.commit': 'false <- default',
    'east engine num.streams': '2 <- HELIOSTAT_NUM_STREAMS',
    'east engine max.partition.fetch.bytes': '2048 <- s:4',
    'east engine fetch.max.bytes': '100663296 <- s:8, adjusted',
    'east engine client.rack': 'r <- --consumer.config.override',
    'east engine auto.offset.reset': 'latest <- s:7',
    'east engine offset.commit.interval.ms': '5000 <- default',
    'target connection topic.metadata.refresh.interval.ms': '1000 <- t:2',
    'target connection metadata.max.age.ms': '3000 <- t:2',
    'target engine max.in.flight.requests.per.connection': '3 <- t:3',
    'target engine num.producers': '3 <- --num.producers',
    'target engine queue.size': '9 <- --queue.size',
    'target engine enable.idempotence': 'true <- default'
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(found.get(name), value, name)
})

test('without a word on anything the differences are those of the defaults', () => {
  assert.deepEqual(load({ flags: everything }).differences, [
    'acks=all: a batch counts once all in-sync replicas have it.',
    'Batches carry sequence numbers (enable.idempotence): one that is sent again is not written twice.',
    'A batch is sent again until it is acknowledged; no time-out drops it.',
    'A partition without a committed offset starts at its earliest record, not at the latest.',
    'Records of open and aborted transactions are left out (isolation.level=read_committed).',
    'Offsets are committed every 5 s, not every 60 s.',
    'A batch that the target refuses for good stops its partition alone; the others go on, and none is skipped. With --abort.on.send.failure true the run ends with exit code 1.',
    'Batches keep the size and codec that they have at the source.',
    'A record keeps its partition number; keys are not hashed again.',
    "Topics that the target lacks are created with the source's partition count."
  ])
})

test('what the files and flags say is not called a difference, and what they lose is named', () => {
  const { differences } = load({
    source:
      'auto.offset.reset=latest\nisolation.level=read_uncommitted\nauto.commit.interval.ms=60000\nenable.auto.commit=true\n',
    target: 'acks=1\nretries=3\nenable.idempotence=false\ncompression.type=gzip\n',
    flags: { ...everything, 'abort.on.send.failure': true, 'no-create-topics': true }
  })
  assert.deepEqual(
    differences.map(sentence => sentence.replaceAll(`${folder}/`, '')),
    [
      'acks=all in place of acks=1 (t:2): a batch counts once all in-sync replicas have it.',
      'enable.idempotence=false (t:4): a batch whose answer is lost may be written twice.',
      'enable.auto.commit=true (s:6) has no effect: only what the target acknowledged is committed.',
      'A batch is sent again until it is acknowledged; no time-out drops it. Without effect: retries=3 (t:3).',
      'A batch that the target refuses for good ends the run with exit code 1; none is skipped.',
      'Batches keep the size and codec that they have at the source; only batches that the mirror rebuilds go by compression.type=gzip (t:5).',
      'A record keeps its partition number; keys are not hashed again.'
    ]
  )
})

test('codecs are explained, and recompression is a difference', () => {
  const config = load({
    target: 'compression.type=zstd\ncompression.level=5\ncompression.zstd.level=7\n',
    flags: { ...everything, recompress: ['gzip', 'logs.*=zstd:9'] }
  })
  const rows = [...table(config)].filter(([name]) => /compress/.test(name))
  assert.deepEqual(rows, [
    ['target engine compression.type', 'zstd <- t:2'],
    ['target engine compression.gzip.level', '5 <- t:3'],
    ['target engine compression.zstd.level', '7 <- t:4'],
    ['target engine recompress', 'gzip <- --recompress'],
    ['target engine recompress logs.*', 'zstd:9 <- --recompress']
  ])
  const [sentence] = config.differences.filter(text => text.startsWith('Batches keep'))
  assert.match(sentence ?? '', /source, but for what --recompress asks; only batches that the /)
})

test('topics and streams of a file of Kafka 0.7 count when no flag says otherwise', () => {
  const source = 'mirror.topics.whitelist=a.*\nmirror.consumer.numthreads=4\n'
  const fromFile = load({ source })
  assert.deepEqual(fromFile.topics, { include: 'a.*', exclude: undefined })
  assert.equal(fromFile.links[0]?.link.streams, 4)
  assert.equal(table(fromFile).get('source engine num.streams'), '4 <- s:4')
  const fromFlags = load({ source, flags: { blacklist: 'b', 'num.streams': '2' } })
  assert.deepEqual(fromFlags.topics, { include: undefined, exclude: 'b' })
  assert.equal(fromFlags.links[0]?.link.streams, 2)
  assert.throws(() => load({}), UsageError)
  assert.throws(
    () => load({ source: 'mirror.topics.whitelist=a\nmirror.topics.blacklist=b\n' }),
    /s:4: mirror\.topics\.blacklist: mirror\.topics\.whitelist is set at .*s:3 too\. Set one/
  )
})

test('a build without what the files need is found at the start', () => {
  const source =
    'security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.username=u\nsasl.password=p\n'
  assert.throws(
    () => load({ source, flags: everything, built: ['gzip'] }),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.problems.length, 2)
      return error.problems.every(problem => problem.includes('Install libssl-dev'))
    }
  )
  load({ source, flags: everything, built: ['ssl', 'sasl_scram'] })
})

test('of two budgets that of the target counts, and of two limits the smaller', () => {
  const { links, notes } = load({
    source: 'queued.max.messages.kbytes=65536\nqueued.min.messages=500\n',
    target: 'buffer.memory=134217728\nqueue.buffering.max.messages=100\n',
    flags: everything
  })
  assert.equal(links[0]?.link.budgetBytes, 134_217_728)
  assert.equal(links[0]?.link.maxHeldRecords, 100)
  assert.ok(notes.some(({ text }) => text.includes('buffer.memory of the target counts')))
})

test('interceptors are ignored when somebody says so', () => {
  const source = 'interceptor.classes=com.acme.Spy\n'
  assert.throws(() => load({ source, flags: everything }), /--ignore-interceptors/)
  const { notes } = load({ source, flags: { ...everything, 'ignore-interceptors': true } })
  assert.ok(notes.some(({ text }) => text.endsWith('here: interceptor.classes')))
})

test('a long poll ends before the request would be given up', () => {
  const { links } = load({
    source: 'fetch.max.wait.ms=120000\n',
    target: 'request.timeout.ms=20000\n',
    flags: everything
  })
  assert.equal(links[0]?.link.fetchMaxWaitMs, 20_000)
})

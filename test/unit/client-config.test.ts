import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts'
import { runOptions } from '../../src/config/options.ts'
import { type Environment, readOptions } from '../../src/config/read-options.ts'
import { ConfigError } from '../../src/errors.ts'
import type { LinkConfig, TargetConfig } from '../../src/mirror/types.ts'

const folder = mkdtempSync(join(tmpdir(), 'heliostat-config-'))
after(() => rmSync(folder, { recursive: true }))

const plainSource = 'bootstrap.servers=localhost:9092\ngroup.id=g\n'
const plainTarget = 'bootstrap.servers=localhost:9192\n'

interface Input {
  source?: string
  target?: string
  flags?: Record<string, unknown>
  environment?: Environment
}

function load({ source = '', target = '', flags = {}, environment = {} }: Input): LoadedConfig {
  const consumer = join(folder, 'source.properties')
  const producer = join(folder, 'target.properties')
  writeFileSync(consumer, plainSource + source)
  writeFileSync(producer, plainTarget + target)
  const all = {
    'consumer.config': consumer,
    'producer.config': producer,
    whitelist: '.*',
    ...flags
  }
  const options = readOptions(runOptions, all, environment)
  return loadConfig(options, environment, name => name in flags)
}

/** The one link that a pair of files makes. */
function loadLink(input: Input): LinkConfig & { target: TargetConfig } {
  const { links, target } = load(input)
  return { ...(links[0] as LinkConfig), target }
}

/** The problems that loading finds, without the folder. */
function problems(input: Input): string[] {
  try {
    load(input)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems.map(problem => problem.replaceAll(`${folder}/`, ''))
  }
  return []
}

function notes(input: Input): string[] {
  return load(input).notes.map(
    ({ level, text }) => `${level}: ${text.replaceAll(`${folder}/`, '')}`
  )
}

test('the defaults are those of the documents', () => {
  const { link, autoOffsetReset, commitIntervalMs, source, target } = loadLink({})
  assert.deepEqual(link, {
    streams: 1,
    producers: 2,
    isolation: 'read_committed',
    fetchMinBytes: 1,
    fetchMaxBytes: 52_428_800,
    maxPartitionFetchBytes: 4_194_304,
    fetchMaxWaitMs: 500,
    budgetBytes: 100_663_296,
    maxRequestBytes: 1_048_576,
    maxInFlight: 5,
    requestTimeoutMs: 30_000,
    idempotent: true,
    maxHeldRecords: 0,
    skipGaps: false,
    merge: true,
    clientRack: ''
  })
  assert.equal(autoOffsetReset, 'earliest')
  assert.equal(commitIntervalMs, 5_000)
  assert.deepEqual(source.connection, {
    'bootstrap.servers': 'localhost:9092',
    'client.id': 'g-0',
    log_level: '6',
    'topic.metadata.refresh.interval.ms': '300000',
    'metadata.recovery.strategy': 'rebootstrap',
    'reconnect.backoff.max.ms': '1000',
    'receive.message.max.bytes': '109051904',
    'socket.timeout.ms': '60500',
    'enable.metrics.push': 'false',
    'socket.keepalive.enable': 'true',
    'socket.nagle.disable': 'true'
  })
  assert.equal(source.group['session.timeout.ms'], '6000')
  assert.equal(source.group['enable.auto.commit'], 'false')
  assert.equal(target.connection['client.id'], 'heliostat')
})

test('codec and levels of the target are those of batches that are rebuilt', () => {
  const compressionOf = (target: string) => load({ target }).codecs.compression
  assert.deepEqual(compressionOf(''), { levels: {} })
  assert.deepEqual(compressionOf('compression.type=none\n'), { codec: 'none', levels: {} })
  assert.deepEqual(
    compressionOf('compression.type=ZSTD\ncompression.zstd.level=9\ncompression.gzip.level=-1\n'),
    { codec: 'zstd', levels: { zstd: 9, gzip: -1 } }
  )
  assert.deepEqual(compressionOf('compression.lz4.level=12\n'), { levels: { lz4: 12 } })
  // librdkafka's one number for all, under those of one codec.
  assert.deepEqual(compressionOf('compression.zstd.level=3\ncompression.level=12\n'), {
    levels: { gzip: 9, zstd: 3 }
  })
  assert.deepEqual(compressionOf('compression.level=-1\n'), { levels: {} })
  // Kafka 0.7's names.
  assert.deepEqual(compressionOf('compression.codec=1\ncompressed.topics=a, b\n'), {
    codec: 'gzip',
    levels: {},
    topics: ['a', 'b']
  })
  assert.deepEqual(compressionOf('compression.codec=2\ncompressed.topics=\n'), {
    codec: 'snappy',
    levels: {}
  })
})

test('fetch, group and produce settings reach the engine and the group', () => {
  const { link, source, autoOffsetReset, commitIntervalMs } = loadLink({
    source:
      'fetch.max.bytes=1000000\nmax.partition.fetch.bytes=262144\nfetch.max.wait.ms=100\nfetch.min.bytes=0\n' +
      'auto.offset.reset=latest\nauto.commit.interval.ms=2000\nisolation.level=READ_UNCOMMITTED\n' +
      'group.instance.id=one\nclient.rack=east-1\n',
    target:
      'max.in.flight.requests.per.connection=1\nbuffer.memory=2000000\nmax.request.size=500000\n'
  })
  assert.equal(link.fetchMaxBytes, 1_000_000)
  assert.equal(link.maxPartitionFetchBytes, 262_144)
  assert.equal(link.fetchMaxWaitMs, 100)
  assert.equal(link.fetchMinBytes, 1)
  assert.equal(link.isolation, 'read_uncommitted')
  assert.equal(link.clientRack, 'east-1')
  assert.equal(link.maxInFlight, 1)
  assert.equal(link.budgetBytes, 2_000_000)
  assert.equal(link.maxRequestBytes, 500_000)
  assert.equal(autoOffsetReset, 'latest')
  assert.equal(commitIntervalMs, 2_000)
  assert.equal(source.group['group.instance.id'], 'one')
  assert.equal(source.group['session.timeout.ms'], undefined)
})

test('a flag is stronger than the file, and an override is stronger than both', () => {
  const input = {
    source: 'auto.commit.interval.ms=2000\nfetch.min.bytes=10\nisolation.level=read_uncommitted\n',
    flags: {
      'offset.commit.interval.ms': '3000',
      isolation: 'read_committed',
      'consumer.config.override': ['fetch.min.bytes=20', 'fetch.min.bytes=30']
    }
  }
  const { commitIntervalMs, link } = loadLink(input)
  assert.equal(commitIntervalMs, 3_000)
  assert.equal(link.fetchMinBytes, 30)
  assert.equal(link.isolation, 'read_committed')
})

test('the environment is stronger than the file and gives secrets by file', () => {
  const secret = join(folder, 'password')
  writeFileSync(secret, 'from-file\n')
  const { source } = loadLink({
    source: 'sasl.username=a\n',
    environment: {
      HELIOSTAT_SOURCE_SASL_USERNAME: 'b',
      HELIOSTAT_SOURCE_SASL_PASSWORD_FILE: secret,
      HELIOSTAT_SOURCE_LOG__LEVEL: '3'
    }
  })
  assert.equal(source.connection['sasl.username'], 'b')
  assert.equal(source.connection['sasl.password'], 'from-file')
  assert.equal(source.connection.log_level, '3')
})

test('every problem of both files is told in one run, with file and line', () => {
  const found = problems({
    source: '# comment\ngroup.di=x\nfetch.min.bytes=lots\nauto.offset.reset=middle\n',
    target: 'acks=2\ntransactional.id=t\ninterceptor.classes=com.acme.Spy\ngroup.id=g\n'
  })
  assert.deepEqual(found, [
    'source.properties:4: group.di: unknown setting, did you mean "group.id"?',
    'source.properties:5: fetch.min.bytes: expected a whole number from 0 to 100000000, got "lots". Set one',
    'source.properties:6: auto.offset.reset: expected earliest, latest or none, got "middle". Set one of them',
    'target.properties:2: acks: expected all, -1, 0 or 1, got "2". Set all',
    'target.properties:3: transactional.id: the mirror writes without transactions, under a producer id of its own. Remove it',
    'target.properties:4: interceptor.classes: the Java class com.acme.Spy cannot run here. Remove it, or set --ignore-interceptors',
    'target.properties:5: group.id: it belongs to the file of --consumer.config. Move it there'
  ])
})

test('a number that is only too large is cut to the limit, with a warning', () => {
  const input = { source: 'reconnect.backoff.max.ms=2147483647\n' }
  assert.equal(loadLink(input).source.connection['reconnect.backoff.max.ms'], '3600000')
  assert.ok(
    notes(input).includes(
      'warn: source.properties:3: reconnect.backoff.max.ms: 2147483647 cut to 3600000, the limit'
    )
  )
})

test('of two equal keys the last one counts, with a warning', () => {
  const input = { source: 'client.id=a\nclient.id=b\n' }
  assert.equal(loadLink(input).source.connection['client.id'], 'b')
  assert.deepEqual(notes(input), [
    'warn: source.properties:4: client.id: given before at source.properties:3; the last one counts'
  ])
})

test('two names of one setting may agree but not differ', () => {
  const same = 'send.buffer.bytes=-1\nsocket.send.buffer.bytes=-1\n'
  assert.equal(loadLink({ source: same }).source.connection['socket.send.buffer.bytes'], '0')
  assert.deepEqual(
    problems({ source: 'send.buffer.bytes=1000\nsocket.send.buffer.bytes=2000\n' }),
    [
      'source.properties:4: socket.send.buffer.bytes: says something else than send.buffer.bytes at source.properties:3. Set one of the two'
    ]
  )
})

test('what only a JVM needs is ignored, with one warning for each file', () => {
  const found = notes({ target: 'retries=3\nlinger.ms=50\nkey.serializer=x\n' })
  assert.deepEqual(found, [
    'info: target.properties:3: linger.ms: batches pass as the source holds them; this applies to rebuilt batches only',
    'warn: target: ignored, without effect here: retries, key.serializer (bytes are mirrored as they are)'
  ])
})

test('weaker promises of a Java file are raised', () => {
  assert.ok(
    notes({ target: 'acks=1\n' }).includes('info: target.properties:2: acks: 1 raised to all')
  )
})

test('without idempotence one batch of a partition flies, with a warning', () => {
  const input = { target: 'enable.idempotence=false\nmax.in.flight.requests.per.connection=5\n' }
  const { link } = loadLink(input)
  assert.equal(link.idempotent, false)
  assert.equal(link.maxInFlight, 1)
  assert.ok(
    notes(input).includes(
      'warn: target.properties:2: enable.idempotence: false: plain at-least-once, one batch of a partition on its way at a time; a batch whose answer is lost may be on the target twice'
    )
  )
})

test('fetch.max.bytes does not exceed the byte budget', () => {
  const { link } = loadLink({ source: 'fetch.max.bytes=300000000\n' })
  assert.equal(link.fetchMaxBytes, link.budgetBytes)
})

test('the socket outlives the requests on it', () => {
  const { source, target, link } = loadLink({
    source: 'request.timeout.ms=120000\nsocket.timeout.ms=10000\n',
    target: 'request.timeout.ms=2147483647\n'
  })
  assert.equal(source.connection['socket.timeout.ms'], '150500')
  assert.equal(link.requestTimeoutMs, 240_000)
  assert.equal(target.connection['socket.timeout.ms'], '270000')
})

test('the new group protocol leaves out what the brokers decide', () => {
  const input = { source: 'group.protocol=consumer\nsession.timeout.ms=9000\n' }
  const { group } = loadLink(input).source
  assert.equal(group['session.timeout.ms'], undefined)
  assert.equal(group['partition.assignment.strategy'], undefined)
  assert.ok(
    notes(input).includes(
      'warn: group.protocol=consumer: left out, the brokers decide them: session.timeout.ms'
    )
  )
})

test('JAAS of PLAIN and SCRAM becomes user and password', () => {
  const { connection } = loadLink({
    source:
      'security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n' +
      'sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n' +
      '  username="mirror" password="p;=\\\\"q";\n'
  }).source
  assert.equal(connection['sasl.username'], 'mirror')
  assert.equal(connection['sasl.password'], 'p;="q')
  assert.equal(connection['security.protocol'], 'sasl_ssl')
})

test('a broken JAAS value is refused without showing its secret', () => {
  const found = problems({
    source: 'sasl.jaas.config=a.PlainLoginModule required username="u" password="hunter2"\n'
  })
  assert.equal(found.length, 1)
  assert.match(
    found[0] ?? '',
    /^source.properties:3: sasl.jaas.config: the ; at its end is missing\. Set /
  )
  assert.doesNotMatch(found[0] ?? '', /hunter2/)
})

test('a foreign login module is refused by name', () => {
  const [problem] = problems({ source: 'sasl.jaas.config=com.acme.Login required;\n' })
  assert.match(problem ?? '', /the login module com\.acme\.Login cannot run here/)
})

test('checks that are turned off are said loudly, and those of certificates need a second word', () => {
  assert.deepEqual(notes({ source: 'ssl.endpoint.identification.algorithm=\n' }), [
    'warn: source.properties:3: ssl.endpoint.identification.algorithm: host names of brokers are NOT checked'
  ])
  assert.deepEqual(problems({ source: 'enable.ssl.certificate.verification=false\n' }), [
    'source.properties:3: enable.ssl.certificate.verification: anybody could pose as a broker. Remove it, or set insecure=true too'
  ])
  const input = { source: 'enable.ssl.certificate.verification=false\ninsecure=true\n' }
  assert.equal(loadLink(input).source.connection['enable.ssl.certificate.verification'], 'false')
})

test('passwords and data without TLS are said loudly', () => {
  const found = notes({
    source:
      'security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=u\nsasl.password=p\n',
    target: 'bootstrap.servers=kafka.example:9092\n'
  })
  assert.ok(
    found.includes(
      'warn: source: SASL PLAIN without TLS: the password travels readably. Set security.protocol=SASL_SSL'
    )
  )
  assert.ok(
    found.includes(
      'warn: target: no TLS to kafka.example:9092. Set security.protocol=SSL or SASL_SSL'
    )
  )
})

test("Java's cipher names become OpenSSL's", () => {
  const suites =
    'TLS_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_RSA_WITH_AES_128_CBC_SHA'
  const { connection } = loadLink({ source: `ssl.cipher.suites=${suites}\n` }).source
  assert.equal(connection['ssl.cipher.suites'], 'ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA')
  assert.deepEqual(problems({ source: 'ssl.cipher.suites=TLS_NO_SUCH\n' }), [
    'source.properties:3: ssl.cipher.suites: no cipher here is called TLS_NO_SUCH. Remove it'
  ])
})

test('values can come from files and variables by config providers', () => {
  const secrets = join(folder, 'secrets.properties')
  writeFileSync(secrets, 'pw=from-provider\n')
  const providers =
    'config.providers=file,env\n' +
    'config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider\n' +
    'config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n'
  const { connection } = loadLink({
    source: `${providers}sasl.password=\${file:${secrets}:pw}\nsasl.username=\${env:WHO}\n`,
    environment: { WHO: 'me' }
  }).source
  assert.equal(connection['sasl.password'], 'from-provider')
  assert.equal(connection['sasl.username'], 'me')
  assert.deepEqual(
    problems({ source: 'config.providers=v\nconfig.providers.v.class=com.acme.Vault\n' }),
    [
      'source.properties:4: config.providers.v.class: com.acme.Vault cannot run here. Set one of FileConfigProvider, DirectoryConfigProvider, EnvVarConfigProvider'
    ]
  )
})

test('secrets are refused on the command line', () => {
  const flags = { 'consumer.config.override': ['sasl.password=hunter2'] }
  assert.deepEqual(problems({ flags }), [
    '--consumer.config.override: sasl.password: every user of this host can read a command line. Put it into the file, or into HELIOSTAT_SOURCE_…_FILE'
  ])
})

test('bootstrap.servers and group.id have to be there', () => {
  assert.deepEqual(problems({ source: 'group.id=\n', target: 'bootstrap.servers=\n' }), [
    'source.properties: group.id is missing. Set group.id to the group that keeps the offsets',
    'target.properties: bootstrap.servers is missing. Set bootstrap.servers=host:port,…'
  ])
})

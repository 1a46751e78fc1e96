// What somebody may get wrong in a file, and what is said about it.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gatherSettings } from '../../src/config/cluster-settings.ts'
import { missingFeatures } from '../../src/config/features.ts'
import { parseJaas } from '../../src/config/jaas.ts'
import { parseProperties, readPropertiesFile } from '../../src/config/properties-file.ts'
import { resolveProviders } from '../../src/config/providers.ts'
import type { Environment } from '../../src/config/read-options.ts'
import { isSecret } from '../../src/config/redact.ts'
import { applyRules } from '../../src/config/rules/apply.ts'
import type { Draft, Side } from '../../src/config/rules/rule.ts'
import { rules } from '../../src/config/rules/table.ts'

const folder = mkdtempSync(join(tmpdir(), 'heliostat-bad-'))
after(() => rmSync(folder, { recursive: true }))

function read(text: string, side: Side = 'source'): Draft {
  return applyRules(side, parseProperties(text, 'f').settings)
}

function problems(text: string, side: Side = 'source'): string[] {
  return read(text, side).problems
}

/** Settings from variables and flags, beside an empty file. */
function gather(environment: Environment, overrides: readonly string[] = []): Draft {
  const file = join(folder, 'empty.properties')
  writeFileSync(file, '')
  const found = gatherSettings({ side: 'source', index: 0, file, overrides, environment })
  const draft = applyRules('source', found.settings)
  draft.problems.unshift(...found.problems)
  return draft
}

const prose = 'this line looks like prose, not like a setting. Put a # in front of it, or remove it'

test('prose is told by its line, and not shown', () => {
  const lines = [
    'Then set the following values in the file:',
    '<p>Kafka MirrorMaker copies topics</p>',
    'Note: this is important',
    'group.id is the name of the group',
    'Then set the others:',
    'hunter2',
    '"hunter2";'
  ]
  assert.deepEqual(
    problems(lines.join('\n')),
    lines.map((_, index) => `f:${index + 1}: ${prose}`)
  )
})

test('a name with a space in place of the = is still a setting', () => {
  assert.equal(read('group.id g').group.get('group.id'), 'g')
  assert.equal(read('group.id: g').group.get('group.id'), 'g')
})

test('a login module that says another user than its neighbour is refused', () => {
  const [problem] = problems(
    'sasl.username=a\nsasl.jaas.config=x.PlainLoginModule required username="b" password="p";\n'
  )
  assert.equal(
    problem,
    'f:2: sasl.jaas.config: it says something else than sasl.username at f:1. Set one of the two'
  )
  const draft = applyRules('source', [
    { name: 'sasl.username', value: 'a', origin: 'f:1' },
    {
      name: 'sasl.jaas.config',
      value: 'x.PlainLoginModule required username="a" password="p";',
      origin: 'f:2'
    },
    { name: 'sasl.username', value: 'c', origin: 'VARIABLE', from: 'environment' }
  ])
  assert.deepEqual(draft.problems, [])
  assert.equal(draft.connection.get('sasl.username'), 'c')
})

test('signs of web pages are named', () => {
  assert.deepEqual(
    problems('group.id=“g”\nclient.id=a’\nfetch\u2013min\u2013bytes=1\nclient.\u200brack=r\n'),
    [
      'f:1: group.id: the value stands in “ (U+201C, left double quotation mark). Set it without quotes',
      'f:2: client.id: the value stands in ’ (U+2019, right single quotation mark). Set it without quotes',
      'f:3: fetch.min.bytes: its name is written with – (U+2013, en dash). Set fetch.min.bytes=…',
      'f:4: client.rack: its name is written with (U+200B, zero width space). Set client.rack=…'
    ]
  )
  // A password may end in any sign.
  assert.deepEqual(problems('sasl.password=hunter2´\n'), [])
})

test('names that reach into every object are refused wherever they stand', () => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    for (const whole of [name, `internal.${name}.x`, `sasl.oauthbearer.assertion.claim.${name}`])
      assert.deepEqual(problems(`${whole}=x`), [`f:1: ${whole}: it is no setting. Remove it`])
  }
  assert.deepEqual(gather({ HELIOSTAT_SOURCE_CONSTRUCTOR_NAME: 'x' }).problems, [
    'HELIOSTAT_SOURCE_CONSTRUCTOR_NAME: constructor.name: it is no setting. Remove it'
  ])
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('classes called like a part of every object are refused', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    assert.match(problems(`sasl.jaas.config=${name} required;`)[0] ?? '', /cannot run here/)
    assert.match(
      problems(`sasl.oauthbearer.jwt.retriever.class=${name}`)[0] ?? '',
      /cannot run here/
    )
    assert.match(
      problems(`autooffset.reset=${name}\nauto.offset.reset=${name}`)[0] ?? '',
      /^f:[12]: /
    )
    const [problem] = problems(`compression.codec=${name}`, 'target')
    assert.match(problem ?? '', /^f:1: compression\.codec: expected none or gzip/)
    const lines = `config.providers=a\nconfig.providers.a.class=${name}\n`
    const { settings } = parseProperties(lines, 'f')
    assert.match(resolveProviders(settings, {}).problems[0] ?? '', /cannot run here/)
  }
})

test('hostile JAAS strings are refused without showing what is in them', () => {
  const values = [
    '',
    'hunter2',
    'a.PlainLoginModule',
    'a.PlainLoginModule required',
    'a.PlainLoginModule required username="u" password="hunter2',
    'a.PlainLoginModule required username="u" password=hunter2 x hunter2;',
    'a.PlainLoginModule required username="u" password==hunter2;',
    'a.PlainLoginModule required username="u" password="a" password="hunter2";',
    'a.PlainLoginModule required username="u" password="hunter2"; b.Other required;',
    'a.PlainLoginModule sometimes username="u" password="hunter2";',
    'a.PlainLoginModule required "hunter2"="x";',
    'a.PlainLoginModule required username="" password="hunter2";',
    'a.PlainLoginModule required username="u";',
    'a.PlainLoginModule required username=“u” password=“hunter2”;',
    'a.ScramLoginModule required username="u" password="hunter2" tokenauth="true";',
    'a.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="hunter2";',
    'a.Krb5LoginModule required keyTab="/x$(hunter2)" principal="u@R";',
    'a.Krb5LoginModule required keyTab="/x" principal="u`hunter2`@R";',
    'a.Krb5LoginModule required keyTab="/x";',
    `${'a'.repeat(100_000)} ${'"'.repeat(99_999)}`
  ]
  for (const value of values) {
    const found = read(`sasl.jaas.config ${value.replaceAll('\\', '\\\\')}`)
    assert.equal(found.problems.length, 1, value.slice(0, 80))
    assert.match(found.problems[0] ?? '', /^f:1: sasl\.jaas\.config: .*Set /s)
    assert.doesNotMatch(found.problems[0] ?? '', value === 'hunter2' ? /^$/ : /hunter2/)
  }
})

test('whatever is wrong with a secret, it is not shown', () => {
  const values = ['hunter2', '“hunter2”', 'hunter2 a b c', '"hunter2"', '-----BEGIN hunter2-----']
  for (const { name } of rules) {
    if (!isSecret(name)) continue
    for (const value of values) {
      for (const side of ['source', 'target'] as const) {
        const setting = { name, value, origin: 'f:1' }
        const { problems: told, notes, ignored } = applyRules(side, [setting])
        assert.doesNotMatch(JSON.stringify([told, notes, ignored]), /hunter2/, name)
      }
    }
  }
})

test('escapes in JAAS strings are read as Java reads them', () => {
  const { options } = parseJaas(`a.B required __proto__="x" p="a\\"b\\\\c" q='it"s' r=plain;`)
  assert.deepEqual(
    [...options],
    [
      ['__proto__', 'x'],
      ['p', 'a"b\\c'],
      ['q', 'it"s'],
      ['r', 'plain']
    ]
  )
})

test('a mechanism needs its credentials, each named', () => {
  const sasl = 'security.protocol=SASL_SSL\n'
  const set = 'Set sasl.jaas.config, or sasl.username and sasl.password'
  assert.deepEqual(problems(sasl), [
    'f:1: security.protocol: a mechanism is missing. Set sasl.mechanism, for example SCRAM-SHA-512 (Java takes GSSAPI)'
  ])
  assert.deepEqual(problems(`${sasl}sasl.mechanism=PLAIN\n`), [
    `f:2: sasl.mechanism: PLAIN: the user and the password are missing. ${set}`
  ])
  assert.deepEqual(problems(`${sasl}sasl.mechanism=SCRAM-SHA-256\nsasl.username=u\n`), [
    `f:2: sasl.mechanism: SCRAM-SHA-256: the password is missing. ${set}`
  ])
  assert.deepEqual(problems(`${sasl}sasl.mechanism=OAUTHBEARER\n`), [
    'f:2: sasl.mechanism: OAUTHBEARER: sasl.oauthbearer.token.endpoint.url, the client id and the client secret are missing. Set sasl.oauthbearer.token.endpoint.url, and clientId and clientSecret in sasl.jaas.config'
  ])
  assert.deepEqual(problems(`${sasl}sasl.mechanism=GSSAPI\n`), [
    'f:2: sasl.mechanism: GSSAPI: the keytab and the principal are missing. Set sasl.jaas.config with Krb5LoginModule, or sasl.kerberos.keytab and sasl.kerberos.principal'
  ])
  assert.match(problems(`${sasl}sasl.mechanism=AWS_MSK_IAM\n`)[0] ?? '', /needs Java code/)
  // Java ignores a mechanism whose protocol does not ask for one.
  const { problems: none, notes } = read('sasl.mechanism=PLAIN\n')
  assert.deepEqual(none, [])
  assert.match(notes[0]?.text ?? '', /without effect while security\.protocol has no SASL/)
})

test('a token service is asked by https, and by OIDC without further words', () => {
  const text =
    'security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\n' +
    'sasl.oauthbearer.client.credentials.client.id=c\nsasl.oauthbearer.client.secret=s\n'
  const good = read(`${text}sasl.oauthbearer.token.endpoint.url=https://login.example/token\n`)
  assert.deepEqual(good.problems, [])
  assert.equal(good.connection.get('sasl.oauthbearer.method'), 'oidc')
  assert.equal(good.connection.get('sasl.oauthbearer.client.id'), 'c')
  assert.deepEqual(problems(`${text}sasl.oauthbearer.token.endpoint.url=http://login.example\n`), [
    'f:5: sasl.oauthbearer.token.endpoint.url: secrets go there, so it has to be https. Set https://…'
  ])
})

test('ways to log in that the build lacks name the package', () => {
  const keytab = join(folder, 'keytab')
  writeFileSync(keytab, '', { mode: 0o600 })
  const kerberos = read(
    'security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\n' +
      `sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab="${keytab}" principal="u@R" serviceName="kafka";\n`
  )
  assert.deepEqual(kerberos.problems, [])
  assert.equal(kerberos.connection.get('sasl.kerberos.service.name'), 'kafka')
  assert.deepEqual(missingFeatures(kerberos, ['ssl', 'sasl_plain']), [
    'f:2: sasl.mechanism: librdkafka was built without GSSAPI. Install libsasl2-dev and build again: npm ci, then npm run build'
  ])
  assert.deepEqual(missingFeatures(kerberos, ['ssl', 'sasl_gssapi']), [])
  const tokens = read('security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n')
  assert.match(missingFeatures(tokens, ['ssl'])[0] ?? '', /libcurl4-openssl-dev/)
})

test('a key needs its certificate, and a certificate its key', () => {
  const key = join(folder, 'key.pem')
  writeFileSync(key, '-----BEGIN PRIVATE KEY-----\n')
  assert.deepEqual(problems(`ssl.key.location=${key}\n`), [
    'f:1: ssl.key.location: it needs a certificate to go with it. Set ssl.certificate.location'
  ])
  assert.deepEqual(problems(`ssl.certificate.location=${key}\n`), [
    'f:1: ssl.certificate.location: it needs a key to go with it. Set ssl.key.location'
  ])
  const [problem] = problems('ssl.ca.location=/no/such/file\n')
  assert.match(
    problem ?? '',
    /^f:1: ssl\.ca\.location: \/no\/such\/file cannot be read: there is no such file/
  )
})

test('a command and what reads files come from nowhere else', () => {
  const command = gather({ HELIOSTAT_SOURCE_SASL_KERBEROS_KINIT_CMD: 'rm' }, [
    'sasl.kerberos.kinit.cmd=rm'
  ])
  assert.match(command.problems.join(), /sasl\.kerberos\.kinit\.cmd: it is a command/)
  for (const name of [
    'SSL_CA_LOCATION',
    'SSL_KEY_LOCATION',
    'SSL_TRUSTSTORE_LOCATION',
    'SASL_KERBEROS_KEYTAB',
    'SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL',
    'SASL_OAUTHBEARER_ASSERTION_FILE',
    'SASL_OAUTHBEARER_ASSERTION_PRIVATE_KEY_FILE'
  ]) {
    const { problems: found } = gather({ [`HELIOSTAT_SOURCE_${name}`]: '/etc/passwd' })
    assert.match(found.join(), /a variable may not say what is read/, name)
  }
  const flag = gather({}, [`ssl.ca.location=${folder}`])
  assert.deepEqual(flag.problems, [])
  assert.match(
    problems('sasl.kerberos.kinit.cmd=kinit %{broker.name}\n')[0] ?? '',
    /would put what a cluster says into a shell/
  )
  for (const name of ['principal', 'service.name', 'keytab'])
    assert.match(problems(`sasl.kerberos.${name}=a;b\n`)[0] ?? '', /without signs of a shell/)
})

test('what loads code, is a pointer or breaks a promise is refused from everywhere', () => {
  for (const name of [
    'plugin.library.paths',
    'interceptors',
    'ssl.engine.location',
    'ssl.providers',
    'opaque',
    'rebalance_cb',
    'test.mock.num.brokers',
    'topic.blacklist'
  ]) {
    assert.equal(problems(`${name}=x`).length, 1, name)
    assert.equal(gather({}, [`${name}=x`]).problems.length, 1, name)
    const variable = name.replaceAll('_', '__').replaceAll('.', '_').toUpperCase()
    const { problems: found } = gather({ [`HELIOSTAT_SOURCE_${variable}`]: 'x' })
    assert.match(found.join(), new RegExp(name.replaceAll('.', '\\.')), name)
  }
})

test('an interval of 0 is refused with what to set', () => {
  const lines = [
    'auto.commit.interval.ms=0',
    'metadata.max.age.ms=0',
    'topic.metadata.refresh.interval.ms=0',
    'heartbeat.interval.ms=0',
    'max.poll.interval.ms=0'
  ]
  for (const line of lines) assert.match(problems(line)[0] ?? '', /Set \d+, the default$/, line)
})

test('limits by name are numbers, cut where they are too large', () => {
  const {
    connection,
    notes,
    problems: found
  } = read(
    'socket.connection.setup.timeout.ms=Integer.MAX_VALUE\nreconnect.backoff.max.ms=Long.MAX_VALUE\n' +
      'retry.backoff.ms=java.lang.Integer.MAX_VALUE\n'
  )
  assert.deepEqual(found, [])
  assert.equal(connection.get('socket.connection.setup.timeout.ms'), '2147483647')
  assert.equal(connection.get('reconnect.backoff.max.ms'), '3600000')
  assert.equal(connection.get('retry.backoff.ms'), '300000')
  assert.deepEqual(
    notes.filter(({ level }) => level === 'warn').map(({ text }) => text),
    [
      'f:2: reconnect.backoff.max.ms: Long.MAX_VALUE cut to 3600000, the limit',
      'f:3: retry.backoff.ms: java.lang.Integer.MAX_VALUE cut to 300000, the limit'
    ]
  )
})

test('messages call a setting as the user did', () => {
  assert.match(problems('fetch.max.wait.ms=5m')[0] ?? '', /^f:1: fetch\.max\.wait\.ms: expected/)
})

test('two names of one setting differ only in strength', () => {
  const draft = applyRules('source', [
    { name: 'send.buffer.bytes', value: '2000000', origin: 'f:1' },
    { name: 'socket.send.buffer.bytes', value: '3000000', origin: 'flag', from: 'flag' }
  ])
  assert.deepEqual(draft.problems, [])
  assert.equal(draft.connection.get('socket.send.buffer.bytes'), '3000000')
  assert.equal(problems('fetch.size=1024\nmax.partition.fetch.bytes=2048\n').length, 1)
  assert.deepEqual(problems('fetch.size=1024\nmax.partition.fetch.bytes=1024\n'), [])
  assert.deepEqual(problems('compression.codec=1\ncompression.type=gzip\n', 'target'), [])
})

test('addresses are checked before anybody connects', () => {
  for (const value of ['a:b', 'a:0', 'a:70000', 'a b:9092', 'a:9092;b:9092', 'http://a:1/x'])
    assert.match(problems(`bootstrap.servers=${value}`)[0] ?? '', /is no host:port/, value)
  const good = read('bootstrap.servers=SASL_SSL://a:1, [::1]:2 ,c')
  assert.equal(good.connection.get('bootstrap.servers'), 'a:1,[::1]:2,c')
  assert.match(read('bootstrap.servers=a:2181').notes[0]?.text ?? '', /ZooKeeper/)
})

test('a file of the other side is told as such', () => {
  assert.deepEqual(
    problems('bootstrap.servers=a:1\ngroup.id=g\nauto.offset.reset=latest\n', 'target'),
    [
      'f: this looks like the file of the source: group.id, auto.offset.reset. Give it with --consumer.config',
      'f:2: group.id: it belongs to the file of --consumer.config. Move it there',
      'f:3: auto.offset.reset: it belongs to the file of --consumer.config. Move it there'
    ]
  )
})

test('times of a group have to fit together', () => {
  assert.match(
    problems('session.timeout.ms=9000\nheartbeat.interval.ms=9000\n')[0] ?? '',
    /is not longer than heartbeat\.interval\.ms/
  )
  assert.match(
    problems('session.timeout.ms=9000\nmax.poll.interval.ms=8000\n')[0] ?? '',
    /is shorter than session\.timeout\.ms/
  )
  const long = read('session.timeout.ms=600000\n')
  assert.equal(long.group.get('max.poll.interval.ms'), '600000')
})

test('the first back-off is never longer than the longest', () => {
  const { connection } = read('reconnect.backoff.ms=20000\nretry.backoff.ms=0\n')
  assert.equal(connection.get('reconnect.backoff.max.ms'), '20000')
  assert.equal(connection.get('retry.backoff.ms'), '1')
  const low = read('reconnect.backoff.max.ms=50\n').connection
  assert.equal(low.get('reconnect.backoff.ms'), '50')
})

// A build without a mechanism refuses to make a client that has a setting of it.
test('settings of a mechanism that nobody logs in with are left out', () => {
  const { connection, notes } = read(
    'sasl.oauthbearer.scope=a\nsasl.kerberos.service.name=kafka\nsasl.mechanism=PLAIN\n' +
      'sasl.username=u\nsasl.password=p\nsecurity.protocol=SASL_SSL\n'
  )
  const left = [...connection.keys()].filter(name => /oauth|kerberos/.test(name))
  assert.deepEqual(left, [])
  assert.deepEqual(
    notes.map(({ text }) => text),
    [
      'f:1: sasl.oauthbearer.scope: without effect, as nobody logs in by OAUTHBEARER',
      'f:2: sasl.kerberos.service.name: without effect, as nobody logs in by GSSAPI'
    ]
  )
})

test('files that are no text are told, and every way to write a line is read', () => {
  const path = join(folder, 'utf16.properties')
  writeFileSync(path, Buffer.from('\ufeffgroup.id=g', 'utf16le'))
  assert.deepEqual(readPropertiesFile(path).problems, [
    `${path}: it is no text in UTF-8. Save it as UTF-8`
  ])
  const { settings } = parseProperties(
    '! comment\r\n a\\=b : c\\\r\n   d\n\\u0065=\\u00e9\\t.\n#x\\\ny z\n',
    'f'
  )
  assert.deepEqual(
    settings.map(({ name, value, origin }) => [name, value, origin]),
    [
      ['a=b', 'cd', 'f:2'],
      ['e', 'é\t.', 'f:4'],
      ['y', 'z', 'f:6']
    ]
  )
})

test('ISO 8859-1 is read when the bytes are no UTF-8', () => {
  const path = join(folder, 'latin1.properties')
  writeFileSync(path, Buffer.from('client.id=Zürich', 'latin1'))
  assert.equal(readPropertiesFile(path).settings[0]?.value, 'Zürich')
})

/** As a value names what a provider is to bring. */
function reference(text: string): string {
  return `\${${text}}`
}

test('providers read one pass deep, and within their limits', () => {
  const secrets = join(folder, 'secrets')
  mkdirSync(secrets, { recursive: true })
  writeFileSync(join(secrets, 'pw'), `${reference('env:SECOND')}\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'outside'), 'x')
  symlinkSync(join(folder, 'outside'), join(secrets, 'link'))
  const providers =
    'config.providers=dir,env\n' +
    'config.providers.dir.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider\n' +
    `config.providers.dir.param.allowed.paths=${secrets}\n` +
    'config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n' +
    'config.providers.env.param.allowlist.pattern=MIRROR_.*\n'
  const resolve = (line: string) =>
    resolveProviders(parseProperties(providers + line, 'f').settings, {
      SECOND: 'nested',
      MIRROR_USER: 'me'
    })
  const good = resolve(
    `sasl.password=${reference(`dir:${secrets}:pw`)}\nsasl.username=${reference('env:MIRROR_USER')}\n`
  )
  assert.deepEqual(good.problems, [])
  assert.deepEqual(
    good.settings.map(({ value }) => value),
    [reference('env:SECOND'), 'me']
  )
  for (const [line, why] of [
    [`client.id=${reference(`dir:${secrets}:link`)}`, /outside of param\.allowed\.paths/],
    [`client.id=${reference(`dir:${folder}:outside`)}`, /outside of param\.allowed\.paths/],
    [`client.id=${reference(`dir:${secrets}/..:outside`)}`, /outside of param\.allowed\.paths/],
    [`client.id=${reference(`dir:${secrets}:../outside`)}`, /is not the name of a file/],
    [`client.id=${reference('env:HOME')}`, /is not allowed by param\.allowlist\.pattern/],
    [`client.id=${reference('env:MIRROR_NONE')}`, /the variable MIRROR_NONE is not set/],
    [`sasl.kerberos.kinit.cmd=${reference('env:MIRROR_USER')}`, /a command is not put together/]
  ] as const) {
    assert.match(resolve(line).problems[0] ?? '', why, line)
  }
  assert.match(
    resolve(`client.id=${reference('vault:a')}`).warnings[0] ?? '',
    /config\.providers does not name/
  )
})

test('a secret that others may read is a warning', () => {
  const file = join(folder, 'open.properties')
  writeFileSync(file, 'sasl.password=x\n')
  const warnings = (mode: number) => {
    chmodSync(file, mode)
    const found = gatherSettings({
      side: 'source',
      index: 0,
      file,
      overrides: [],
      environment: {}
    })
    return found.warnings
  }
  assert.deepEqual(warnings(0o600), [])
  assert.deepEqual(warnings(0o644), [
    `${file}: it holds a secret and others may read it (mode 644). chmod 600 mends it`
  ])
})

test('shallowiterator.enable=false is honoured in what arrives, and said', () => {
  const { notes, problems: none } = read('shallowiterator.enable=false\n')
  assert.deepEqual(none, [])
  assert.deepEqual(notes, [
    {
      level: 'warn',
      text: 'f:1: shallowiterator.enable: false read as true: batches are passed through compressed, with the same records; rebuilding every batch is not offered'
    }
  ])
})

test('batch.size counts records in a file of Kafka 0.7 only', () => {
  assert.deepEqual(problems('num.retries=3\nbatch.size=200\n', 'target'), [])
  assert.deepEqual(problems('batch.size=200\n', 'target'), [
    'f:1: batch.size: bytes or records? Set batch.num.messages, or batch.size in bytes'
  ])
})

test('flags that a file of Kafka 0.7 names are kept', () => {
  const { flags, problems: none } = read(
    'mirror.topics.whitelist=a,b\nmirror.consumer.numthreads=4\n'
  )
  assert.deepEqual(none, [])
  assert.equal(flags.get('whitelist')?.value, 'a,b')
  assert.equal(flags.get('num.streams')?.value, '4')
  assert.match(problems('mirror.consumer.numthreads=no\n')[0] ?? '', /from 1 to 64/)
})

// TLS and SASL between the mirror and real brokers: what must work does, what cannot is named, and nothing tells a secret.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { applyRules } from '../../src/config/rules/apply.ts'
import { Cluster, type ClusterEvent } from '../../src/native/index.ts'
import { produceMixed } from '../support/corpus.ts'
import { compareTopics } from '../support/digest.ts'
import { countRecords } from '../support/group-lag.ts'
import { createTopic, runTool } from '../support/kafka-tools.ts'
import {
  type LogLine,
  type MirrorOptions,
  type MirrorProcess,
  mirrorOnce,
  startMirror
} from '../support/mirror-process.ts'
import { freePorts } from '../support/ports.ts'
import {
  canaries,
  type End,
  jaas,
  late,
  passwords,
  SecuredPair,
  users
} from '../support/secured-pair.ts'
import { startLoad } from '../support/steady-load.ts'

const limit = { timeout: 150_000 }
const records = 10_000

let pair: SecuredPair

before(async () => {
  pair = await SecuredPair.start()
})
after(() => pair?.close())

function optionsOf(topic: string, source: End, target: End): MirrorOptions {
  return {
    source,
    target,
    whitelist: topic,
    group: topic,
    consumer: source.settings,
    producer: target.settings
  }
}

const ways: { name: string; ends: () => [End, End] }[] = [
  {
    name: 'SASL_PLAINTEXT with PLAIN to SASL_PLAINTEXT with SCRAM-SHA-256',
    ends: () => [pair.login('source', 'PLAIN'), pair.login('target', 'SCRAM-SHA-256')]
  },
  {
    name: 'SASL_PLAINTEXT with SCRAM-SHA-512 to SASL_SSL with PLAIN',
    ends: () => [
      pair.login('source', 'SCRAM-SHA-512'),
      pair.login('target', 'PLAIN', { tls: 'PKCS12' })
    ]
  },
  {
    name: 'SASL_SSL with SCRAM-SHA-512 to mutual TLS with PEM',
    ends: () => [
      pair.login('source', 'SCRAM-SHA-512', { tls: 'JKS' }),
      pair.mutual('target', 'PEM')
    ]
  },
  {
    name: 'mutual TLS with JKS to mutual TLS with PKCS12',
    ends: () => [pair.mutual('source', 'JKS'), pair.mutual('target', 'PKCS12')]
  },
  {
    name: 'mutual TLS with PKCS12 of Java 8 to SASL_SSL with SCRAM-SHA-256',
    ends: () => [
      pair.mutual('source', 'PKCS12 of Java 8'),
      pair.login('target', 'SCRAM-SHA-256', { tls: 'PEM' })
    ]
  }
]

for (const { name, ends } of ways) {
  test(name, limit, async t => {
    const topic = await prepareTopic()
    const run = await mirrorOnce(t, optionsOf(topic, ...ends()))
    assert.equal(run.code, 0, run.mirror.tail())
    assert.equal(run.report.records, records)
    await assertSame(topic)
    assertSilent(run.mirror)
  })
}

async function prepareTopic(count = records): Promise<string> {
  const topic = randomUUID()
  await createTopic(pair.source.bootstrap, topic, 3)
  const load = { records: count, codec: 'mixed', headers: true } as const
  if (count > 0) await produceMixed(pair.source.bootstrap, topic, load)
  return topic
}

async function assertSame(topic: string): Promise<void> {
  const { source, target } = pair
  assert.deepEqual(await compareTopics(source.bootstrap, target.bootstrap, [topic]), [])
}

test('under load SASL_SSL on both sides, each with its own user, keeps up', limit, async t => {
  const topic = await prepareTopic(0)
  const load = await startLoad(pair.source.bootstrap, topic)
  t.after(() => load.stop())
  const source = pair.login('source', 'SCRAM-SHA-512', { tls: 'JKS' })
  const target = pair.login('target', 'SCRAM-SHA-256', { tls: 'PKCS12' })
  const mirror = await startMirror(t, optionsOf(topic, source, target))
  const hasMirrored = async () => (await countRecords(pair.target.bootstrap, topic)) > 20_000
  await mirror.until('records under load', hasMirrored)
  await load.stop()
  assert.equal(await mirror.stop(), 0, mirror.tail())
  const rest = await mirrorOnce(t, optionsOf(topic, source, target))
  assert.equal(rest.code, 0, rest.mirror.tail())
  await assertSame(topic)
  assertSilent(mirror)
})

const unreached = 'cluster cannot be reached; trying again'

const faults: { name: string; end: () => End; cause: RegExp; fix: RegExp }[] = [
  {
    name: 'a wrong password of PLAIN',
    end: () => pair.login('target', 'PLAIN', { password: canaries.wrong }),
    cause: /^the broker does not take this user with this password$/,
    fix: /sasl\.jaas\.config/
  },
  {
    name: 'a wrong password of SCRAM',
    end: () => pair.login('target', 'SCRAM-SHA-512', { tls: 'JKS', password: canaries.wrong }),
    cause: /^the broker does not take this user with this password$/,
    fix: /sasl\.jaas\.config/
  },
  {
    name: 'a login where none is asked for',
    end: () => ({ ...pair.login('target', 'PLAIN'), bootstrap: pair.target.bootstrap }),
    cause: /^the listener asks for no login$/,
    fix: /security\.protocol without SASL_/
  },
  {
    name: 'no login where one is asked for',
    end: () => pair.plain('LOGIN'),
    cause: /gives no answer: it may ask for a login/,
    fix: /security\.protocol=SASL_PLAINTEXT/
  },
  {
    name: 'an expired certificate',
    end: () => pair.tls('EXPIRED'),
    cause: /the certificate of 127\.0\.0\.1:\d+ \(CN=expired, .* has expired$/,
    fix: /^renew it on the broker/
  },
  {
    name: 'a certificate for another host',
    end: () => pair.tls('OTHERHOST'),
    cause: /\(CN=other-host, .*\) is for DNS:localhost$/,
    fix: /bootstrap\.servers to a name in the certificate/
  },
  {
    name: 'a certificate of an unknown CA',
    end: () => pair.tls('STRANGER'),
    cause:
      /\(CN=other-ca, signed by CN=test-stranger, .*\) is signed by nobody who is trusted here/,
    fix: /ssl\.truststore\.location/
  },
  {
    name: 'a missing client certificate',
    end: () => pair.tls('MUTUAL'),
    cause: /asks for a client certificate, and none is set$/,
    fix: /ssl\.keystore\.location/
  },
  {
    name: 'a plain-text client at a port with TLS',
    end: () => pair.plain('TLS'),
    cause: /^127\.0\.0\.1:\d+ speaks TLS$/,
    fix: /security\.protocol=SSL or SASL_SSL/
  },
  {
    name: 'a client with TLS at a plain-text port',
    end: () => ({ ...pair.tls('TLS'), bootstrap: pair.target.bootstrap }),
    cause: /^127\.0\.0\.1:\d+ does not speak TLS$/,
    fix: /security\.protocol=PLAINTEXT/
  }
]

// Side by side: each waits most of its time for the client to give up.
test('what cannot work is named', { timeout: 180_000, concurrency: 4 }, async t => {
  const topic = await prepareTopic(0)
  const mended = t.test('until a password is mended on the cluster', mendPassword)
  const later = t.test('a broker that advertises a name not in its certificate', nameLater)
  const named = faults.map(({ name, end, cause, fix }) =>
    t.test(name, async one => {
      const source = pair.login('source', 'PLAIN')
      const mirror = await startMirror(one, optionsOf(topic, source, end()))
      const line = await mirror.line({ msg: unreached, side: 'target' })
      assert.match(String(line.cause), cause)
      assert.match(String(line.fix), fix)
      assert.equal(await mirror.stop(), 0, mirror.tail())
      assertSilent(mirror)
    })
  )
  await Promise.all([mended, later, ...named])
})

/** Bootstrap servers may have a good name where the broker advertises another. */
async function nameLater(t: TestContext): Promise<void> {
  const end = pair.tls('OTHERHOST')
  const target = { ...end, bootstrap: end.bootstrap.replace('127.0.0.1', 'localhost') }
  const settings = { ...target.settings, 'broker.address.family': 'v4' }
  const options = optionsOf(await prepareTopic(0), pair.login('source', 'PLAIN'), target)
  const mirror = await startMirror(t, { ...options, producer: settings })
  const line = await mirror.line({ msg: 'client error', client: 'target', error: '_SSL' })
  assert.match(String(line.cause), /^the certificate of 127\.0\.0\.1:\d+ .* is for DNS:localhost$/)
  assert.equal(line.level, 'error')
  assert.equal(await mirror.stop(), 0, mirror.tail())
}

async function mendPassword(t: TestContext): Promise<void> {
  const topic = await prepareTopic()
  const password = 'the-password-now'
  const target = pair.login('target', 'SCRAM-SHA-256', { user: late, password })
  const options = optionsOf(topic, pair.login('source', 'PLAIN'), target)
  const mirror = await startMirror(t, { ...options, isBounded: true })
  const twice = () => mirror.linesLike({ msg: unreached })[1]
  const second = await mirror.until('the second word about it', twice)
  const [first] = mirror.linesLike({ msg: unreached }) as [LogLine]
  assert.ok(timeOf(second) - timeOf(first) >= 9_900, 'said every ten seconds')
  assert.equal(second.cause, first.cause)
  await setPassword(late, password)
  assert.equal(await mirror.exit(), 0, mirror.tail())
  await assertSame(topic)
}

function timeOf({ time }: LogLine): number {
  return Date.parse(time)
}

async function setPassword(user: string, password: string): Promise<void> {
  const { version, bootstrap } = pair.target
  const config = `SCRAM-SHA-256=[iterations=4096,password=${password}]`
  const entity = ['--entity-type', 'users', '--entity-name', user]
  const args = ['--bootstrap-server', bootstrap, '--alter', '--add-config', config, ...entity]
  const { code, stdout, stderr } = await runTool(version, 'kafka.admin.ConfigCommand', args)
  assert.equal(code, 0, stdout + stderr)
}

test('no secret is said at any level, served, reported or shown by ps', limit, async t => {
  const topic = await prepareTopic()
  const [port] = await freePorts(1)
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-security-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const report = join(folder, 'report.json')
  const source = pair.login('source', 'SCRAM-SHA-512', { tls: 'JKS' })
  const target = pair.mutual('target', 'PKCS12 of Java 8')
  const chatty = { debug: 'all' }
  const mirror = await startMirror(t, {
    ...optionsOf(topic, source, target),
    // With a key store too: whose password, and that of its key, are secrets of a file like any.
    consumer: {
      ...source.settings,
      ...pair.stores.source.JKS,
      'sasl.jaas.config': jaas('SCRAM-SHA-512', users.source, `\${env:CANARY_PASSWORD}`),
      'config.providers': 'env',
      'config.providers.env.class': 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
      ...chatty
    },
    producer: { ...target.settings, ...chatty },
    environment: { CANARY_PASSWORD: passwords.source, CANARY_TOKEN: canaries.token },
    http: `127.0.0.1:${port}`,
    flags: ['--log-level', 'debug', '--report', report]
  })
  await mirror.line({ msg: 'cluster reached', side: 'target' })
  const caughtUp = async () => (await countRecords(pair.target.bootstrap, topic)) === records
  await mirror.until('all records', caughtUp)
  const served = await Promise.all(
    ['metrics', 'livez', 'readyz', 'other'].map(path => get(port, path))
  )
  const shown = await readFile(`/proc/${mirror.pid}/cmdline`, 'utf8')
  assert.equal(await mirror.stop(), 0, mirror.tail())
  const told = mirror.linesLike({ msg: 'client message', level: 'debug' })
  assert.ok(told.length > 20, `librdkafka told little: ${told.length} lines`)
  assertSilent(mirror, ...served, shown, await readFile(report, 'utf8'))
})

// The mirror's log leaves out lines that are alike; here each one is looked at.
for (const password of [passwords.target, canaries.wrong]) {
  test(`librdkafka tells no secret when the password is ${password}`, limit, async t => {
    const { bootstrap, settings } = pair.login('target', 'PLAIN', { tls: 'PKCS12', password })
    const given = { 'bootstrap.servers': bootstrap, ...settings, ...pair.stores.target.JKS }
    const lines = Object.entries(given).map(([name, value]) => ({ name, value, origin: 'f:1' }))
    const { connection, problems } = applyRules('target', lines)
    assert.deepEqual(problems, [])
    const cluster = new Cluster({ ...Object.fromEntries(connection), debug: 'all' })
    t.after(() => cluster.close())
    const events: ClusterEvent[] = []
    const drain = () => events.push(...cluster.drainEvents())
    const timer = setInterval(drain, 10)
    await cluster.metadata([], 2_000).catch(drain)
    clearInterval(timer)
    drain()
    const said = events.map(event => JSON.stringify(event))
    assert.ok(said.length > 50, `${said.length} lines`)
    const key = connection.get('ssl.key.pem')?.split('\n')[1] ?? assert.fail('no key')
    for (const secret of [password, key, canaries.store, canaries.key]) {
      assert.deepEqual(
        said.filter(text => text.includes(secret)),
        []
      )
    }
  })
}

async function get(port: number | undefined, path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/${path}`)
  return answer.text()
}

const broken: { name: string; consumer: Record<string, string>; error: RegExp }[] = [
  {
    name: 'a wrong password of a store',
    consumer: { 'ssl.truststore.password': canaries.wrong },
    error: /ssl\.truststore\.password does not open .*\(JKS\)/
  },
  {
    name: 'a wrong password of a key',
    consumer: { 'ssl.key.password': canaries.wrong },
    error: /the private key "client" does not open with ssl\.key\.password/
  },
  {
    name: 'a broken JAAS line',
    consumer: { 'sasl.jaas.config': jaas('PLAIN', 'u', canaries.wrong).replace(';', '') },
    error: /the ; at its end is missing/
  },
  {
    name: 'a secret under an unknown name',
    consumer: { 'sasl.pasword': canaries.wrong },
    error: /sasl\.pasword: unknown setting/
  }
]

for (const { name, consumer, error } of broken) {
  test(`${name} ends the start with exit code 2 and tells no secret`, limit, async t => {
    const source = pair.login('source', 'PLAIN', { tls: 'JKS' })
    const options = optionsOf('t', source, { bootstrap: pair.target.bootstrap, settings: {} })
    const settings = { ...source.settings, ...pair.stores.source.JKS, ...consumer }
    const mirror = await startMirror(t, { ...options, consumer: settings })
    assert.equal(await mirror.exit(), 2, mirror.tail())
    assert.match(mirror.errors, error)
    assertSilent(mirror)
  })
}

/** Nothing that the process has written holds a canary. */
function assertSilent(mirror: MirrorProcess, ...others: string[]): void {
  const said = [...mirror.lines.map(line => JSON.stringify(line)), mirror.errors, ...others]
  for (const [name, canary] of Object.entries(canaries)) {
    assert.deepEqual(
      said.filter(text => text.includes(canary)),
      [],
      `the secret of ${name}`
    )
  }
}

// What an operator reads about a connection that cannot be had, and when the log says it.

import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { ClientLog } from '../../src/mirror/client-log.ts'
import { addressIn, loginFailureOf, offeredMechanisms } from '../../src/mirror/client-texts.ts'
import { adviseOn } from '../../src/mirror/connection-advice.ts'
import { adviseOnLogin, adviseOnPort } from '../../src/mirror/connection-trouble.ts'
import { Repeats } from '../../src/mirror/repeats.ts'
import { probeTls } from '../../src/mirror/tls-probe.ts'
import type { KafkaFailure } from '../../src/native/index.ts'
import { startBrokerBeforeTen } from '../support/broker-before-ten.ts'

const prefix = 'sasl_ssl://b1.example:9093/bootstrap: '

function failure(name: string, message: string, code = -169): KafkaFailure {
  return { code, name, message, retriable: false, fatal: false }
}

test('the three reasons of a refused login are told apart', () => {
  const scram =
    'SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256 (after 3ms in state AUTH_REQ)'
  assert.equal(loginFailureOf(prefix + scram), 'credentials')
  const mechanism =
    "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: SCRAM-SHA-256,SCRAM-SHA-512 (after 3ms)"
  assert.equal(loginFailureOf(prefix + mechanism), 'mechanism')
  assert.equal(offeredMechanisms(mechanism), 'SCRAM-SHA-256,SCRAM-SHA-512')
  assert.match(
    adviseOnLogin(failure('_AUTHENTICATION', mechanism))?.fix ?? '',
    /one that it takes: SCRAM-SHA-256,SCRAM-SHA-512$/
  )
  const none =
    "SASL PLAIN mechanism handshake failed: Broker: Request not valid in current SASL state: broker's supported mechanisms:  (after 4ms)"
  assert.equal(loginFailureOf(prefix + none), 'no-sasl')
  assert.equal(offeredMechanisms(none), '')
  assert.equal(adviseOnLogin(failure('_TRANSPORT', none)), undefined)
})

test('the broker is found in what the client says', () => {
  assert.equal(addressIn(`${prefix}SSL handshake failed`), 'b1.example:9093')
  assert.equal(
    addressIn('127.0.0.1:9092/1: Connect to ipv4#127.0.0.1:9092 failed'),
    '127.0.0.1:9092'
  )
  assert.equal(addressIn('ssl://[::1]:9092/bootstrap: Receive failed'), '[::1]:9092')
  assert.equal(addressIn('GroupCoordinator: b2:9092: Disconnected'), 'b2:9092')
  assert.equal(addressIn('2/2 brokers are down'), undefined)
})

const tls = { 'security.protocol': 'ssl' }

test('what a port was found to be is turned into what to set', () => {
  const cases = [
    [{ kind: 'no-tls' }, tls, /does not speak TLS/, /security\.protocol=PLAINTEXT/],
    [{ kind: 'trusted' }, {}, /speaks TLS/, /SSL or SASL_SSL/],
    [{ kind: 'trusted' }, tls, /may ask for a login, or not be ready$/, /SASL_SSL with/],
    [{ kind: 'no-tls' }, {}, /may ask for a login, or not be ready$/, /SASL_PLAINTEXT with/],
    [
      { kind: 'no-connection', code: 'ECONNREFUSED' },
      tls,
      /nobody answers at b:1 \(ECONN/,
      /^check/
    ],
    [
      { kind: 'refused', code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' },
      tls,
      /asks for a client certificate, and none is set/,
      /ssl\.keystore\.location/
    ],
    [
      { kind: 'refused', code: 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN' },
      { ...tls, 'ssl.key.pem': 'k' },
      /refuses the client's certificate/,
      /trust store/
    ],
    [
      { kind: 'refused', code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' },
      tls,
      /refuses the TLS handshake/,
      /TLS versions/
    ],
    [
      { kind: 'untrusted', code: 'CERT_NOT_YET_VALID', certificate: undefined },
      tls,
      /not valid yet/,
      /clocks/
    ]
  ] as const
  for (const [finding, connection, cause, fix] of cases) {
    const advice = adviseOnPort('b:1', finding, connection)
    assert.match(advice.cause, cause)
    assert.match(advice.fix, fix)
  }
})

/** A port that answers every connection by `answer`. */
async function listen(t: TestContext, answer: 'close' | 'text' | 'nothing'): Promise<string> {
  const server: Server = createServer(socket => {
    socket.on('error', () => {})
    t.after(() => socket.destroy())
    if (answer === 'close') socket.end()
    if (answer === 'text') socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return `127.0.0.1:${address.port}`
}

test('a port that speaks something else is no TLS, however it shows it', async t => {
  for (const answer of ['close', 'text', 'nothing'] as const) {
    assert.deepEqual(await probeTls(await listen(t, answer), tls, 200), { kind: 'no-tls' }, answer)
  }
})

test('a broker that knows no API versions is too old, and one that only ends connections is not', async t => {
  const lost = failure('_TRANSPORT', 'Disconnected', -195)
  const adviseOnServer = async (knows: number[], isSilent = false) =>
    adviseOn(lost, { 'bootstrap.servers': await startBrokerBeforeTen(t, { knows, isSilent }) })
  const [metadata, apiVersions] = [3, 18]
  const [old, silent] = await Promise.all([
    adviseOnServer([metadata]),
    adviseOnServer([metadata], true)
  ])
  assert.deepEqual(silent?.isFinal, true)
  assert.match(old?.cause ?? '', /is a Kafka broker from before 0\.10/)
  assert.match(
    old?.fix ?? '',
    /upgrade the cluster, or mirror it with the MirrorMaker of its own age/
  )
  assert.equal(old?.isFinal, true)
  for (const knows of [[], [apiVersions], [metadata, apiVersions]]) {
    const advice = await adviseOnServer(knows)
    assert.match(advice?.cause ?? '', /takes connections and gives no answer/)
    assert.equal(advice?.isFinal, undefined)
  }
})

test('nobody there is told from somebody who speaks otherwise', async t => {
  const down = await probeTls('127.0.0.1:1', tls)
  assert.deepEqual(down, { kind: 'no-connection', code: 'ECONNREFUSED' })
  const open = await listen(t, 'close')
  const servers = { ...tls, 'bootstrap.servers': `127.0.0.1:1, ssl://${open}` }
  const advice = await adviseOn(failure('_ALL_BROKERS_DOWN', '2/2 brokers are down', -187), servers)
  assert.match(advice?.cause ?? '', /does not speak TLS$/)
})

test('a refused login is an error with cause and fix, and a lost connection a warning', async () => {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) })
  const repeats = new Repeats()
  const clientLog = new ClientLog(log, repeats, { source: {}, target: {}, group: {} })
  const refused = failure('_AUTHENTICATION', `${prefix}SASL authentication error: no`)
  for (const _ of [1, 2, 3]) clientLog.write('source', { type: 'error', failure: refused })
  clientLog.write('target', { type: 'error', failure: failure('_TRANSPORT', 'gone', -195) })
  clientLog.write('source', { type: 'log', level: 3, facility: 'FAIL', message: 'again' })
  assert.deepEqual(
    lines.map(({ level, client }) => [level, client]),
    [
      [50, 'source'],
      [40, 'target']
    ]
  )
  assert.match(String(lines[0]?.cause), /does not take this user/)
  assert.match(String(lines[0]?.fix), /sasl\.jaas\.config/)
})

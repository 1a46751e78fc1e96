// Trust stores and key stores of Java: what keytool wrote, read in memory. The stores come from fixtures/stores/make.sh.

import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Draft, newDraft } from '../../src/config/rules/rule.ts'
import { applyStores } from '../../src/config/rules/stores.ts'
import { describeValidity } from '../../src/config/stores/certificate-notes.ts'
import { findAuthorities } from '../../src/config/stores/host-authorities.ts'
import { storeTypeOf } from '../../src/config/stores/store.ts'
import { useHost } from '../../src/config/stores/trust-store.ts'
import { projectRoot } from '../support/kafka-jars.ts'

const fixtures = join(projectRoot(), 'test', 'fixtures', 'stores')
const storePassword = 'store-password'
const keyPassword = 'key-password'
const folder = mkdtempSync(join(tmpdir(), 'heliostat-stores-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function fixture(name: string): string {
  return join(fixtures, name)
}

function read(name: string): string {
  return readFileSync(fixture(name), 'utf8')
}

const root = new X509Certificate(read('root.pem'))

/** What a file with these settings, and TLS, comes to. */
function apply(settings: Record<string, string>, protocol = 'ssl'): Draft {
  const draft = newDraft('source')
  draft.connection.set('security.protocol', protocol)
  for (const [index, [name, value]] of Object.entries(settings).entries()) {
    const setting = { name, value, origin: `f:${index + 1}` }
    draft.given.set(name, { ...setting, rule: { name, action: 'pass' }, written: setting })
    if (!name.includes('store')) draft.connection.set(name, value)
  }
  const names = Object.keys(settings)
  // A client that shows its key has an authority too, whatever this host has.
  if (names.every(name => name.startsWith('ssl.key') || name === 'ssl.certificate.pem')) {
    draft.connection.set('ssl.ca.location', '/ca.pem')
  }
  applyStores(draft)
  return draft
}

function applyStore(
  kind: 'truststore' | 'keystore',
  name: string,
  password = storePassword
): Draft {
  return apply({ [`ssl.${kind}.location`]: fixture(name), [`ssl.${kind}.password`]: password })
}

function certificatesIn(pem: string | undefined): string[] {
  const blocks = pem?.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  return blocks.map(block => new X509Certificate(block).subject)
}

for (const name of ['trust.jks', 'trust-8.p12', 'trust-17.p12', 'trust-open.p12']) {
  test(`the trust store ${name} is read in memory`, () => {
    const { connection, problems, notes } = applyStore('truststore', name)
    assert.deepEqual([problems, notes], [[], []])
    assert.equal(connection.get('ssl.ca.pem'), root.toString())
  })
}

test('a trust store in PEM is handed on by its path', () => {
  const { connection, problems } = apply({ 'ssl.truststore.location': fixture('root.pem') })
  assert.deepEqual(problems, [])
  assert.equal(connection.get('ssl.ca.location'), fixture('root.pem'))
  assert.equal(connection.has('ssl.ca.pem'), false)
})

test('JKS and PKCS12 without integrity need no password, as in Java', () => {
  for (const name of ['trust.jks', 'trust-open.p12']) {
    const { connection, problems } = apply({ 'ssl.truststore.location': fixture(name) })
    assert.deepEqual(problems, [])
    assert.equal(connection.get('ssl.ca.pem'), root.toString())
  }
})

for (const name of ['client-8.p12', 'client-17.p12', 'client.jks']) {
  test(`the key store ${name} gives key and chain, and its password goes no further`, () => {
    const ownPassword = name.endsWith('jks') ? { 'ssl.key.password': keyPassword } : {}
    const { connection, problems } = apply({
      'ssl.keystore.location': fixture(name),
      'ssl.keystore.password': storePassword,
      ...ownPassword
    })
    assert.deepEqual(problems, [])
    const chain = connection.get('ssl.certificate.pem') ?? ''
    const own = name === 'client-17.p12' ? 'CN=ec' : 'CN=rsa'
    assert.deepEqual(certificatesIn(chain), [own, 'CN=authority', 'CN=root'])
    const key = createPrivateKey(connection.get('ssl.key.pem') ?? '')
    assert.ok(new X509Certificate(chain).checkPrivateKey(key))
    const names = [...connection.keys()].filter(word => word !== 'ssl.ca.location').sort()
    assert.deepEqual(names, ['security.protocol', 'ssl.certificate.pem', 'ssl.key.pem'])
  })
}

test('a key store in PEM stays where it is, and so does the password of its key', () => {
  const { connection, problems } = apply({
    'ssl.keystore.location': fixture('client.pem'),
    'ssl.key.password': keyPassword
  })
  assert.deepEqual(problems, [])
  assert.equal(connection.get('ssl.key.location'), fixture('client.pem'))
  assert.equal(connection.get('ssl.certificate.location'), fixture('client.pem'))
  assert.equal(connection.get('ssl.key.password'), keyPassword)
})

test('a key in PEM without a password that others may read is said', () => {
  const path = join(folder, 'open.pem')
  const key = createPrivateKey({ key: read('client.pem'), passphrase: keyPassword })
  writeFileSync(path, `${key.export({ type: 'pkcs8', format: 'pem' })}${read('client.pem')}`)
  chmodSync(path, 0o600)
  assert.deepEqual(apply({ 'ssl.keystore.location': path }).notes, [])
  chmodSync(path, 0o644)
  const { notes, problems } = apply({ 'ssl.keystore.location': path })
  assert.deepEqual(problems, [])
  assert.match(notes[0]?.text ?? '', /open\.pem: it holds a secret and others may read it/)
})

test('PEM in the file itself may have lost its line ends', () => {
  const text = read('client.pem').replaceAll(/\s+/g, ' ')
  const [key] = text.match(/-----BEGIN ENC.*?END ENC.*?-----/) ?? []
  const { connection, problems } = apply({
    'ssl.ca.pem': read('root.pem').replaceAll('\n', ' '),
    'ssl.key.pem': key ?? '',
    'ssl.certificate.pem': text.slice(text.indexOf('-----BEGIN CERT')),
    'ssl.key.password': keyPassword
  })
  assert.deepEqual(problems, [])
  assert.equal(connection.get('ssl.ca.pem'), root.toString())
  assert.equal(certificatesIn(connection.get('ssl.certificate.pem')).length, 3)
  createPrivateKey(connection.get('ssl.key.pem') ?? '')
})

test('a chain of a key is not trusted; its own certificate is, as in Java', () => {
  const trusted = certificatesIn(applyStore('truststore', 'both.p12').connection.get('ssl.ca.pem'))
  assert.deepEqual(trusted.sort(), ['CN=ec', 'CN=other'])
})

test('the type comes from the first bytes, and another one in the file is said once', () => {
  const settings = {
    'ssl.truststore.location': fixture('trust-17.p12'),
    'ssl.truststore.password': storePassword,
    'ssl.truststore.type': 'jks'
  }
  const { notes, problems } = apply(settings)
  assert.deepEqual(problems, [])
  const text = "f:3: ssl.truststore.type: jks read as PKCS12, as the file's first bytes say"
  assert.deepEqual(notes, [{ level: 'info', text }])
  assert.deepEqual(apply({ ...settings, 'ssl.truststore.type': 'pkcs12' }).notes, [])
})

test('types are told apart', () => {
  const types = ['client.jks', 'client-8.p12', 'trust.jceks', 'root.der', 'client.pem', 'make.sh']
  assert.deepEqual(
    types.map(name => storeTypeOf(readFileSync(fixture(name)))),
    ['JKS', 'PKCS12', 'JCEKS', 'DER', 'PEM', 'unknown']
  )
  assert.equal(storeTypeOf(Buffer.alloc(0)), 'unknown')
})

const secret = 'not-the-password'

const refused: { what: string; settings: Record<string, string>; problem: RegExp }[] = [
  {
    what: 'a wrong password of a JKS store',
    settings: storeOf('truststore', 'trust.jks', secret),
    problem:
      /^f:1: ssl\.truststore\.location: ssl\.truststore\.password does not open .*trust\.jks \(JKS\), or that file is damaged\. Set /
  },
  {
    what: 'a wrong password of a PKCS12 store of Java 8',
    settings: storeOf('truststore', 'trust-8.p12', secret),
    problem: /ssl\.truststore\.password does not open .*\(PKCS12\)/
  },
  {
    what: 'a wrong password of a PKCS12 store of Java 17',
    settings: storeOf('keystore', 'client-17.p12', secret),
    problem: /^f:1: ssl\.keystore\.location: ssl\.keystore\.password does not open .*\(PKCS12\)/
  },
  {
    what: 'a missing password',
    settings: { 'ssl.truststore.location': fixture('trust-17.p12') },
    problem: /trust-17\.p12 \(PKCS12\) has a password\. Set ssl\.truststore\.password$/
  },
  {
    what: 'a key with a password that nobody gave',
    settings: { 'ssl.keystore.location': fixture('client.pem') },
    problem: /the private key has a password\. Set ssl\.key\.password$/
  },
  {
    what: 'a key whose password is not that of its JKS store',
    settings: storeOf('keystore', 'client.jks', storePassword),
    problem:
      /the private key "rsa" does not open with ssl\.keystore\.password\. Set its password as ssl\.key\.password$/
  },
  {
    what: 'a wrong password of a key',
    settings: { 'ssl.keystore.location': fixture('client.pem'), 'ssl.key.password': secret },
    problem: /the private key does not open with ssl\.key\.password/
  },
  {
    what: 'a trust store without a certificate',
    settings: storeOf('truststore', 'empty.jks', storePassword),
    problem:
      /empty\.jks has no certificate to trust\. Add that of the brokers' CA\n {4}keytool -importcert -alias ca /
  },
  {
    what: 'a key store without a key',
    settings: storeOf('keystore', 'trust.jks', storePassword),
    problem: /there is no private key in it\. Set the store that has the key$/
  },
  {
    what: 'JCEKS',
    settings: storeOf('truststore', 'trust.jceks', storePassword),
    problem:
      /is a JCEKS store, which only Java can read\. Convert it and set ssl\.truststore\.location=store\.p12 or store\.pem\n {4}keytool -importkeystore -srckeystore \S+ -srcstoretype JCEKS -destkeystore store\.p12 -deststoretype PKCS12\n {4}openssl pkcs12 -in store\.p12 -out store\.pem$/
  },
  {
    what: 'a certificate in DER',
    settings: { 'ssl.truststore.location': fixture('root.der') },
    problem:
      /is one certificate in DER, no store\. Convert it .*\n {4}openssl x509 -inform der -in /
  },
  {
    what: 'what is no store',
    settings: { 'ssl.truststore.location': fixture('make.sh') },
    problem: /make\.sh is no store of a known type/
  },
  {
    what: 'a path without a file',
    settings: { 'ssl.truststore.location': '/nowhere/trust.jks' },
    problem: /"\/nowhere\/trust\.jks" cannot be read: ENOENT\. Set the path of the store$/
  },
  {
    what: 'certificates beside a store of them',
    settings: { ...storeOf('truststore', 'trust.jks', storePassword), 'ssl.ca.pem': 'x' },
    problem: /ssl\.ca\.pem is set too\. Set one of the two$/
  },
  {
    what: 'a key without its certificate',
    settings: { 'ssl.key.pem': 'x' },
    problem: /its certificate is missing\. Set ssl\.keystore\.certificate\.chain$/
  },
  {
    what: 'a certificate without its key',
    settings: { 'ssl.certificate.pem': 'x' },
    problem: /its key is missing\. Set ssl\.keystore\.key$/
  },
  {
    what: 'text that is no PEM',
    settings: { 'ssl.ca.pem': 'MIIB' },
    problem: /^f:1: ssl\.ca\.pem: this is no PEM\./
  }
]

function storeOf(kind: string, name: string, password: string): Record<string, string> {
  return { [`ssl.${kind}.location`]: fixture(name), [`ssl.${kind}.password`]: password }
}

for (const { what, settings, problem } of refused) {
  test(`${what} is named, and no password is shown`, () => {
    const { problems, notes } = apply(settings)
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', problem)
    const said = JSON.stringify([problems, notes]).replaceAll(/ssl\.\w+\.password/g, '')
    for (const word of [secret, storePassword, keyPassword]) assert.ok(!said.includes(word), said)
  })
}

test('a damaged store is refused', () => {
  for (const [name, size] of [
    ['trust.jks', 200],
    ['trust-17.p12', 300],
    ['trust-8.p12', 20]
  ] as const) {
    const path = join(folder, name)
    writeFileSync(path, readFileSync(fixture(name)).subarray(0, size))
    const { problems } = apply({ 'ssl.truststore.location': path })
    assert.match(problems[0] ?? '', /cannot be read: damaged/, name)
  }
})

test('a store cut short or changed anywhere never ends the process', () => {
  for (const name of ['client.jks', 'client-17.p12']) {
    const whole = readFileSync(fixture(name))
    const path = join(folder, name)
    for (let at = 0; at < whole.length; at += 97) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] as number) ^ 0xff
      writeFileSync(path, changed)
      apply({ 'ssl.keystore.location': path, 'ssl.keystore.password': storePassword })
      writeFileSync(path, whole.subarray(0, at))
      const { problems } = apply({ 'ssl.keystore.location': path })
      assert.equal(problems.length, 1)
    }
  }
})

test('expired certificates are said, and used', () => {
  const { connection, notes, problems } = applyStore('truststore', 'expired.jks')
  assert.deepEqual(problems, [])
  assert.deepEqual(certificatesIn(connection.get('ssl.ca.pem')), ['CN=old'])
  const text =
    'f:1: ssl.truststore.location: certificates expired: CN=old (valid 2020-01-01 to 2020-01-31)'
  assert.deepEqual(notes, [{ level: 'warn', text }])
  const [note] = applyStore('keystore', 'expired.jks').notes
  assert.match(note?.text ?? '', /CN=old .*: brokers will refuse them$/)
})

test('certificates of the future are said too, and of many only some are named', () => {
  const before = Date.parse(root.validFrom) - 1
  assert.match(describeValidity([root], before) ?? '', /^not valid yet: CN=root /)
  assert.match(describeValidity(Array(5).fill(root), before) ?? '', / and 2 more$/)
  assert.equal(describeValidity([root]), undefined)
})

test('an anchor that is no root is said: OpenSSL wants the root', () => {
  const { notes, problems } = applyStore('truststore', 'authority.jks')
  assert.deepEqual(problems, [])
  const text =
    'f:1: ssl.truststore.location: CN=authority is no root: Java trusts it by itself, OpenSSL does not. Add CN=root'
  assert.deepEqual(notes, [{ level: 'warn', text }])
})

test('without a trust store the authorities of the host count, and there have to be some', () => {
  const found = '/etc/pki/tls/certs/ca-bundle.crt'
  assert.equal(
    findAuthorities(path => path === found),
    found
  )
  const draft = newDraft('target')
  useHost(found, draft)
  assert.equal(draft.connection.get('ssl.ca.location'), found)
  useHost(
    findAuthorities(() => false),
    draft
  )
  assert.match(draft.problems[0] ?? '', /^target: this host has no .*Set ssl\.truststore\.location/)
})

test('an own location and a check that is off need no authorities of the host', () => {
  const own = apply({ 'ssl.ca.location': '/own.pem' })
  assert.equal(own.connection.get('ssl.ca.location'), '/own.pem')
  const open = apply({ 'enable.ssl.certificate.verification': 'false' })
  assert.equal(open.connection.has('ssl.ca.location'), false)
})

test('without TLS no store is opened, as in Java', () => {
  const { connection, notes, problems } = apply(
    { 'ssl.truststore.location': '/nowhere/trust.jks' },
    'sasl_plaintext'
  )
  assert.deepEqual(problems, [])
  assert.deepEqual([...connection.keys()], ['security.protocol'])
  const text =
    'f:1: ssl.truststore.location: not read, as security.protocol=SASL_PLAINTEXT has no TLS'
  assert.deepEqual(notes, [{ level: 'warn', text }])
})

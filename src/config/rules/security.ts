// Security settings of both files: TLS, SASL, and Java's ways to say it.

import { type LoginModule, parseJaas } from '../jaas.ts'
import type { Setting } from '../properties-file.ts'
import { opensslCiphers } from './ciphers.ts'
import {
  addNote,
  addProblem,
  type Check,
  type Draft,
  type Rule,
  refuseForeignClass,
  trueOrFalse
} from './rule.ts'

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'GSSAPI']
const ownClass = refuseForeignClass('Remove it')

function ignored(...names: string[]): Rule[] {
  return names.map(name => ({ name, action: 'ignore' }))
}

function passed(names: readonly string[], check?: Check): Rule[] {
  return names.map(name => (check ? { name, action: 'pass', check } : { name, action: 'pass' }))
}

function javaCode(name: string): Rule {
  return {
    name,
    action: 'translate',
    translate: (setting, draft) =>
      addProblem(draft, setting, `the Java class ${setting.value} cannot run here. Remove it`)
  }
}

export const securityRules: readonly Rule[] = [
  ...passed(['security.protocol'], { oneOf: ['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'] }),
  { name: 'sasl.mechanism', action: 'translate', translate: translateMechanism },
  { name: 'sasl.jaas.config', action: 'translate', translate: translateJaas },
  ...passed(['sasl.kerberos.service.name', 'sasl.kerberos.kinit.cmd']),
  ...passed(['sasl.kerberos.min.time.before.relogin'], { min: 0, max: 86_400_000 }),
  ...ignored('sasl.kerberos.ticket.renew.jitter', 'sasl.kerberos.ticket.renew.window.factor'),
  {
    name: 'sasl.login.callback.handler.class',
    action: 'translate',
    translate: translateLoginHandler
  },
  ...['sasl.client.callback.handler.class', 'sasl.server.callback.handler.class'].map(javaCode),
  ...['sasl.login.class', 'ssl.engine.factory.class'].map(javaCode),
  ...passed([
    'sasl.oauthbearer.token.endpoint.url',
    'sasl.oauthbearer.scope',
    'sasl.oauthbearer.client.credentials.client.id',
    'sasl.oauthbearer.client.credentials.client.secret',
    'sasl.oauthbearer.assertion.algorithm',
    'sasl.oauthbearer.assertion.claim.*',
    'sasl.oauthbearer.assertion.file',
    'sasl.oauthbearer.assertion.private.key.file',
    'sasl.oauthbearer.assertion.private.key.passphrase'
  ]),
  {
    name: 'sasl.oauthbearer.assertion.template.file',
    action: 'rename',
    to: 'sasl.oauthbearer.assertion.jwt.template.file'
  },
  {
    name: 'sasl.oauthbearer.jwt.retriever.class',
    action: 'translate',
    translate: translateRetriever
  },
  { name: 'sasl.oauthbearer.jwt.validator.class', action: 'ignore', refuseWhen: ownClass },
  ...ignored(
    'sasl.oauthbearer.jwks.*',
    'sasl.oauthbearer.clock.skew.seconds',
    'sasl.oauthbearer.expected.*',
    'sasl.oauthbearer.header.urlencode',
    'sasl.oauthbearer.scope.claim.name',
    'sasl.oauthbearer.sub.claim.name',
    'sasl.login.refresh.*',
    'sasl.login.connect.timeout.ms',
    'sasl.login.read.timeout.ms',
    'sasl.login.retry.backoff*'
  ),
  // The stores are read together with their passwords, once the whole file is known.
  ...[
    'ssl.truststore.location',
    'ssl.truststore.type',
    'ssl.truststore.password',
    'ssl.keystore.location',
    'ssl.keystore.type',
    'ssl.keystore.password'
  ].map((name): Rule => ({ name, action: 'translate', translate: () => {} })),
  { name: 'ssl.truststore.certificates', action: 'rename', to: 'ssl.ca.pem' },
  { name: 'ssl.keystore.key', action: 'rename', to: 'ssl.key.pem' },
  { name: 'ssl.keystore.certificate.chain', action: 'rename', to: 'ssl.certificate.pem' },
  ...passed(['ssl.key.password']),
  {
    name: 'ssl.endpoint.identification.algorithm',
    action: 'translate',
    check: { oneOf: ['', 'none', 'https'] },
    translate: (setting, draft) => {
      const isOff = setting.value === '' || setting.value === 'none'
      draft.connection.set(setting.name, isOff ? 'none' : 'https')
      if (isOff) addNote(draft, 'warn', setting, 'host names of brokers are NOT checked')
    }
  },
  {
    name: 'enable.ssl.certificate.verification',
    action: 'translate',
    check: trueOrFalse,
    translate: (setting, draft) => {
      if (setting.value === 'true') return
      draft.connection.set(setting.name, 'false')
      if (draft.insecure) addNote(draft, 'warn', setting, 'certificates of brokers are NOT checked')
      else
        addProblem(
          draft,
          setting,
          'anybody could pose as a broker. Remove it, or set insecure=true too'
        )
    }
  },
  {
    // Read before all others, so that it counts wherever it stands in the file.
    name: 'insecure',
    action: 'translate',
    check: trueOrFalse,
    translate: () => {}
  },
  { name: 'ssl.cipher.suites', action: 'translate', translate: translateCiphers },
  ...ignored(
    'ssl.enabled.protocols',
    'ssl.protocol',
    'ssl.provider',
    'ssl.keymanager.algorithm',
    'ssl.trustmanager.algorithm',
    'ssl.secure.random.implementation'
  )
]

function translateMechanism(setting: Setting, draft: Draft): void {
  if (setting.value === 'AWS_MSK_IAM') {
    return addProblem(
      draft,
      setting,
      'it needs Java code. Set a SCRAM user on the cluster, or mutual TLS'
    )
  }
  const mechanism = mechanisms.find(name => name === setting.value.toUpperCase())
  if (mechanism !== undefined) draft.connection.set('sasl.mechanism', mechanism)
  else
    addProblem(draft, setting, `expected one of ${mechanisms.join(', ')}, got "${setting.value}"`)
}

/** Options of a login module by class, and what they are called here. */
const loginModules: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  PlainLoginModule: { username: 'sasl.username', password: 'sasl.password' },
  ScramLoginModule: { username: 'sasl.username', password: 'sasl.password' },
  Krb5LoginModule: { keyTab: 'sasl.kerberos.keytab', principal: 'sasl.kerberos.principal' },
  OAuthBearerLoginModule: {
    clientId: 'sasl.oauthbearer.client.id',
    clientSecret: 'sasl.oauthbearer.client.secret',
    scope: 'sasl.oauthbearer.scope'
  }
}

function translateJaas(setting: Setting, draft: Draft): void {
  let login: LoginModule
  try {
    login = parseJaas(setting.value)
  } catch (error) {
    const form =
      'Set org.apache.kafka.common.security.plain.PlainLoginModule required username="…" password="…";'
    return addProblem(draft, setting, `${(error as Error).message}. ${form}`)
  }
  const names = loginModules[login.name]
  if (!names) {
    const known = Object.keys(loginModules).join(', ')
    return addProblem(
      draft,
      setting,
      `the login module ${login.className} cannot run here. Set one of ${known}`
    )
  }
  for (const [option, name] of Object.entries(names)) {
    const value = login.options[option]
    if (value !== undefined) draft.connection.set(name, value)
  }
  if (names.username !== undefined && login.options.username === undefined) {
    addProblem(draft, setting, 'the username is missing. Set username="…"')
  }
}

function translateLoginHandler(setting: Setting, draft: Draft): void {
  if (setting.value.endsWith('.OAuthBearerLoginCallbackHandler')) {
    draft.connection.set('sasl.oauthbearer.method', 'oidc')
    return
  }
  addProblem(draft, setting, `the Java class ${setting.value} cannot run here. Remove it`)
}

const grantTypes: Readonly<Record<string, string | undefined>> = {
  ClientCredentialsJwtRetriever: 'client_credentials',
  JwtBearerJwtRetriever: 'urn:ietf:params:oauth:grant-type:jwt-bearer'
}

function translateRetriever(setting: Setting, draft: Draft): void {
  const name = setting.value.slice(setting.value.lastIndexOf('.') + 1)
  const grantType = grantTypes[name]
  if (grantType !== undefined) draft.connection.set('sasl.oauthbearer.grant.type', grantType)
  else if (name !== 'DefaultJwtRetriever') {
    addProblem(draft, setting, `the Java class ${setting.value} cannot run here. Remove it`)
  }
}

function translateCiphers(setting: Setting, draft: Draft): void {
  const { ciphers, unknown } = opensslCiphers(setting.value)
  if (unknown.length > 0)
    addProblem(draft, setting, `no cipher here is called ${unknown.join(', ')}. Remove it`)
  else if (ciphers.length === 0)
    addProblem(draft, setting, 'suites of TLS 1.3 alone cannot be chosen. Remove it')
  else draft.connection.set(setting.name, ciphers.join(':'))
}

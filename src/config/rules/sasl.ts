// SASL settings of both files, and Java's ways to say them.

import { type Login, readLogin } from '../login.ts'
import type { Setting } from '../properties-file.ts'
import type { Check } from './check.ts'
import {
  addNote,
  addProblem,
  type Draft,
  type Rule,
  refuseForeignClass,
  setConnection
} from './rule.ts'

const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'GSSAPI']
const ownClass = refuseForeignClass('Remove it')
const readableFile: Check = { readable: 'file' }

// librdkafka puts them into a command for a shell.
const inCommand: Check = {
  form: /^[^"'`$;|&<>(){}\\\s%]*$/,
  expected: 'a name or path without signs of a shell',
  set: 'another one'
}

function ignored(...names: string[]): Rule[] {
  return names.map(name => ({ name, action: 'ignore' }))
}

function passed(names: readonly string[], check?: Check): Rule[] {
  return names.map(name => (check ? { name, action: 'pass', check } : { name, action: 'pass' }))
}

function javaCode(name: string): Rule {
  return {
    name,
    action: 'refuse',
    note: 'Java code cannot run here. Remove it',
    use: (setting, draft) =>
      addProblem(draft, setting, `the Java class ${setting.value} cannot run here. Remove it`)
  }
}

export const saslRules: readonly Rule[] = [
  { name: 'sasl.mechanism', action: 'pass', use: useMechanism },
  { name: 'sasl.mechanisms', action: 'rename', to: 'sasl.mechanism' },
  ...passed(['sasl.username', 'sasl.password']),
  { name: 'sasl.jaas.config', action: 'translate', use: translateJaas },
  ...passed(['sasl.kerberos.service.name', 'sasl.kerberos.principal'], inCommand),
  { name: 'sasl.kerberos.keytab', action: 'pass', check: inCommand },
  { name: 'sasl.kerberos.kinit.cmd', action: 'pass', use: useCommand },
  ...passed(['sasl.kerberos.min.time.before.relogin'], { min: 0, max: 86_400_000 }),
  ...ignored('sasl.kerberos.ticket.renew.jitter', 'sasl.kerberos.ticket.renew.window.factor'),
  { name: 'sasl.login.callback.handler.class', action: 'translate', use: translateLoginHandler },
  javaCode('sasl.client.callback.handler.class'),
  javaCode('sasl.server.callback.handler.class'),
  javaCode('sasl.login.class'),
  javaCode('ssl.engine.factory.class'),
  { name: 'sasl.oauthbearer.token.endpoint.url', action: 'pass', use: useTokenService },
  {
    name: 'sasl.oauthbearer.client.credentials.client.id',
    action: 'rename',
    to: 'sasl.oauthbearer.client.id'
  },
  {
    name: 'sasl.oauthbearer.client.credentials.client.secret',
    action: 'rename',
    to: 'sasl.oauthbearer.client.secret'
  },
  ...passed([
    'sasl.oauthbearer.scope',
    'sasl.oauthbearer.client.id',
    'sasl.oauthbearer.client.secret',
    'sasl.oauthbearer.extensions',
    'sasl.oauthbearer.config',
    'sasl.oauthbearer.assertion.claim.*',
    'sasl.oauthbearer.assertion.private.key.passphrase',
    'sasl.oauthbearer.assertion.private.key.pem'
  ]),
  // The other method asks the program for tokens, and the mirror has none to give.
  ...passed(['sasl.oauthbearer.method'], { oneOf: ['oidc'], set: 'oidc' }),
  ...passed(['sasl.oauthbearer.grant.type'], {
    oneOf: ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer']
  }),
  ...passed(['sasl.oauthbearer.metadata.authentication.type'], { oneOf: ['none', 'azure_imds'] }),
  ...passed(['sasl.oauthbearer.assertion.algorithm'], { oneOf: ['RS256', 'ES256'] }),
  ...passed(
    [
      'sasl.oauthbearer.assertion.file',
      'sasl.oauthbearer.assertion.private.key.file',
      'sasl.oauthbearer.assertion.jwt.template.file'
    ],
    readableFile
  ),
  {
    name: 'sasl.oauthbearer.assertion.template.file',
    action: 'rename',
    to: 'sasl.oauthbearer.assertion.jwt.template.file'
  },
  { name: 'sasl.oauthbearer.jwt.retriever.class', action: 'translate', use: translateRetriever },
  { name: 'sasl.oauthbearer.jwt.validator.class', action: 'ignore', refuseWhen: ownClass },
  {
    name: 'enable.sasl.oauthbearer.unsecure.jwt',
    action: 'refuse',
    note: 'unsigned tokens are for tests only. Remove it, or set insecure=true too',
    use: useUnsignedTokens
  },
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
  )
]

function useMechanism(setting: Setting, draft: Draft): void {
  if (setting.value === 'AWS_MSK_IAM') {
    const what = 'it needs Java code. Set a SCRAM user on the cluster, or mutual TLS'
    return addProblem(draft, setting, what)
  }
  const mechanism = mechanisms.find(name => name === setting.value.toUpperCase())
  if (mechanism !== undefined) return setConnection(draft, setting, 'sasl.mechanism', mechanism)
  const expected = `expected one of ${mechanisms.join(', ')}`
  addProblem(draft, setting, `${expected}, got "${setting.value}". Set one of them`)
}

function translateJaas(setting: Setting, draft: Draft): void {
  let login: Login
  try {
    login = readLogin(setting.value)
  } catch (error) {
    return addProblem(draft, setting, (error as Error).message)
  }
  for (const [name, value] of login.properties) {
    const other = draft.given.get(name)
    if (other && other.from === setting.from && other.value !== value) {
      const what = `it says something else than ${other.written.name} at ${other.origin}`
      addProblem(draft, setting, `${what}. Set one of the two`)
    }
    setConnection(draft, setting, name, value)
  }
  if (login.unused === 0) return
  addNote(draft, 'warn', setting, `${login.unused} options of the login module have no effect here`)
}

// A broker's name comes from the cluster, and a shell would run what is in it.
function useCommand(setting: Setting, draft: Draft): void {
  if (!setting.value.includes('%{broker.name}'))
    return setConnection(draft, setting, setting.name, setting.value)
  const what = '%{broker.name} would put what a cluster says into a shell'
  addProblem(draft, setting, `${what}. Set the command without it`)
}

function useTokenService(setting: Setting, draft: Draft): void {
  const isSafe = /^https:\/\/[^\s/]/i.test(setting.value)
  if (!isSafe) {
    const what = 'secrets go there, so it has to be https. Set https://…'
    if (!draft.insecure || !/^http:\/\/[^\s/]/i.test(setting.value))
      return addProblem(draft, setting, what)
    addNote(draft, 'warn', setting, 'secrets of the client travel readably')
  }
  setConnection(draft, setting, setting.name, setting.value)
}

function useUnsignedTokens(setting: Setting, draft: Draft): void {
  if (setting.value.toLowerCase() === 'false') return
  const what = 'unsigned tokens are for tests only'
  if (!draft.insecure)
    return addProblem(draft, setting, `${what}. Remove it, or set insecure=true too`)
  setConnection(draft, setting, setting.name, 'true')
  addNote(draft, 'warn', setting, what)
}

function translateLoginHandler(setting: Setting, draft: Draft): void {
  if (/(?:^|\.)OAuthBearerLoginCallbackHandler$/.test(setting.value)) {
    setConnection(draft, setting, 'sasl.oauthbearer.method', 'oidc')
    addNote(draft, 'info', setting, 'read as sasl.oauthbearer.method=oidc')
    return
  }
  addProblem(draft, setting, `the Java class ${setting.value} cannot run here. Remove it`)
}

const grantTypes: ReadonlyMap<string, string> = new Map([
  ['ClientCredentialsJwtRetriever', 'client_credentials'],
  ['JwtBearerJwtRetriever', 'urn:ietf:params:oauth:grant-type:jwt-bearer']
])

function translateRetriever(setting: Setting, draft: Draft): void {
  const name = setting.value.slice(setting.value.lastIndexOf('.') + 1)
  const grantType = grantTypes.get(name)
  if (grantType !== undefined) {
    setConnection(draft, setting, 'sasl.oauthbearer.grant.type', grantType)
    addNote(draft, 'info', setting, `read as sasl.oauthbearer.grant.type=${grantType}`)
  } else if (name !== 'DefaultJwtRetriever') {
    addProblem(draft, setting, `the Java class ${setting.value} cannot run here. Remove it`)
  }
}

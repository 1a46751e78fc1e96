// Whether a mechanism has all that it logs in with.

import { accessSync, constants } from 'node:fs'
import { addNote, addProblem, type Draft, setConnection } from './rule.ts'

export function checkLogin(draft: Draft): void {
  checkMechanism(draft)
  dropUnused(draft)
}

function checkMechanism(draft: Draft): void {
  const protocol = draft.given.get('security.protocol')
  const mechanism = draft.given.get('sasl.mechanism')
  const isSasl = protocol?.value.toLowerCase().startsWith('sasl_') ?? false
  if (isSasl && protocol && !mechanism) {
    const what = 'a mechanism is missing. Set sasl.mechanism, for example SCRAM-SHA-512'
    return addProblem(draft, protocol, `${what} (Java takes GSSAPI)`)
  }
  const name = draft.connection.get('sasl.mechanism')
  if (!mechanism || name === undefined) return
  if (isSasl) return checkCredentials(name, draft)
  // A value that was refused says enough by itself.
  if (protocol && !draft.connection.has('security.protocol')) return
  const set = 'Set security.protocol=SASL_SSL to log in'
  addNote(draft, 'warn', mechanism, `without effect while security.protocol has no SASL. ${set}`)
}

const userAndPassword = {
  needs: [
    ['sasl.username', 'the user'],
    ['sasl.password', 'the password']
  ],
  set: 'Set sasl.jaas.config, or sasl.username and sasl.password'
} as const

function checkCredentials(mechanism: string, draft: Draft): void {
  // What could not be read has been told already.
  const jaas = draft.given.get('sasl.jaas.config')
  if (jaas && draft.problems.some(problem => problem.startsWith(`${jaas.origin}: ${jaas.name}:`)))
    return
  if (mechanism === 'OAUTHBEARER') return checkTokens(draft)
  if (mechanism === 'GSSAPI') return checkKerberos(draft)
  const missing = userAndPassword.needs.filter(([name]) => !draft.connection.get(name))
  refuseMissing(
    draft,
    missing.map(([, what]) => what),
    userAndPassword.set
  )
}

function checkTokens(draft: Draft): void {
  const { connection } = draft
  const mechanism = draft.given.get('sasl.mechanism')
  if (!mechanism || connection.has('enable.sasl.oauthbearer.unsecure.jwt')) return
  // Java too takes a token service for what it is, whatever else is set.
  if (!connection.has('sasl.oauthbearer.method'))
    setConnection(draft, mechanism, 'sasl.oauthbearer.method', 'oidc')
  const metadata = connection.get('sasl.oauthbearer.metadata.authentication.type') ?? 'none'
  if (metadata !== 'none') return
  const isAssertion = connection.get('sasl.oauthbearer.grant.type')?.endsWith(':jwt-bearer')
  const needs: [name: string, what: string][] = [
    ['sasl.oauthbearer.token.endpoint.url', 'sasl.oauthbearer.token.endpoint.url']
  ]
  if (!isAssertion)
    needs.push(
      ['sasl.oauthbearer.client.id', 'the client id'],
      ['sasl.oauthbearer.client.secret', 'the client secret']
    )
  const set =
    'Set sasl.oauthbearer.token.endpoint.url, and clientId and clientSecret in sasl.jaas.config'
  // One that was refused has been told already.
  const missing = needs.filter(([name]) => !connection.get(name) && !draft.given.get(name)?.value)
  refuseMissing(
    draft,
    missing.map(([, what]) => what),
    set
  )
}

function checkKerberos(draft: Draft): void {
  // An own command knows where its ticket comes from.
  if (draft.connection.has('sasl.kerberos.kinit.cmd')) return
  const missing = ['keytab', 'principal'].filter(
    name => !draft.connection.get(`sasl.kerberos.${name}`)
  )
  const set =
    'Set sasl.jaas.config with Krb5LoginModule, or sasl.kerberos.keytab and sasl.kerberos.principal'
  refuseMissing(
    draft,
    missing.map(name => `the ${name}`),
    set
  )
  const keytab = draft.connection.get('sasl.kerberos.keytab')
  if (keytab === undefined || canRead(keytab)) return
  const mechanism = draft.given.get('sasl.mechanism')
  if (mechanism)
    addProblem(draft, mechanism, `the keytab ${keytab} cannot be read. Set the path of one`)
}

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

function refuseMissing(draft: Draft, missing: readonly string[], set: string): void {
  const mechanism = draft.given.get('sasl.mechanism')
  if (missing.length === 0 || !mechanism) return
  const verb = missing.length === 1 ? 'is' : 'are'
  const name = draft.connection.get('sasl.mechanism')
  addProblem(draft, mechanism, `${name}: ${list(missing)} ${verb} missing. ${set}`)
}

const ofMechanism = [
  ['OAUTHBEARER', /^(?:enable\.)?sasl\.oauthbearer\.|^https\.ca\./],
  ['GSSAPI', /^sasl\.kerberos\./]
] as const

// A build without a mechanism refuses its settings even where nobody logs in with it. Java does not look at them then.
function dropUnused(draft: Draft): void {
  const { connection } = draft
  const isSasl = connection.get('security.protocol')?.startsWith('sasl_') ?? false
  for (const [mechanism, names] of ofMechanism) {
    if (isSasl && connection.get('sasl.mechanism') === mechanism) continue
    const dropped = [...connection.keys()].filter(name => names.test(name))
    for (const name of dropped) {
      connection.delete(name)
      const origin = draft.origins.get(`connection ${name}`)
      const text = `${origin}: ${name}: without effect, as nobody logs in by ${mechanism}`
      draft.notes.push({ level: 'info', text })
    }
  }
}

function list(words: readonly string[]): string {
  const [last, ...others] = [...words].reverse()
  return others.length === 0 ? `${last}` : `${others.reverse().join(', ')} and ${last}`
}

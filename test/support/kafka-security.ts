// Owns what the secured listeners of a test broker need: SASL users, certificates, the authorizer.

import { join } from 'node:path'
import { type CertificateKind, type Certificates, makeCertificates } from './certificates.ts'

export type Mechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

export type BrokerSecurity = {
  protocol: 'SASL_PLAINTEXT' | 'SASL_SSL' | 'SSL'
  /** For the SASL protocols: PLAIN unless named. */
  mechanism?: Mechanism
  /** Names and passwords. */
  users?: Record<string, string>
  /** SSL: the broker asks clients for a certificate. */
  clientCertificate?: boolean
  /** Users may do only what ACLs allow them; the plain-text listener stays without limits. */
  acls?: boolean
}

/** A further listener of the brokers, by its name in capitals. */
export type ListenerOptions = {
  /** Plain text is for clients that are told another address than the cluster's own. */
  protocol: BrokerSecurity['protocol'] | 'PLAINTEXT'
  /** For the SASL protocols: PLAIN unless named. */
  mechanisms?: Mechanism[]
  /** Names and passwords, for each mechanism. Those of SCRAM are the cluster's, for all of its listeners. */
  users?: Record<string, string>
  clientCertificate?: boolean
  /** What the broker shows: `good` unless named. */
  certificate?: CertificateKind
}

export type SecuredListener = {
  bootstrap: string
  /** PEM files; the client's certificate names CN=client. */
  caPath?: string
  clientCertificatePath?: string
  clientKeyPath?: string
  /** Key and certificate in one file, as Java clients take them. */
  clientKeystorePath?: string
}

type Config = Record<string, string | number | boolean>

type Prepared = {
  config: Config
  listeners(node: number): string[]
  protocolMap: string
  formatArguments: string[]
  secured: Record<string, SecuredListener>
}

/** The listener that `security` of a cluster describes. */
export const securedName = 'SECURED'

export function listenersOf(
  security: BrokerSecurity | undefined,
  further: Record<string, ListenerOptions>
): Record<string, ListenerOptions> {
  if (security === undefined) return further
  const { mechanism = 'PLAIN', acls, ...rest } = security
  return { [securedName]: { ...rest, mechanisms: [mechanism] }, ...further }
}

/** `ports`: one list for each listener, with a port for each node. */
export async function prepareSecurity(
  listeners: Record<string, ListenerOptions>,
  hasAcls: boolean,
  folder: string,
  ports: number[][]
): Promise<Prepared> {
  const rows = Object.entries(listeners).map(([name, options], index) => ({
    name,
    options,
    ports: ports[index] as number[]
  }))
  const kinds = rows
    .filter(({ options }) => isTls(options))
    .map(({ options }) => options.certificate ?? 'good')
  const certificates =
    kinds.length === 0 ? undefined : await makeCertificates(join(folder, 'tls'), new Set(kinds))
  const config: Config = hasAcls ? { ...aclConfig } : {}
  for (const { name, options } of rows) Object.assign(config, configOf(name, options, certificates))
  return {
    config,
    listeners: node => rows.map(row => `${row.name}://127.0.0.1:${row.ports[node]}`),
    protocolMap: rows.map(({ name, options }) => `,${name}:${options.protocol}`).join(''),
    formatArguments: [...new Set(rows.flatMap(({ options }) => scramArguments(options)))],
    secured: Object.fromEntries(
      rows.map(row => {
        const bootstrap = row.ports.map(port => `127.0.0.1:${port}`).join(',')
        return [row.name, { bootstrap, ...(isTls(row.options) ? certificates?.client : {}) }]
      })
    )
  }
}

function isTls({ protocol }: ListenerOptions): boolean {
  return protocol === 'SSL' || protocol === 'SASL_SSL'
}

function hasLogins({ protocol }: ListenerOptions): boolean {
  return protocol === 'SASL_PLAINTEXT' || protocol === 'SASL_SSL'
}

function configOf(
  name: string,
  options: ListenerOptions,
  certificates: Certificates | undefined
): Config {
  const prefix = `listener.name.${name.toLowerCase()}`
  return { ...saslConfig(prefix, options), ...tlsConfig(prefix, options, certificates) }
}

function saslConfig(prefix: string, options: ListenerOptions): Config {
  if (!hasLogins(options)) return {}
  const mechanisms = options.mechanisms ?? ['PLAIN']
  const logins = mechanisms.map(mechanism => [
    `${prefix}.${mechanism.toLowerCase()}.sasl.jaas.config`,
    loginOf(mechanism, options)
  ])
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: mechanisms.join(','),
    ...Object.fromEntries(logins)
  }
}

function loginOf(mechanism: Mechanism, { users = {} }: ListenerOptions): string {
  if (mechanism !== 'PLAIN') {
    return 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  }
  const known = Object.entries(users).map(([name, password]) => ` user_${name}="${password}"`)
  return `org.apache.kafka.common.security.plain.PlainLoginModule required${known.join('')};`
}

// SCRAM users are records of the cluster's metadata, written when its storage is formatted.
function scramArguments(options: ListenerOptions): string[] {
  if (!hasLogins(options)) return []
  const { mechanisms = [], users = {} } = options
  return mechanisms
    .filter(mechanism => mechanism !== 'PLAIN')
    .flatMap(mechanism =>
      Object.entries(users).map(
        ([name, password]) => `--add-scram=${mechanism}=[name=${name},password=${password}]`
      )
    )
}

const aclConfig = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
  'allow.everyone.if.no.acl.found': false
}

function tlsConfig(
  prefix: string,
  options: ListenerOptions,
  certificates: Certificates | undefined
): Config {
  if (!isTls(options) || certificates === undefined) return {}
  return {
    [`${prefix}.ssl.keystore.location`]:
      certificates.keystores[options.certificate ?? 'good'] ?? '',
    [`${prefix}.ssl.keystore.type`]: 'PEM',
    [`${prefix}.ssl.truststore.location`]: certificates.client.caPath,
    [`${prefix}.ssl.truststore.type`]: 'PEM',
    [`${prefix}.ssl.client.auth`]: options.clientCertificate === true ? 'required' : 'none'
  }
}

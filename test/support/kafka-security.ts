// Owns what a secured listener of a test broker needs: SASL users, a certificate authority, the authorizer.

import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type BrokerSecurity = {
  protocol: 'SASL_PLAINTEXT' | 'SASL_SSL' | 'SSL'
  /** For the SASL protocols: PLAIN unless named. */
  mechanism?: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  /** Names and passwords. */
  users?: Record<string, string>
  /** SSL: the broker asks clients for a certificate. */
  clientCertificate?: boolean
  /** Users may do only what ACLs allow them; the plain-text listener stays without limits. */
  acls?: boolean
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

type Prepared = {
  config(node: number): Record<string, string | number | boolean>
  listeners(node: number): string[]
  protocolMap: string
  formatArguments: string[]
  secured: SecuredListener | undefined
}

const run = promisify(execFile)
const none: Prepared = {
  config: () => ({}),
  listeners: () => [],
  protocolMap: '',
  formatArguments: [],
  secured: undefined
}

export async function prepareSecurity(
  security: BrokerSecurity | undefined,
  folder: string,
  ports: number[]
): Promise<Prepared> {
  if (security === undefined) return none
  const usesTls = security.protocol !== 'SASL_PLAINTEXT'
  const certificates = usesTls ? await makeCertificates(join(folder, 'tls')) : undefined
  const bootstrap = ports.map(port => `127.0.0.1:${port}`).join(',')
  return {
    config: () => ({
      ...saslConfig(security),
      ...(certificates === undefined ? {} : tlsConfig(certificates, security)),
      ...(security.acls === true ? aclConfig : {})
    }),
    listeners: node => [`SECURED://127.0.0.1:${ports[node]}`],
    protocolMap: `,SECURED:${security.protocol}`,
    formatArguments: scramArguments(security),
    secured: { bootstrap, ...certificates?.client }
  }
}

function saslConfig(security: BrokerSecurity): Record<string, string> {
  if (security.protocol === 'SSL') return {}
  const mechanism = security.mechanism ?? 'PLAIN'
  const prefix = `listener.name.secured.${mechanism.toLowerCase()}.sasl.jaas.config`
  const users = Object.entries(security.users ?? {})
  const known = users.map(([name, password]) => ` user_${name}="${password}"`).join('')
  const login =
    mechanism === 'PLAIN'
      ? `org.apache.kafka.common.security.plain.PlainLoginModule required${known};`
      : 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  return { 'sasl.enabled.mechanisms': mechanism, [prefix]: login }
}

// SCRAM users are records of the cluster's metadata, written when its storage is formatted.
function scramArguments(security: BrokerSecurity): string[] {
  const mechanism = security.mechanism ?? 'PLAIN'
  if (security.protocol === 'SSL' || mechanism === 'PLAIN') return []
  return Object.entries(security.users ?? {}).flatMap(([name, password]) => [
    '--add-scram',
    `${mechanism}=[name=${name},password=${password}]`
  ])
}

const aclConfig = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
  'allow.everyone.if.no.acl.found': false
}

type Certificates = {
  keystore: string
  truststore: string
  client: Omit<SecuredListener, 'bootstrap'>
}

function tlsConfig(certificates: Certificates, security: BrokerSecurity): Record<string, string> {
  const prefix = 'listener.name.secured.ssl'
  return {
    [`${prefix}.keystore.location`]: certificates.keystore,
    [`${prefix}.keystore.type`]: 'PEM',
    [`${prefix}.truststore.location`]: certificates.truststore,
    [`${prefix}.truststore.type`]: 'PEM',
    [`${prefix}.client.auth`]: security.clientCertificate === true ? 'required' : 'none'
  }
}

async function makeCertificates(folder: string): Promise<Certificates> {
  await mkdir(folder, { recursive: true })
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
  const key = ['-newkey', 'rsa:2048', '-nodes']
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '30',
    '-subj',
    '/CN=test-ca'
  )
  const extensions = join(folder, 'extensions')
  await writeFile(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  for (const name of ['broker', 'client']) {
    await openssl(
      'req',
      ...key,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`
    )
    const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30']
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.pem`,
      ...sign,
      '-extfile',
      extensions
    )
  }
  const client = {
    caPath: join(folder, 'ca.pem'),
    clientCertificatePath: join(folder, 'client.pem'),
    clientKeyPath: join(folder, 'client.key'),
    clientKeystorePath: await writeKeystore(folder, 'client')
  }
  const keystore = await writeKeystore(folder, 'broker')
  return { keystore, truststore: client.caPath, client }
}

/** Java reads the key and its certificate from one PEM file. */
async function writeKeystore(folder: string, name: string): Promise<string> {
  const parts = await Promise.all(
    [`${name}.key`, `${name}.pem`].map(part => readFile(join(folder, part)))
  )
  const path = join(folder, `${name}-keystore.pem`)
  await writeFile(path, Buffer.concat(parts))
  return path
}

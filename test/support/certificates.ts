// Owns the certificates of secured test brokers and of their clients, made by openssl.

import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** `other-host`: for localhost alone, not for 127.0.0.1. `other-ca`: signed by nobody whom clients know. */
export type CertificateKind = 'good' | 'expired' | 'other-host' | 'other-ca'

export type Certificates = {
  /** Key and certificate of the broker in one PEM file. */
  keystores: Partial<Record<CertificateKind, string>>
  client: {
    caPath: string
    clientCertificatePath: string
    clientKeyPath: string
    clientKeystorePath: string
  }
}

const run = promisify(execFile)
// Quicker to make than RSA.
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export async function makeCertificates(
  folder: string,
  kinds: ReadonlySet<CertificateKind>
): Promise<Certificates> {
  await mkdir(folder, { recursive: true })
  await makeAuthority(folder, 'ca')
  if (kinds.has('other-ca')) await makeAuthority(folder, 'stranger')
  await sign(folder, 'client', 'ca')
  const keystores: Certificates['keystores'] = {}
  for (const kind of kinds) {
    const isKnown = kind !== 'other-ca'
    await sign(folder, kind, isKnown ? 'ca' : 'stranger', kind)
    keystores[kind] = await writeKeystore(folder, kind)
  }
  const client = {
    caPath: join(folder, 'ca.pem'),
    clientCertificatePath: join(folder, 'client.pem'),
    clientKeyPath: join(folder, 'client.key'),
    clientKeystorePath: await writeKeystore(folder, 'client')
  }
  return { keystores, client }
}

async function makeAuthority(folder: string, name: string): Promise<void> {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`]
  const subject = ['-days', '30', '-subj', `/CN=test-${name}`]
  await run('openssl', ['req', '-x509', ...newKey, ...files, ...subject], { cwd: folder })
}

async function sign(
  folder: string,
  name: string,
  authority: string,
  kind: CertificateKind = 'good'
): Promise<void> {
  const request = ['-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`]
  await run('openssl', ['req', ...newKey, ...request], { cwd: folder })
  const hosts = kind === 'other-host' ? 'DNS:localhost' : 'IP:127.0.0.1,DNS:localhost'
  await writeFile(join(folder, `${name}.ext`), `subjectAltName=${hosts}\n`)
  const from = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial']
  const days = ['-days', kind === 'expired' ? '-1' : '30']
  const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`]
  await run('openssl', ['x509', '-req', ...from, ...days, ...files], { cwd: folder })
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

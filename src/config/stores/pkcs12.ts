// PKCS12 by node-forge: OpenSSL 3 refuses what Java 8 wrote (RC2 with 40 bits), forge reads both.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createRequire } from 'node:module'
import type { asn1, pkcs12 } from 'node-forge'
import type { Store, StoredKey, StoreFault } from './store.ts'

type Forge = typeof import('node-forge')

/** Java marks with it the certificates that it was told to trust. */
const trustedKeyUsage = '2.16.840.1.113894.746875.1.1'

export function readPkcs12(bytes: Buffer, password: string | undefined): Store | StoreFault {
  const forge = loadForge()
  let pfx: asn1.Asn1
  try {
    pfx = forge.asn1.fromDer(bytes.toString('binary'))
  } catch {
    return 'unreadable'
  }
  let opened: pkcs12.Pkcs12Pfx
  try {
    opened = forge.pkcs12.pkcs12FromAsn1(pfx, false, password)
  } catch (error) {
    // Forge names what it does not know by its object identifier; all else is the password's doing.
    if (error instanceof Error && ('oid' in error || 'errors' in error)) return 'unreadable'
    return password === undefined ? 'password-missing' : 'wrong-password'
  }
  try {
    return storeOf(forge, opened)
  } catch {
    return 'unreadable'
  }
}

/** Loaded when a store needs it: it takes some 30 ms, which commands without one need not wait for. */
function loadForge(): Forge {
  const forge = createRequire(import.meta.url)('node-forge') as Forge
  // Attributes whose identifier has no name are left out of bags.
  forge.pki.oids[trustedKeyUsage] = 'trustedKeyUsage'
  return forge
}

function storeOf(forge: Forge, pfx: pkcs12.Pkcs12Pfx): Store {
  const bags = pfx.safeContents.flatMap(({ safeBags }) => safeBags)
  const certificates = bags
    .filter(bag => bag.type === forge.pki.oids.certBag)
    .map(bag => ({
      certificate: new X509Certificate(certificateBytes(forge, bag)),
      isMarked: bag.attributes.trustedKeyUsage !== undefined
    }))
  const all = certificates.map(({ certificate }) => certificate)
  const keys = bags
    .filter(bag => bag.type !== forge.pki.oids.certBag)
    .map(bag => storedKey(nameOf(bag), keyOf(forge, bag), all))
  // Without keys there are no chains: whatever made the store, each certificate is there to be trusted.
  const marked =
    keys.length === 0 ? all : certificates.flatMap(c => (c.isMarked ? c.certificate : []))
  return { keys, trusted: [...marked, ...keys.flatMap(({ chain }) => chain.slice(0, 1))] }
}

function storedKey(alias: string, key: KeyObject, all: readonly X509Certificate[]): StoredKey {
  const own = all.find(certificate => certificate.checkPrivateKey(key))
  return { alias, chain: own ? chainFrom(own, all) : [], isLocked: false, open: () => key }
}

function chainFrom(own: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const chain = [own]
  for (let last = own; ; ) {
    const issuer = all.find(other => !chain.includes(other) && last.checkIssued(other))
    if (!issuer) return chain
    chain.push(issuer)
    last = issuer
  }
}

function nameOf(bag: pkcs12.Bag): string {
  return String(bag.attributes.friendlyName?.[0] ?? '')
}

function certificateBytes(forge: Forge, bag: pkcs12.Bag): Buffer {
  // Forge decodes RSA alone, and keeps the structure of all others.
  return derOf(forge, bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1)
}

function keyOf(forge: Forge, bag: pkcs12.Bag): KeyObject {
  if (bag.key) return createPrivateKey(forge.pki.privateKeyToPem(bag.key))
  return createPrivateKey({ key: derOf(forge, bag.asn1), format: 'der', type: 'pkcs8' })
}

function derOf(forge: Forge, structure: asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(structure).getBytes(), 'binary')
}

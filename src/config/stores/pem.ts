// PEM as Java and OpenSSL write it: certificates one behind another, a key before or after them.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { Store, StoredKey, StoreFault } from './store.ts'

const block = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g
const lineLength = 64

interface Block {
  label: string
  text: string
}

export function readPem(text: string): Store | StoreFault {
  const blocks = blocksOf(text)
  const key = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'))
  try {
    const certificates = blocks
      .filter(({ label }) => label.endsWith('CERTIFICATE'))
      .map(certificate => new X509Certificate(certificate.text))
    return { keys: key ? [storedKey(key.text, certificates)] : [], trusted: certificates }
  } catch {
    return 'unreadable'
  }
}

/** For librdkafka; each once. */
export function joinCertificates(certificates: readonly X509Certificate[]): string {
  return [...new Set(certificates.map(certificate => certificate.toString()))].join('')
}

/** A value of a Java file has spaces where its lines were continued; OpenSSL reads PEM by lines. */
function blocksOf(text: string): Block[] {
  return Array.from(text.matchAll(block), ([whole, label = '', body = '']) => {
    // An old encrypted key has lines of its own for how it is encrypted.
    if (body.includes(':')) return { label, text: whole }
    const base64 = body.replaceAll(/\s+/g, '')
    const lines = base64.match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? []
    return {
      label,
      text: [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join('\n')
    }
  })
}

function storedKey(pem: string, chain: readonly X509Certificate[]): StoredKey {
  return {
    alias: '',
    chain,
    isLocked: pem.includes('ENCRYPTED'),
    open: password => openKey(pem, password)
  }
}

function openKey(pem: string, password: string | undefined): KeyObject | undefined {
  try {
    return createPrivateKey({
      key: pem,
      ...(password === undefined ? {} : { passphrase: password })
    })
  } catch {
    return undefined
  }
}

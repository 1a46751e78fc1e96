// Trust stores and key stores of a Java file: what they hold is told by their first bytes.

import { closeSync, openSync, readSync } from 'node:fs'
import type { Setting } from '../properties-file.ts'
import { addProblem, type Draft } from './rule.ts'

type StoreType = 'pem' | 'pkcs12' | 'jks' | 'jceks' | 'unknown'

/** `settings` are those of the whole file. Truststores end as `ssl.ca.*`, keystores as `ssl.key.*`. */
export function readTrustStore(location: Setting, draft: Draft): void {
  const type = storeType(location, draft)
  if (type === undefined) return
  if (type === 'pem') {
    draft.connection.set('ssl.ca.location', location.value)
    return
  }
  const steps =
    type === 'pkcs12'
      ? [toPem(location.value, '-nokeys')]
      : [toPkcs12(location.value), toPem('store.p12', '-nokeys')]
  refuse(draft, location, type, steps, 'ssl.truststore.location=store.pem')
}

export function readKeyStore(location: Setting, password: string | undefined, draft: Draft): void {
  const type = storeType(location, draft)
  if (type === undefined) return
  if (type === 'pem') {
    draft.connection.set('ssl.key.location', location.value)
    draft.connection.set('ssl.certificate.location', location.value)
  } else if (type === 'pkcs12') {
    draft.connection.set('ssl.keystore.location', location.value)
    if (password !== undefined) draft.connection.set('ssl.keystore.password', password)
  } else {
    refuse(draft, location, type, [toPkcs12(location.value)], 'ssl.keystore.location=store.p12')
  }
}

function storeType(location: Setting, draft: Draft): StoreType | undefined {
  try {
    return typeOf(firstBytes(location.value))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    addProblem(
      draft,
      location,
      `${location.value} cannot be read: ${code}. Set the path of the store`
    )
    return undefined
  }
}

function firstBytes(path: string): Buffer {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(2_048)
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}

function typeOf(bytes: Buffer): StoreType {
  const magic = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0
  if (magic === 0xfeedfeed) return 'jks'
  if (magic === 0xcececece) return 'jceks'
  if (bytes[0] === 0x30) return 'pkcs12'
  // openssl writes the attributes of an entry in front of it.
  return bytes.includes('-----BEGIN') ? 'pem' : 'unknown'
}

function toPkcs12(path: string): string {
  return `keytool -importkeystore -srckeystore ${path} -destkeystore store.p12 -deststoretype PKCS12`
}

function toPem(path: string, parts: string): string {
  return `openssl pkcs12 -in ${path} ${parts} -out store.pem`
}

function refuse(
  draft: Draft,
  location: Setting,
  type: StoreType,
  steps: string[],
  then: string
): void {
  const what =
    type === 'unknown'
      ? 'it is no store of a known type'
      : `${type.toUpperCase()} cannot be read here`
  addProblem(
    draft,
    location,
    `${what}. Convert it and set ${then}\n${steps.map(step => `    ${step}`).join('\n')}`
  )
}

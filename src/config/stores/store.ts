// What a trust store or key store holds, whatever its format, and how its format is told.

import type { KeyObject, X509Certificate } from 'node:crypto'

export type StoreType = 'PEM' | 'PKCS12' | 'JKS' | 'JCEKS' | 'DER' | 'unknown'

export interface StoredKey {
  /** Empty in PEM. */
  alias: string
  /** The key's own certificate first; what signed it follows as far as the store has it. */
  chain: readonly X509Certificate[]
  /** Undefined when the password is wrong. */
  open(password: string | undefined): KeyObject | undefined
  /** Opens only by a password. */
  isLocked: boolean
}

export interface Store {
  keys: readonly StoredKey[]
  /** What a peer may be signed by. As in Java, the own certificates of keys are among them. */
  trusted: readonly X509Certificate[]
}

/** Why a store has no contents to show. */
export type StoreFault = 'password-missing' | 'wrong-password' | 'unreadable'

/** From the first bytes, as names lie: newer JVMs write PKCS12 into a .jks file. */
export function storeTypeOf(bytes: Buffer): StoreType {
  const magic = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0
  if (magic === 0xfeedfeed) return 'JKS'
  if (magic === 0xcececece) return 'JCEKS'
  if (bytes[0] === 0x30) return isCertificate(bytes) ? 'DER' : 'PKCS12'
  // openssl writes the attributes of an entry in front of it.
  return bytes.includes('-----BEGIN') ? 'PEM' : 'unknown'
}

/** A PFX begins with its version, a certificate with the sequence that is signed. */
function isCertificate(bytes: Buffer): boolean {
  const length = bytes[1] ?? 0
  const content = length < 0x80 ? 2 : 2 + (length & 0x7f)
  return bytes[content] === 0x30
}

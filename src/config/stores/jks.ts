// Java's own store format, JKS: entries in clear, keys locked by a keystream of SHA-1, and a digest at the end
// that only the password gives.
//
//   magic u32 (FEEDFEED), version u32 (1 or 2), count u32, then per entry: tag u32 (1 key, 2 certificate),
//   alias UTF, created i64; a key adds length u32 and an EncryptedPrivateKeyInfo in DER, chain count u32 and its
//   certificates; a certificate is its type UTF (version 2 only), length u32, DER. Last comes a SHA-1.

import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { Store, StoredKey, StoreFault } from './store.ts'

const digestBytes = 20
const saltBytes = 20
/** Java's phrase in every digest of a store. */
const whitener = 'Mighty Aphrodite'

/** Without a password the digest is not checked, as in Java. */
export function readJks(bytes: Buffer, password: string | undefined): Store | StoreFault {
  if (password !== undefined && !isDigestRight(bytes, password)) return 'wrong-password'
  try {
    return readEntries(new JksReader(bytes.subarray(0, -digestBytes)))
  } catch {
    return 'unreadable'
  }
}

function isDigestRight(bytes: Buffer, password: string): boolean {
  const [body, digest] = [bytes.subarray(0, -digestBytes), bytes.subarray(-digestBytes)]
  return sha1(wide(password), Buffer.from(whitener), body).equals(digest)
}

function readEntries(reader: JksReader): Store {
  reader.u32()
  const version = reader.u32()
  if (version !== 1 && version !== 2) throw new RangeError(`JKS version ${version}`)
  const keys: StoredKey[] = []
  const trusted: X509Certificate[] = []
  for (let left = reader.u32(); left > 0; left--) {
    const tag = reader.u32()
    const alias = reader.text()
    reader.take(8)
    if (tag === 1) {
      const key = readKey(reader, alias, version)
      keys.push(key)
      trusted.push(...key.chain.slice(0, 1))
    } else if (tag === 2) trusted.push(reader.certificate(version))
    else throw new RangeError(`JKS entry ${tag}`)
  }
  return { keys, trusted }
}

function readKey(reader: JksReader, alias: string, version: number): StoredKey {
  const locked = lockedBytes(reader.take(reader.u32()))
  const chain = Array.from({ length: reader.u32() }, () => reader.certificate(version))
  return {
    alias,
    chain,
    isLocked: true,
    open: password => (password === undefined ? undefined : unlock(locked, password))
  }
}

class JksReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('JKS ends early')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  u32(): number {
    return this.take(4).readUInt32BE(0)
  }

  text(): string {
    return this.take(this.take(2).readUInt16BE(0)).toString('utf8')
  }

  certificate(version: number): X509Certificate {
    if (version === 2) this.text()
    return new X509Certificate(this.take(this.u32()))
  }
}

/** EncryptedPrivateKeyInfo is a sequence of the algorithm, which is Java's own, and the locked bytes. */
function lockedBytes(info: Buffer): Buffer {
  const algorithm = derContent(derContent(info, 0).content, 0)
  return derContent(derContent(info, 0).content, algorithm.end).content
}

function derContent(bytes: Buffer, at: number): { content: Buffer; end: number } {
  const first = bytes.readUInt8(at + 1)
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  const start = at + 2 + lengthBytes
  const end = start + (lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes))
  if (end > bytes.length) throw new RangeError('DER ends early')
  return { content: bytes.subarray(start, end), end }
}

/** A salt, the key xor a keystream in which each SHA-1 salts the next, and a SHA-1 of the key as a check. */
function unlock(locked: Buffer, password: string): KeyObject | undefined {
  const secret = wide(password)
  const plain = Buffer.from(locked.subarray(saltBytes, -digestBytes))
  let pad = locked.subarray(0, saltBytes)
  for (let at = 0; at < plain.length; at++) {
    if (at % digestBytes === 0) pad = sha1(secret, pad)
    plain[at] = (plain[at] as number) ^ (pad[at % digestBytes] as number)
  }
  if (!sha1(secret, plain).equals(locked.subarray(-digestBytes))) return undefined
  try {
    return createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' })
  } catch {
    return undefined
  }
}

/** Java hashes passwords in UTF-16, high byte first. */
function wide(password: string): Buffer {
  return Buffer.from(password, 'utf16le').swap16()
}

function sha1(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha1')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

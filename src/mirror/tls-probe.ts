// Asks a broker's port by a TLS handshake of its own why librdkafka's failed: OpenSSL's codes tell an expired
// certificate from an unknown one, and librdkafka hands on neither.

import type { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { Properties } from '../native/index.ts'

export type TlsFinding =
  /** Nobody listens, or the name is not known; `code` is the system's. */
  | { kind: 'no-connection'; code: string }
  /** Somebody listens, and answers otherwise than TLS does. */
  | { kind: 'no-tls' }
  /** `code` is OpenSSL's, or Node's for a wrong host name. */
  | { kind: 'untrusted'; code: string; certificate: X509Certificate | undefined }
  /** The broker broke off; `code` names its alert. */
  | { kind: 'refused'; code: string }
  | { kind: 'trusted' }

const handshakeWithinMs = 2_000
/** In TLS 1.3 the broker judges the client's certificate after the client is done. */
const alertWithinMs = 300

export async function probeTls(
  address: string,
  connection: Properties,
  limitMs = handshakeWithinMs
): Promise<TlsFinding> {
  const socket = connect({ ...placeOf(address), ...tlsOptionsOf(connection) })
  let isConnected = false
  // What comes after the answer tells nothing, and would end the process unheard.
  socket.on('error', () => {})
  socket.once('connect', () => {
    isConnected = true
  })
  try {
    const shaken = await shake(socket, limitMs)
    if (shaken === 'late') return failed('ETIMEDOUT', isConnected)
    if (shaken !== 'done') return failed(shaken.code, isConnected)
    if (!socket.authorized) return untrusted(socket)
    const alert = await alertOf(socket)
    return alert ? failed(alert.code, true) : { kind: 'trusted' }
  } finally {
    socket.destroy()
  }
}

interface Trouble {
  code: string
}

async function shake(socket: TLSSocket, limitMs: number): Promise<'done' | 'late' | Trouble> {
  const shaken = once(socket, 'secureConnect').then(() => 'done' as const, troubleOf)
  // Its other end may close without a word, which is no error to Node.
  const closed = once(socket, 'close').then(() => ({ code: 'ECONNRESET' }), troubleOf)
  return within(Promise.race([shaken, closed]), limitMs)
}

async function alertOf(socket: TLSSocket): Promise<Trouble | undefined> {
  const alerted = once(socket, 'close').then(() => undefined, troubleOf)
  const alert = await within(alerted, alertWithinMs)
  return alert === 'late' ? undefined : alert
}

async function within<T>(work: Promise<T>, limit: number): Promise<T | 'late'> {
  const ended = new AbortController()
  const late = delay(limit, 'late' as const, { signal: ended.signal }).catch(() => 'late' as const)
  try {
    return await Promise.race([work, late])
  } finally {
    ended.abort()
  }
}

function troubleOf(error: unknown): Trouble {
  return { code: (error as NodeJS.ErrnoException).code ?? String(error) }
}

function untrusted(socket: TLSSocket): TlsFinding {
  // Typed as an error, and a code in fact.
  const code = String(socket.authorizationError)
  return { kind: 'untrusted', code, certificate: socket.getPeerX509Certificate() }
}

function failed(code: string, isConnected: boolean): TlsFinding {
  if (!isConnected) return { kind: 'no-connection', code }
  return code.includes('_ALERT_') ? { kind: 'refused', code } : { kind: 'no-tls' }
}

/** `host:port`, `[::1]:port`, with or without a protocol before it. */
export function placeOf(address: string): { host: string; port: number } {
  const bare = address.trim().replace(/^\w+:\/\//, '')
  const at = bare.lastIndexOf(':')
  const host = at === -1 ? bare : bare.slice(0, at)
  return { host: host.replace(/^\[|\]$/g, ''), port: at === -1 ? 9092 : Number(bare.slice(at + 1)) }
}

/** As the client itself is set up, but for going on with a certificate it does not trust. */
export function tlsOptionsOf(connection: Properties): ConnectionOptions {
  const ca = trustOf(connection)
  const key = connection['ssl.key.pem'] ?? fileOf(connection['ssl.key.location'])
  const cert = connection['ssl.certificate.pem'] ?? fileOf(connection['ssl.certificate.location'])
  const passphrase = connection['ssl.key.password']
  const ciphers = connection['ssl.cipher.suites']
  const isHostFree = connection['ssl.endpoint.identification.algorithm'] === 'none'
  return {
    rejectUnauthorized: false,
    ...(ca === undefined ? {} : { ca }),
    ...(key === undefined || cert === undefined ? {} : { key, cert }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(isHostFree ? { checkServerIdentity: () => undefined } : {})
  }
}

function trustOf(connection: Properties): string | Buffer | undefined {
  return connection['ssl.ca.pem'] ?? fileOf(connection['ssl.ca.location'])
}

/** Undefined for a folder of certificates, and for what is gone since the start. */
function fileOf(path: string | undefined): Buffer | undefined {
  if (path === undefined || !statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined
  return readFileSync(path)
}

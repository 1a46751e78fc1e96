// Owns trust stores and key stores as Java's keytool makes them, for the clients of a secured listener.

import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { SecuredListener } from './kafka-security.ts'

export const storeKinds = ['PEM', 'JKS', 'PKCS12', 'PKCS12 of Java 8'] as const
export type StoreKind = (typeof storeKinds)[number]

/** Lines of a client's file. */
export type StoreSettings = Record<string, string>

export type StorePasswords = { store: string; key: string }

const run = promisify(execFile)

/** Settings for the listener's CA and for the client's key, by the kind of store. */
export async function makeJavaStores(
  { caPath, clientCertificatePath, clientKeyPath }: SecuredListener,
  passwords: StorePasswords
): Promise<Record<StoreKind, StoreSettings>> {
  if (!caPath || !clientCertificatePath || !clientKeyPath) {
    throw new Error('the listener has no TLS')
  }
  const folder = join(dirname(caPath), 'stores')
  await mkdir(folder, { recursive: true })
  const source = join(folder, 'openssl.p12')
  const pair = ['-in', clientCertificatePath, '-inkey', clientKeyPath, '-name', 'client']
  const secret = ['-passout', `pass:${passwords.store}`]
  await run('openssl', ['pkcs12', '-export', ...pair, ...secret, '-out', source])
  const pem = join(folder, 'keys.pem')
  const key = ['-passin', `pass:${passwords.store}`, '-passout', `pass:${passwords.key}`]
  await run('openssl', ['pkcs12', '-in', source, ...key, '-out', pem])
  const make = (name: string, type: string, flags: string[]) =>
    makeStores({ folder, name, type, flags, source, caPath, passwords })
  const [jks, pkcs12, java8] = await Promise.all([
    make('jks', 'JKS', []),
    make('pkcs12', 'PKCS12', []),
    make('java8', 'PKCS12', ['-J-Dkeystore.pkcs12.legacy'])
  ])
  return {
    PEM: {
      'ssl.truststore.location': caPath,
      'ssl.keystore.location': pem,
      'ssl.key.password': passwords.key
    },
    JKS: { ...jks, 'ssl.key.password': passwords.key },
    PKCS12: pkcs12,
    'PKCS12 of Java 8': java8
  }
}

type Wanted = {
  folder: string
  name: string
  type: string
  flags: string[]
  source: string
  caPath: string
  passwords: StorePasswords
}

async function makeStores(wanted: Wanted): Promise<StoreSettings> {
  const { folder, name, type, flags, source, caPath, passwords } = wanted
  const trust = join(folder, `trust-${name}`)
  const keys = join(folder, `keys-${name}`)
  const keyPassword = type === 'JKS' ? passwords.key : passwords.store
  await Promise.all([
    keytool('-importcert', '-alias', 'ca', '-file', caPath, '-keystore', trust, [
      ...['-storetype', type, '-storepass', passwords.store, ...flags]
    ]),
    keytool('-importkeystore', '-srckeystore', source, '-destkeystore', keys, [
      ...['-srcstorepass', passwords.store, '-srcalias', 'client', '-deststoretype', type],
      ...['-deststorepass', passwords.store, '-destkeypass', keyPassword, ...flags]
    ])
  ])
  return {
    'ssl.truststore.location': trust,
    'ssl.truststore.password': passwords.store,
    'ssl.keystore.location': keys,
    'ssl.keystore.password': passwords.store
  }
}

async function keytool(...args: (string | string[])[]): Promise<void> {
  const home = process.env.JAVA_HOME
  const command = home === undefined ? 'keytool' : join(home, 'bin', 'keytool')
  await run(command, [...args.flat(), '-noprompt'])
}

// The client's own key and certificates, for brokers that ask for them: from a key store, or from the file itself.

import type { KeyObject } from 'node:crypto'
import type { Setting } from '../properties-file.ts'
import { addNote, addProblem, type Draft, type Given, setConnection } from '../rules/rule.ts'
import { readableByOthers } from '../secret-files.ts'
import { describeValidity } from './certificate-notes.ts'
import { isTwice, notPem, openLocated } from './located-store.ts'
import { joinCertificates, readPem } from './pem.ts'
import type { Store, StoredKey } from './store.ts'

export function readKeys(draft: Draft): void {
  const location = draft.given.get('ssl.keystore.location')
  if (location) readLocated(location, draft)
  else readText(draft)
}

function readLocated(location: Setting, draft: Draft): void {
  if (isTwice('ssl.key.pem', location, draft)) return
  const opened = openLocated('keystore', location, draft)
  if (!opened) return
  const isPem = opened.type === 'PEM'
  const own = draft.given.get('ssl.key.password')
  // As in Java, a key without a password of its own has the store's; a PEM file has none.
  const password = own ?? (isPem ? undefined : draft.given.get('ssl.keystore.password'))
  const pair = openKey(opened.store, { from: location, password }, draft)
  if (!pair) return
  if (!isPem) return setPair(pair, location, draft)
  const warning = pair.stored.isLocked ? undefined : readableByOthers(location.value)
  if (warning !== undefined) draft.notes.push({ level: 'warn', text: warning })
  setConnection(draft, location, 'ssl.key.location', location.value)
  setConnection(draft, location, 'ssl.certificate.location', location.value)
}

function readText(draft: Draft): void {
  const key = draft.given.get('ssl.key.pem')
  const chain = draft.given.get('ssl.certificate.pem')
  if (!key || !chain) return refuseHalf(key, chain, draft)
  const store = readPem(`${key.value}\n${chain.value}`)
  if (typeof store === 'string') return addProblem(draft, chain.written, notPem)
  if (store.keys.length === 0) return addProblem(draft, key.written, notPem)
  const password = draft.given.get('ssl.key.password')
  const pair = openKey(store, { from: key.written, password }, draft)
  if (pair) setPair(pair, key, draft)
}

/** A file of librdkafka's may have one of them by its path. */
function refuseHalf(key: Given | undefined, chain: Given | undefined, draft: Draft): void {
  const { connection } = draft
  if (key && !connection.has('ssl.certificate.location')) {
    addProblem(draft, key.written, 'its certificate is missing. Set ssl.keystore.certificate.chain')
  }
  if (chain && !connection.has('ssl.key.location')) {
    addProblem(draft, chain.written, 'its key is missing. Set ssl.keystore.key')
  }
}

interface Pair {
  stored: StoredKey
  key: KeyObject
}

/** The key lies open in the client's memory in any case; its password is not handed on. */
function setPair({ stored, key }: Pair, from: Setting, draft: Draft): void {
  draft.connection.delete('ssl.key.password')
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  setConnection(draft, from, 'ssl.key.pem', pem)
  setConnection(draft, from, 'ssl.certificate.pem', joinCertificates(stored.chain))
}

interface KeySettings {
  from: Setting
  password: Setting | undefined
}

/** The first key, when it opens and has its certificate; otherwise a problem says what is wrong. */
function openKey(store: Store, { from, password }: KeySettings, draft: Draft): Pair | undefined {
  const [stored] = store.keys
  const key = stored?.open(password?.value)
  const wrong = describeWrong(stored, key, password)
  if (wrong !== undefined || !stored || !key) {
    addProblem(draft, from, wrong ?? '')
    return undefined
  }
  if (store.keys.length > 1) {
    const what = `${store.keys.length} keys are in it, and the first is used: "${stored.alias}"`
    addNote(draft, 'warn', from, what)
  }
  const invalid = describeValidity(stored.chain)
  if (invalid !== undefined) {
    addNote(draft, 'warn', from, `certificates ${invalid}: brokers will refuse them`)
  }
  return { stored, key }
}

function describeWrong(
  stored: StoredKey | undefined,
  key: KeyObject | undefined,
  password: Setting | undefined
): string | undefined {
  if (!stored) return 'there is no private key in it. Set the store that has the key'
  if (!key) return describeLocked(stored, password)
  if (stored.chain[0]?.checkPrivateKey(key)) return undefined
  const what = 'its first certificate does not belong to the private key'
  return `${what}. Put the certificate of the key first`
}

function describeLocked({ alias, isLocked }: StoredKey, password: Setting | undefined): string {
  const name = alias === '' ? 'the private key' : `the private key "${alias}"`
  if (!isLocked) return `${name} cannot be read. Set a key in PKCS8`
  if (!password) return `${name} has a password. Set ssl.key.password`
  return `${name} does not open with ${password.name}. Set its password as ssl.key.password`
}

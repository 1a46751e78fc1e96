// The store that a setting names: opened with the password beside it, or refused with what is wrong.

import { readFileSync } from 'node:fs'
import type { Setting } from '../properties-file.ts'
import { addNote, addProblem, type Draft } from '../rules/rule.ts'
import { readJks } from './jks.ts'
import { readPem } from './pem.ts'
import { readPkcs12 } from './pkcs12.ts'
import { type Store, type StoreFault, type StoreType, storeTypeOf } from './store.ts'
import { describeFault } from './store-faults.ts'

export type StoreKind = 'truststore' | 'keystore'

/** Undefined when it cannot be opened: then a problem says why. */
export function openLocated(
  kind: StoreKind,
  location: Setting,
  draft: Draft
): { store: Store; type: StoreType } | undefined {
  const path = location.value
  const bytes = readBytes(location, draft)
  if (!bytes) return undefined
  const type = storeTypeOf(bytes)
  noteType(draft.given.get(`ssl.${kind}.type`), type, draft)
  const store = readStore(type, bytes, draft.given.get(`ssl.${kind}.password`)?.value)
  if (typeof store !== 'string') return { store, type }
  addProblem(draft, location, describeFault({ kind, path, type, fault: store }))
  return undefined
}

function readBytes(location: Setting, draft: Draft): Buffer | undefined {
  try {
    return readFileSync(location.value)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const what = `"${location.value}" cannot be read: ${code}. Set the path of the store`
    addProblem(draft, location, what)
    return undefined
  }
}

function readStore(
  type: StoreType,
  bytes: Buffer,
  password: string | undefined
): Store | StoreFault {
  switch (type) {
    case 'PEM':
      return readPem(bytes.toString('utf8'))
    case 'PKCS12':
      return readPkcs12(bytes, password)
    case 'JKS':
      return readJks(bytes, password)
    default:
      return 'unreadable'
  }
}

function noteType(given: Setting | undefined, type: StoreType, draft: Draft): void {
  if (!given || type === 'unknown' || given.value.toUpperCase() === type) return
  addNote(draft, 'info', given, `${given.value} read as ${type}, as the file's first bytes say`)
}

/** Whether the same stands in the file as text, which Java does not allow beside a store. */
export function isTwice(name: string, location: Setting, draft: Draft): boolean {
  const text = draft.given.get(name)
  if (!text) return false
  addProblem(draft, location, `${text.written.name} is set too. Set one of the two`)
  return true
}

export const notPem = 'this is no PEM. Set it with its BEGIN and END lines'

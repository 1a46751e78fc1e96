// Trust stores and key stores of a Java file become what librdkafka takes: a PEM file by its path, all else as PEM in
// memory.

import { readKeys } from '../stores/key-store.ts'
import { readTrust } from '../stores/trust-store.ts'
import { addNote, type Draft, type Given } from './rule.ts'

/** To be called when every other setting of the file has been read. */
export function applyStores(draft: Draft): void {
  if (usesTls(draft)) {
    readTrust(draft)
    readKeys(draft)
    return
  }
  for (const name of ['ssl.truststore.location', 'ssl.keystore.location']) {
    const location = draft.given.get(name)
    if (location) noteUnused(location, draft)
  }
}

function usesTls(draft: Draft): boolean {
  return draft.connection.get('security.protocol')?.includes('ssl') ?? false
}

/** Java does not open the stores of such a file either, so they may well be missing. */
function noteUnused(location: Given, draft: Draft): void {
  const protocol = draft.connection.get('security.protocol') ?? 'plaintext'
  const what = `not read, as security.protocol=${protocol.toUpperCase()} has no TLS`
  addNote(draft, 'warn', location, what)
}

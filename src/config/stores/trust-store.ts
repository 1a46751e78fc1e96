// What brokers' certificates may be signed by: from a trust store, or from certificates in the file itself.

import type { X509Certificate } from 'node:crypto'
import type { Setting } from '../properties-file.ts'
import { addNote, addProblem, type Draft, type Given, setConnection } from '../rules/rule.ts'
import { describeValidity, oneLine, withoutRoot } from './certificate-notes.ts'
import { quote } from './conversion.ts'
import { findAuthorities } from './host-authorities.ts'
import { isTwice, notPem, openLocated } from './located-store.ts'
import { joinCertificates, readPem } from './pem.ts'

export function readTrust(draft: Draft): void {
  const location = draft.given.get('ssl.truststore.location')
  if (location) return readLocated(location, draft)
  const text = draft.given.get('ssl.ca.pem')
  if (text) return readText(text, draft)
  const isOpen = draft.connection.get('enable.ssl.certificate.verification') === 'false'
  if (!isOpen && !draft.connection.has('ssl.ca.location')) useHost(findAuthorities(), draft)
}

/** As in Java, whose own trust store has the same authorities. The path is part of the settings that are logged. */
export function useHost(authorities: string | undefined, draft: Draft): void {
  if (authorities === undefined) {
    const fix = 'Set ssl.truststore.location, or install the package ca-certificates'
    draft.problems.push(`${draft.side}: this host has no certificate authorities to trust. ${fix}`)
    return
  }
  draft.connection.set('ssl.ca.location', authorities)
}

function readLocated(location: Setting, draft: Draft): void {
  if (isTwice('ssl.ca.pem', location, draft)) return
  const opened = openLocated('truststore', location, draft)
  if (!opened) return
  const { trusted } = opened.store
  if (trusted.length === 0) {
    const command = `keytool -importcert -alias ca -file ca.pem -keystore ${quote(location.value)}`
    const what = `${location.value} has no certificate to trust. Add that of the brokers' CA`
    return addProblem(draft, location, `${what}\n    ${command}`)
  }
  noteWeak(trusted, location, draft)
  if (opened.type === 'PEM') setConnection(draft, location, 'ssl.ca.location', location.value)
  else setConnection(draft, location, 'ssl.ca.pem', joinCertificates(trusted))
}

function readText(given: Given, draft: Draft): void {
  const store = readPem(given.value)
  if (typeof store === 'string' || store.trusted.length === 0)
    return addProblem(draft, given.written, notPem)
  noteWeak(store.trusted, given.written, draft)
  setConnection(draft, given, 'ssl.ca.pem', joinCertificates(store.trusted))
}

function noteWeak(trusted: readonly X509Certificate[], from: Setting, draft: Draft): void {
  const invalid = describeValidity(trusted)
  if (invalid !== undefined) addNote(draft, 'warn', from, `certificates ${invalid}`)
  for (const { subject, issuer } of withoutRoot(trusted)) {
    const what = `${oneLine(subject)} is no root: Java trusts it by itself, OpenSSL does not`
    addNote(draft, 'warn', from, `${what}. Add ${oneLine(issuer)}`)
  }
}

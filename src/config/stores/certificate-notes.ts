// What is said about certificates that will not serve: expired, not valid yet, or anchors that OpenSSL does not take.

import type { X509Certificate } from 'node:crypto'

const namesShown = 3

/** A sentence for certificates whose time is over or has not come; undefined when all are valid. */
export function describeValidity(
  certificates: readonly X509Certificate[],
  now = Date.now()
): string | undefined {
  const parts = [
    describe(certificates, 'expired', ({ validTo }) => Date.parse(validTo) < now),
    describe(certificates, 'not valid yet', ({ validFrom }) => Date.parse(validFrom) > now)
  ].filter(part => part !== undefined)
  return parts.length > 0 ? parts.join('; ') : undefined
}

function describe(
  certificates: readonly X509Certificate[],
  what: string,
  isSo: (certificate: X509Certificate) => boolean
): string | undefined {
  const found = certificates.filter(isSo)
  if (found.length === 0) return undefined
  const names = found.slice(0, namesShown).map(nameWithTime)
  const more = found.length > namesShown ? ` and ${found.length - namesShown} more` : ''
  return `${what}: ${names.join(', ')}${more}`
}

function nameWithTime(certificate: X509Certificate): string {
  return `${oneLine(certificate.subject)} (valid ${day(certificate.validFrom)} to ${day(certificate.validTo)})`
}

function day(date: string): string {
  return new Date(date).toISOString().slice(0, 10)
}

/** OpenSSL writes each part of a name on a line of its own. */
export function oneLine(name: string | undefined): string {
  return name?.replaceAll('\n', ', ') ?? 'a certificate without a subject'
}

/** Certificates that Java takes as anchors and OpenSSL does not: no roots, and what signed them is missing. */
export function withoutRoot(trusted: readonly X509Certificate[]): X509Certificate[] {
  const isSigned = (certificate: X509Certificate) =>
    trusted.some(other => certificate.checkIssued(other))
  return trusted.filter(certificate => !isSigned(certificate))
}

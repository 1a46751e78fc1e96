// The certificate authorities of this host. The linked OpenSSL knows only where the system that built it has them.

import { existsSync } from 'node:fs'

const places = [
  // Debian, Ubuntu, Alpine, Arch
  '/etc/ssl/certs/ca-certificates.crt',
  // Fedora, Red Hat, Amazon Linux
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  // SUSE
  '/etc/ssl/ca-bundle.pem',
  // macOS, Alpine
  '/etc/ssl/cert.pem',
  // FreeBSD
  '/usr/local/share/certs/ca-root-nss.crt'
]

export function findAuthorities(
  exists: (path: string) => boolean = existsSync
): string | undefined {
  return places.find(exists)
}

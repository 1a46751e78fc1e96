// Owns the settings by which a client trusts an end of a TLS cell.

/** As Java clients write them, which heliostat takes as well; none where the end is plain text. */
export function tlsSettings(caPath: string | undefined): Record<string, string> {
  if (caPath === undefined) return {}
  return {
    'security.protocol': 'SSL',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': caPath
  }
}

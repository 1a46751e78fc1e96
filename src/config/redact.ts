// Masks secrets: the only way for settings to reach a log, an error or a report.

import type { Properties } from '../native/index.ts'

export const mask = '[redacted]'

const secretEndings = /(?:password|passphrase|secret|token|key|pem|jaas|jaas\.config)$/

/** What librdkafka marks as sensitive beside those endings. */
const sensitive: ReadonlySet<string> = new Set([
  'sasl.username',
  'sasl.oauthbearer.config',
  'sasl.oauthbearer.assertion.private.key.file',
  'ssl.key.location'
])

export function isSecret(name: string): boolean {
  const lower = name.toLowerCase()
  return secretEndings.test(lower) || sensitive.has(lower)
}

export function redactValue(name: string, value: string): string {
  return isSecret(name) ? mask : value
}

export function redactConfig(properties: Properties): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, redactValue(name, value)])
  )
}

/** `name=value` as it stands on a command line; a text without a secret comes back as it is. */
export function redactAssignment(text: string): string {
  const at = text.indexOf('=')
  const name = text.slice(0, at)
  return at !== -1 && isSecret(name.trim()) ? `${name}=${mask}` : text
}

// Masks secrets: the only way for settings to reach a log, an error or a report.

import type { Properties } from '../native/index.ts'

export const mask = '[redacted]'

// What librdkafka marks as sensitive is covered by the endings.
const secretEndings = /(?:password|passphrase|secret|token|key|pem|jaas|jaas\.config)$/

export function isSecret(name: string): boolean {
  return secretEndings.test(name.toLowerCase())
}

export function redactValue(name: string, value: string): string {
  return isSecret(name) ? mask : value
}

export function redactConfig(properties: Properties): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, redactValue(name, value)])
  )
}

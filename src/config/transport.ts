// Says loudly, at every start, where data or passwords travel unprotected.

import type { Properties } from '../native/index.ts'
import type { Note, Side } from './rules/rule.ts'

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)(?::\d+)?$/i

export function insecureNotes(side: Side, connection: Properties): Note[] {
  const protocol = connection['security.protocol'] ?? 'plaintext'
  if (protocol.includes('ssl')) return []
  const mechanism = connection['sasl.mechanism'] ?? ''
  if (protocol === 'sasl_plaintext' && /^(?:PLAIN|SCRAM)/.test(mechanism)) {
    const what = mechanism === 'PLAIN' ? 'the password travels readably' : 'data travel readably'
    return [
      {
        level: 'warn',
        text: `${side}: SASL ${mechanism} without TLS: ${what}. Set security.protocol=SASL_SSL`
      }
    ]
  }
  const remote = (connection['bootstrap.servers'] ?? '')
    .split(',')
    .map(address => address.trim().replace(/^\w+:\/\//, ''))
    .filter(address => !loopback.test(address))
  if (remote.length === 0) return []
  return [
    {
      level: 'warn',
      text: `${side}: no TLS to ${remote.join(', ')}. Set security.protocol=SSL or SASL_SSL`
    }
  ]
}

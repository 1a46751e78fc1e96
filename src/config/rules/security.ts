// TLS settings of both files, and Java's ways to say them. What logs in is in `sasl.ts`.

import type { Setting } from '../properties-file.ts'
import { trueOrFalse } from './check.ts'
import { opensslCiphers } from './ciphers.ts'
import { addNote, addProblem, type Draft, type Rule, setConnection, type Use } from './rule.ts'

const nothing: Use = () => {}

function ignored(...names: string[]): Rule[] {
  return names.map(name => ({ name, action: 'ignore' }))
}

function file(name: string, readable: 'file' | 'file or folder'): Rule {
  return { name, action: 'pass', check: { readable, words: ['probe'] } }
}

export const securityRules: readonly Rule[] = [
  {
    name: 'security.protocol',
    action: 'pass',
    check: {
      oneOf: ['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'],
      expected: 'PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL'
    }
  },
  // The stores are read together with their passwords, once the whole file is known.
  ...[
    'ssl.truststore.location',
    'ssl.truststore.type',
    'ssl.truststore.password',
    'ssl.keystore.location',
    'ssl.keystore.type',
    'ssl.keystore.password'
  ].map((name): Rule => ({ name, action: 'translate', use: nothing })),
  { name: 'ssl.truststore.certificates', action: 'rename', to: 'ssl.ca.pem' },
  { name: 'ssl.keystore.key', action: 'rename', to: 'ssl.key.pem' },
  { name: 'ssl.keystore.certificate.chain', action: 'rename', to: 'ssl.certificate.pem' },
  { name: 'ssl.key.password', action: 'pass' },
  file('ssl.ca.location', 'file or folder'),
  file('ssl.certificate.location', 'file'),
  file('ssl.key.location', 'file'),
  file('ssl.crl.location', 'file or folder'),
  file('https.ca.location', 'file or folder'),
  ...['ssl.ca.pem', 'ssl.certificate.pem', 'ssl.key.pem', 'https.ca.pem'].map(
    (name): Rule => ({ name, action: 'pass' })
  ),
  {
    name: 'ssl.endpoint.identification.algorithm',
    action: 'translate',
    check: { oneOf: ['', 'none', 'https'], expected: 'https or nothing', set: 'https' },
    use: (setting, draft) => {
      const isOff = setting.value === '' || setting.value === 'none'
      setConnection(draft, setting, setting.name, isOff ? 'none' : 'https')
      if (isOff) addNote(draft, 'warn', setting, 'host names of brokers are NOT checked')
    }
  },
  {
    name: 'enable.ssl.certificate.verification',
    action: 'translate',
    check: trueOrFalse,
    use: useVerification
  },
  // Read before all others, so that it counts wherever it stands in the file.
  { name: 'insecure', action: 'translate', check: trueOrFalse, use: nothing },
  { name: 'ssl.cipher.suites', action: 'translate', use: translateCiphers },
  {
    name: 'ssl.enabled.protocols',
    action: 'ignore',
    note: value =>
      /^TLSv1\.3$/.test(value)
        ? "OpenSSL's configuration decides: TLS 1.2 stays possible unless MinProtocol says otherwise"
        : undefined
  },
  ...ignored(
    'ssl.protocol',
    'ssl.provider',
    'ssl.keymanager.algorithm',
    'ssl.trustmanager.algorithm',
    'ssl.secure.random.implementation'
  )
]

function useVerification(setting: Setting, draft: Draft): void {
  if (setting.value === 'true') return
  setConnection(draft, setting, setting.name, 'false')
  if (draft.insecure) addNote(draft, 'warn', setting, 'certificates of brokers are NOT checked')
  else {
    const what = 'anybody could pose as a broker. Remove it, or set insecure=true too'
    addProblem(draft, setting, what)
  }
}

function translateCiphers(setting: Setting, draft: Draft): void {
  const { ciphers, unknown } = opensslCiphers(setting.value)
  if (unknown.length > 0)
    addProblem(draft, setting, `no cipher here is called ${unknown.join(', ')}. Remove it`)
  else if (ciphers.length === 0)
    addProblem(draft, setting, 'suites of TLS 1.3 alone cannot be chosen. Remove it')
  else setConnection(draft, setting, setting.name, ciphers.join(':'))
}

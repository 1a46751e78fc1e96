// The commands that turn a store that cannot be read here into one that can.

import type { StoreType } from './store.ts'

/** Both steps: each of the two files they make can be set as the location. */
export function conversionOf(path: string, type: StoreType): string {
  if (type === 'DER') return lines([`openssl x509 -inform der -in ${quote(path)} -out store.pem`])
  const from = type === 'unknown' ? '' : ` -srcstoretype ${type}`
  return lines([
    `keytool -importkeystore -srckeystore ${quote(path)}${from} -destkeystore store.p12 -deststoretype PKCS12`,
    'openssl pkcs12 -in store.p12 -out store.pem'
  ])
}

function lines(commands: readonly string[]): string {
  return commands.map(command => `\n    ${command}`).join('')
}

/** As a shell wants it: pasted as it stands, the command has to work. */
export function quote(path: string): string {
  return /^[\w./:@%+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}

// Says why a store cannot be used, and what to do about it. No password is ever part of it.

import { conversionOf } from './conversion.ts'
import type { StoreFault, StoreType } from './store.ts'

export interface Faulty {
  /** `truststore` or `keystore`, as in the settings' names. */
  kind: string
  path: string
  type: StoreType
  fault: StoreFault
}

export function describeFault({ kind, path, type, fault }: Faulty): string {
  const setting = `ssl.${kind}.location`
  switch (fault) {
    case 'password-missing':
      return `${path} (${type}) has a password. Set ssl.${kind}.password`
    case 'wrong-password':
      return `ssl.${kind}.password does not open ${path} (${type}), or that file is damaged. Set the password that "keytool -list -keystore ${path}" takes`
    case 'unreadable':
      return `${path} ${describeType(type)}. Convert it and set ${setting}=store.p12 or store.pem${conversionOf(path, type)}`
  }
}

function describeType(type: StoreType): string {
  switch (type) {
    case 'DER':
      return 'is one certificate in DER, no store'
    case 'unknown':
      return 'is no store of a known type'
    case 'JCEKS':
      return 'is a JCEKS store, which only Java can read'
    default:
      return `is a ${type} store that cannot be read: damaged, or written in a way not known here`
  }
}

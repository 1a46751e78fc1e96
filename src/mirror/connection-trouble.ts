// What is the matter with a connection, as an operator wants to read it: the likely cause and what to do.

import type { X509Certificate } from 'node:crypto'
import type { KafkaFailure, Properties } from '../native/index.ts'
import { loginFailureOf, offeredMechanisms } from './client-texts.ts'
import type { TlsFinding } from './tls-probe.ts'

export interface Advice {
  cause: string
  fix: string
  /** No try can help before somebody acts. */
  isFinal?: true
}

/** Whether it stays so until somebody acts; other troubles of a connection pass. */
export function isRefusal({ name, code, retriable }: KafkaFailure): boolean {
  return name === '_SSL' || name === '_AUTHENTICATION' || (code > 0 && !retriable)
}

/** What the failure of a login says by itself; undefined for any other failure. */
export function adviseOnLogin(failure: KafkaFailure | undefined): Advice | undefined {
  if (failure?.name !== '_AUTHENTICATION') return undefined
  switch (loginFailureOf(failure.message)) {
    case 'credentials':
      return {
        cause: 'the broker does not take this user with this password',
        fix: 'set sasl.jaas.config (or sasl.username and sasl.password), or give the user this password on the cluster; it is tried again'
      }
    case 'mechanism': {
      const offered = offeredMechanisms(failure.message)
      return {
        cause: 'the listener does not take this sasl.mechanism',
        fix: `set sasl.mechanism to one that it takes${offered === '' ? '' : `: ${offered}`}`
      }
    }
    case 'no-sasl':
      return {
        cause: 'the listener asks for no login',
        fix: 'set security.protocol without SASL_, or the port of a listener with SASL'
      }
  }
}

export function usesTls(connection: Properties): boolean {
  return connection['security.protocol']?.includes('ssl') === true
}

/** What a look at the port found. `address` is the one that was looked at. */
export function adviseOnPort(address: string, finding: TlsFinding, connection: Properties): Advice {
  const protocol = connection['security.protocol'] ?? 'plaintext'
  const isTls = usesTls(connection)
  switch (finding.kind) {
    case 'no-connection':
      return {
        cause: `nobody answers at ${address} (${finding.code})`,
        fix: 'check bootstrap.servers, the brokers and what lies between; it is tried again'
      }
    case 'no-tls':
      return isTls ? speaksNoTls(address, protocol) : givesNoAnswer(address, protocol)
    case 'untrusted':
      return isTls ? adviseOnCertificate(address, finding) : speaksTls(address, protocol)
    case 'refused':
      return isTls ? refusesClient(address, finding.code, connection) : speaksTls(address, protocol)
    case 'trusted':
      return isTls ? givesNoAnswer(address, protocol) : speaksTls(address, protocol)
  }
}

/** The client's handshake failed where one of its own kind did not. */
export function adviseOnHandshake(address: string): Advice {
  return {
    cause: `${address} has a certificate that is trusted, and TLS with it fails all the same`,
    fix: 'check ssl.cipher.suites and ssl.crl.location, and the log of the broker; it is tried again'
  }
}

/** It ended the connection at a request that every broker since has answered. */
export function adviseOnAge(address: string): Advice {
  return {
    cause: `${address} is a Kafka broker from before 0.10, which is too old`,
    fix:
      'a source can be read from Kafka 0.10 on, and a target written from 0.11 on: upgrade the cluster, or mirror it with ' +
      'the MirrorMaker of its own age into one of 0.10 or newer and take that as the source',
    isFinal: true
  }
}

function speaksNoTls(address: string, protocol: string): Advice {
  const without = protocol === 'ssl' ? 'PLAINTEXT' : 'SASL_PLAINTEXT'
  return {
    cause: `${address} does not speak TLS`,
    fix: `set the port of a listener with TLS, or security.protocol=${without}`
  }
}

function speaksTls(address: string, protocol: string): Advice {
  const withTls = protocol === 'plaintext' ? 'SSL or SASL_SSL' : 'SASL_SSL'
  return { cause: `${address} speaks TLS`, fix: `set security.protocol=${withTls}` }
}

function givesNoAnswer(address: string, protocol: string): Advice {
  if (protocol.startsWith('sasl')) {
    return {
      cause: `${address} takes connections and gives no answer: it may be no broker, or one that is not ready`,
      fix: 'check the port and the log of the broker; it is tried again'
    }
  }
  return {
    cause: `${address} takes connections and gives no answer: it may ask for a login, or not be ready`,
    fix: `set security.protocol=SASL_${protocol.toUpperCase()} with sasl.mechanism and sasl.jaas.config, or another port; it is tried again`
  }
}

function refusesClient(address: string, code: string, connection: Properties): Advice {
  const hasKey =
    connection['ssl.key.pem'] !== undefined || connection['ssl.key.location'] !== undefined
  if (!code.includes('CERTIFICATE') && !code.includes('UNKNOWN_CA')) {
    return {
      cause: `${address} refuses the TLS handshake (${code})`,
      fix: 'check ssl.cipher.suites, and the TLS versions that the broker takes'
    }
  }
  if (hasKey) {
    return {
      cause: `${address} refuses the client's certificate (${code})`,
      fix: 'set the key store whose certificate the brokers trust, or add its CA to their trust store'
    }
  }
  return {
    cause: `${address} asks for a client certificate, and none is set`,
    fix: 'set ssl.keystore.location and ssl.keystore.password'
  }
}

function adviseOnCertificate(
  address: string,
  { code, certificate }: TlsFinding & { kind: 'untrusted' }
): Advice {
  const shown = certificate ? describeCertificate(certificate) : 'no certificate'
  const subject = `the certificate of ${address} (${shown})`
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return {
        cause: `${subject}, or one that signed it, has expired`,
        fix: 'renew it on the broker; it is tried again'
      }
    case 'CERT_NOT_YET_VALID':
      return {
        cause: `${subject} is not valid yet`,
        fix: 'check the clocks of this host and of the broker; it is tried again'
      }
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        cause: `${subject} is for ${certificate?.subjectAltName ?? 'no host name'}`,
        fix: 'set bootstrap.servers to a name in the certificate, or have the broker advertise one'
      }
    default:
      return {
        cause: `${subject} is signed by nobody who is trusted here (${code})`,
        fix: 'set ssl.truststore.location to a store with the CA that signed it'
      }
  }
}

function describeCertificate({ subject, issuer, validFrom, validTo }: X509Certificate): string {
  const [name, signer] = [subject, issuer].map(text => text?.replaceAll('\n', ', ') ?? 'unnamed')
  return `${name}, signed by ${signer}, valid from ${validFrom} to ${validTo}`
}

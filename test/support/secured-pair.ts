// Owns a pair of brokers whose listeners ask for logins and certificates, and the settings of clients for them.

import assert from 'node:assert/strict'
import { makeJavaStores, type StoreKind, type StoreSettings } from './java-stores.ts'
import { type KafkaCluster, startPair } from './kafka-broker.ts'
import type { ListenerOptions, Mechanism } from './kafka-security.ts'

export type Side = 'source' | 'target'

/** Each word is searched for in everything that the mirror says. */
export const canaries = {
  alice: 'canary-alice',
  bob: 'canary-bob',
  wrong: 'canary-wrong',
  store: 'canary-store',
  key: 'canary-key',
  token: 'canary-token'
}

/** Each side knows its own user, and nobody of the other's. */
export const users: Record<Side, string> = { source: 'alice', target: 'bob' }
export const passwords: Record<Side, string> = { source: canaries.alice, target: canaries.bob }

/** Known to both sides, by another password than the one that tests begin with. */
export const late = 'late'

/** One end of a mirror: where it connects, and the lines of its file. */
export type End = { bootstrap: string; settings: Record<string, string> }

export type LoginOptions = {
  /** Over TLS, with the trust store of this kind. */
  tls?: StoreKind
  user?: string
  password?: string
}

const mechanisms: Mechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** Listeners of the target that show what clients must refuse. */
const faulty: Record<string, ListenerOptions> = {
  TLS: { protocol: 'SSL' },
  EXPIRED: { protocol: 'SSL', certificate: 'expired' },
  OTHERHOST: { protocol: 'SSL', certificate: 'other-host' },
  STRANGER: { protocol: 'SSL', certificate: 'other-ca' }
}

function listenersOf(side: Side): Record<string, ListenerOptions> {
  const known = { [users[side]]: passwords[side], [late]: 'the-password-before' }
  return {
    LOGIN: { protocol: 'SASL_PLAINTEXT', mechanisms, users: known },
    LOGINTLS: { protocol: 'SASL_SSL', mechanisms, users: known },
    MUTUAL: { protocol: 'SSL', clientCertificate: true }
  }
}

export class SecuredPair {
  readonly source: KafkaCluster
  readonly target: KafkaCluster
  readonly stores: Record<Side, Record<StoreKind, StoreSettings>>
  readonly close: () => Promise<void>

  private constructor(pair: Awaited<ReturnType<typeof startPair>>, stores: SecuredPair['stores']) {
    this.source = pair.source
    this.target = pair.target
    this.stores = stores
    this.close = pair.close
  }

  static async start(): Promise<SecuredPair> {
    const pair = await startPair({
      source: { listeners: listenersOf('source') },
      target: { listeners: { ...listenersOf('target'), ...faulty } }
    })
    try {
      const [source, target] = await Promise.all([
        makeJavaStores(listener(pair.source, 'MUTUAL'), canaries),
        makeJavaStores(listener(pair.target, 'MUTUAL'), canaries)
      ])
      return new SecuredPair(pair, { source, target })
    } catch (error) {
      await pair.close()
      throw error
    }
  }

  /** A listener that asks for a user and a password. */
  login(
    side: Side,
    mechanism: Mechanism,
    { tls, user = users[side], password = passwords[side] }: LoginOptions = {}
  ): End {
    return {
      bootstrap: listener(this[side], tls ? 'LOGINTLS' : 'LOGIN').bootstrap,
      settings: {
        'security.protocol': tls ? 'SASL_SSL' : 'SASL_PLAINTEXT',
        'sasl.mechanism': mechanism,
        'sasl.jaas.config': jaas(mechanism, user, password),
        ...(tls ? this.#trust(side, tls) : {})
      }
    }
  }

  /** The listener that asks for a certificate. */
  mutual(side: Side, kind: StoreKind): End {
    const { bootstrap } = listener(this[side], 'MUTUAL')
    return { bootstrap, settings: { 'security.protocol': 'SSL', ...this.stores[side][kind] } }
  }

  /** A listener of the target, by a client with TLS and without a certificate. */
  tls(name: string): End {
    const { bootstrap } = listener(this.target, name)
    const settings = { 'security.protocol': 'SSL', ...this.#trust('target', 'PKCS12') }
    return { bootstrap, settings }
  }

  /** A listener of the target, by a client without anything. */
  plain(name: string): End {
    return { bootstrap: listener(this.target, name).bootstrap, settings: {} }
  }

  #trust(side: Side, kind: StoreKind): StoreSettings {
    const all = Object.entries(this.stores[side][kind])
    return Object.fromEntries(all.filter(([name]) => name.startsWith('ssl.truststore')))
  }
}

function listener(cluster: KafkaCluster, name: string) {
  const found = cluster.listeners[name]
  assert.ok(found, name)
  return found
}

export function jaas(mechanism: Mechanism, user: string, password: string): string {
  const [module, folder] = mechanism === 'PLAIN' ? ['Plain', 'plain'] : ['Scram', 'scram']
  const name = `org.apache.kafka.common.security.${folder}.${module}LoginModule`
  return `${name} required username="${user}" password="${password}";`
}

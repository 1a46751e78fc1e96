// What librdkafka 2.12.0 says only in words. This file alone reads them: where a login failed and why, which broker.

export type LoginFailure = 'credentials' | 'mechanism' | 'no-sasl'

// One code stands for all of them; the texts are librdkafka's for UNSUPPORTED_SASL_MECHANISM and ILLEGAL_SASL_STATE.
const loginTexts: readonly [LoginFailure, RegExp][] = [
  ['mechanism', /handshake failed: Broker: Unsupported SASL mechanism/],
  ['no-sasl', /handshake failed: Broker: Request not valid in current SASL state/]
]

export function loginFailureOf(message: string): LoginFailure {
  return loginTexts.find(([, text]) => text.test(message))?.[0] ?? 'credentials'
}

/** What the broker offers in place of the mechanism asked for; empty when it does not say. */
export function offeredMechanisms(message: string): string {
  return /supported mechanisms: ([\w,-]+)/.exec(message)?.[1] ?? ''
}

/** `host:port` of the broker that the message is about: `ssl://host:port/1: …`, `GroupCoordinator: host:port: …`. */
export function addressIn(message: string): string | undefined {
  return /^(?:GroupCoordinator: )?(?:\w+:\/\/)?((?:\[[^\]]+\]|[\w.-]+):\d+)[/:]/.exec(message)?.[1]
}

// Owns going on after a fault for longer than a client does by itself: a broker that is killed may be down for a minute
// on a machine with much to do.

import { setTimeout as delay } from 'node:timers/promises'
import { ConnectionEnded } from './connection.ts'
import { BrokerError } from './kafka-error.ts'

const limitMs = 300_000
/** A broker that has just come up says so of its replicas, and of a transaction whose coordinator is not there yet. */
const notEnoughReplicas = [19, 20]

/** Does it again for as long as the error is one that passes. */
export async function insist<T>(action: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    try {
      return await action()
    } catch (error) {
      if (!isPassing(error) || performance.now() > deadline) throw error
      await delay(100)
    }
  }
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof BrokerError)) return error instanceof ConnectionEnded
  return error.isPassing || notEnoughReplicas.includes(error.code)
}

// Owns going on after a fault for longer than a client does by itself: a broker that is killed may be down for a minute
// on a machine with much to do.

import { ConnectionEnded } from './connection.ts'
import { BrokerError } from './kafka-error.ts'

const limitMs = 300_000

/** Does it again for as long as the error is one that passes. */
export async function insist<T>(action: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    try {
      return await action()
    } catch (error) {
      const isPassing =
        error instanceof BrokerError ? error.isPassing : error instanceof ConnectionEnded
      if (!isPassing || performance.now() > deadline) throw error
    }
  }
}

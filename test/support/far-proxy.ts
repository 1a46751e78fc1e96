// Owns a proxy that makes a broker on this machine a far one: what is sent arrives half the round trip later, both ways.

import type { Socket } from 'node:net'
import { type LoopbackProxy, startLoopbackProxy } from './loopback-proxy.ts'

export function startFarProxy(roundTripMs: number): Promise<LoopbackProxy> {
  return startLoopbackProxy({
    join(client, broker) {
      passLater(client, broker, roundTripMs / 2)
      passLater(broker, client, roundTripMs / 2)
    }
  })
}

// Timers of one length end in the order in which they began.
function passLater(from: Socket, to: Socket, ms: number): void {
  from.on('data', chunk => setTimeout(() => !to.destroyed && to.write(chunk), ms))
  from.on('end', () => setTimeout(() => to.end(), ms))
}

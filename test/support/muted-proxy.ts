// Owns a proxy in front of a broker that can lose the broker's answers, and then the connections: what was asked is
// done, and nobody learns of it. Its address is the one that the broker gives to its clients.

import { type LoopbackProxy, startLoopbackProxy } from './loopback-proxy.ts'

export type MutedProxy = LoopbackProxy & {
  /** From now on no answer comes through. */
  mute(): void
  /** Cuts every connection and takes no new one. */
  cut(): void
  /** Everything is as it was. */
  heal(): void
}

export async function startMutedProxy(): Promise<MutedProxy> {
  let [isMuted, isCut] = [false, false]
  const proxy = await startLoopbackProxy({
    join(client, broker) {
      client.on('data', bytes => broker.write(bytes))
      broker.on('data', bytes => isMuted || client.write(bytes))
    },
    isOpen: () => !isCut
  })
  return {
    ...proxy,
    mute() {
      isMuted = true
    },
    cut() {
      isCut = true
      proxy.drop()
    },
    heal() {
      ;[isMuted, isCut] = [false, false]
    }
  }
}

// Owns a proxy in front of a broker that can be slow, lose the broker's answers, or take no connection.

import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type LoopbackProxy, startLoopbackProxy } from '../support/loopback-proxy.ts'

export type FaultyProxy = LoopbackProxy & {
  /** Each way takes so much longer. */
  slow(ms: number): void
  /** From now on no answer comes through. */
  mute(): void
  /** Ends every connection and takes no new one. */
  cut(): void
  /** As at the start; connections that lost answers end, since nothing on them can be matched any more. */
  heal(): void
}

export async function startFaultyProxy(): Promise<FaultyProxy> {
  let [isMuted, isCut, delayMs] = [false, false, 0]
  const proxy = await startLoopbackProxy({
    join(client, broker) {
      const forth = inOrder(broker, () => delayMs)
      const back = inOrder(client, () => delayMs)
      client.on('data', forth)
      broker.on('data', bytes => isMuted || back(bytes))
    },
    isOpen: () => !isCut
  })
  return {
    ...proxy,
    slow(ms) {
      delayMs = ms
    },
    mute() {
      isMuted = true
    },
    cut() {
      isCut = true
      proxy.drop()
    },
    heal() {
      if (isMuted) proxy.drop()
      ;[isMuted, isCut, delayMs] = [false, false, 0]
    }
  }
}

/** Writes what it is given after a time; never before what it was given earlier, which may have had to wait longer. */
function inOrder(socket: Socket, delayMs: () => number): (bytes: Buffer) => void {
  let waiting = 0
  let last = Promise.resolve()
  return bytes => {
    const dueAt = performance.now() + delayMs()
    if (waiting === 0 && delayMs() === 0) {
      socket.write(bytes)
      return
    }
    waiting++
    last = last.then(async () => {
      const restMs = dueAt - performance.now()
      if (restMs > 0) await delay(restMs)
      waiting--
      if (!socket.destroyed) socket.write(bytes)
    })
  }
}

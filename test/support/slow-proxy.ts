// Owns a proxy in front of a broker that can be told to take only so many bytes a second from all of its clients
// together; what it does not take stays with them.

import type { Socket } from 'node:net'
import { type LoopbackProxy, startLoopbackProxy } from './loopback-proxy.ts'

export type SlowProxy = LoopbackProxy & {
  limit(bytesPerSecond: number): void
  /** From now on everything passes, as at the start. */
  lift(): void
  /** Bytes that went to the broker. */
  readonly passed: number
}

const tickMs = 50

export async function startSlowProxy(): Promise<SlowProxy> {
  const waiting = new Set<Socket>()
  let perTick = Number.POSITIVE_INFINITY
  let left = perTick
  let passed = 0
  // A chunk that is larger than what is left is paid for in the ticks that follow.
  const timer = setInterval(() => {
    left = Math.min(perTick, left + perTick)
    if (left <= 0) return
    for (const client of waiting) client.resume()
    waiting.clear()
  }, tickMs)
  const proxy = await startLoopbackProxy({
    join(client, broker) {
      client.on('close', () => waiting.delete(client))
      client.on('data', chunk => {
        passed += chunk.length
        left -= chunk.length
        broker.write(chunk)
        if (left > 0) return
        client.pause()
        waiting.add(client)
      })
      client.on('end', () => broker.end())
      broker.pipe(client)
    }
  })
  const limit = (bytesPerSecond: number) => {
    perTick = (bytesPerSecond * tickMs) / 1_000
    left = perTick
  }
  return {
    ...proxy,
    get passed() {
      return passed
    },
    limit,
    lift: () => limit(Number.POSITIVE_INFINITY),
    async close() {
      clearInterval(timer)
      await proxy.close()
    }
  }
}

// Owns a proxy in front of a broker whose network is bad: each way can be held up, connections break in the middle of
// what they carry, come one byte at a time, or never hear from their other end again.

import type { Socket } from 'node:net'
import { type LoopbackProxy, startLoopbackProxy } from './loopback-proxy.ts'
import type { Random } from './random.ts'

/** Requests go to the broker, answers come from it. */
export type Way = 'requests' | 'answers'

export type FaultyProxy = LoopbackProxy & {
  /** Nothing comes through on these ways; what is under way arrives late, when it may be old. */
  hold(...ways: Way[]): void
  /** Every connection there is stays open and silent for ever; new ones work. */
  freeze(): void
  /** Every connection, new ones too, breaks after so many bytes of either way, with a FIN or a RST. */
  breakAfter(random: Random, leastBytes: number, mostBytes: number): void
  /** Every byte comes alone. */
  crumble(): void
  /** New and old connections work as if nothing were; frozen ones stay frozen. */
  heal(): void
  /** Connections broken in mid-stream so far. */
  readonly broken: number
}

type Ends = { from: Socket; to: Socket; way: Way }
type Breaking = { random: Random; leastBytes: number; mostBytes: number }

export async function startFaultyProxy(): Promise<FaultyProxy> {
  const carried = new Set<Ends>()
  const held = new Set<Way>()
  let breaking: Breaking | undefined
  let isCrumbling = false
  let broken = 0

  const carry = (from: Socket, to: Socket, way: Way) => {
    const ends = { from, to, way }
    carried.add(ends)
    from.on('close', () => carried.delete(ends))
    if (held.has(way)) from.pause()
    let left = breaking === undefined ? Number.POSITIVE_INFINITY : bytesOf(breaking)
    from.on('data', chunk => {
      if (breaking === undefined) left = Number.POSITIVE_INFINITY
      else if (left === Number.POSITIVE_INFINITY) left = bytesOf(breaking)
      const passed = left < chunk.length ? chunk.subarray(0, left) : chunk
      left -= chunk.length
      if (isCrumbling) writeByBytes(to, passed)
      else to.write(passed)
      if (left >= 0 || breaking === undefined) return
      broken++
      // What was written before must leave before the end does.
      if (breaking.random.between(0, 1) === 0) to.resetAndDestroy()
      else to.end(() => to.destroy())
      from.destroy()
    })
  }
  const proxy = await startLoopbackProxy({
    join(client, broker) {
      carry(client, broker, 'requests')
      carry(broker, client, 'answers')
    }
  })
  return {
    ...proxy,
    hold(...ways) {
      for (const way of ways) held.add(way)
      for (const { from, way } of carried) if (held.has(way)) from.pause()
    },
    freeze() {
      for (const { from } of carried) from.pause()
      carried.clear()
    },
    breakAfter(random, leastBytes, mostBytes) {
      breaking = { random, leastBytes, mostBytes }
    },
    crumble() {
      isCrumbling = true
    },
    heal() {
      held.clear()
      breaking = undefined
      isCrumbling = false
      for (const { from } of carried) from.resume()
    },
    get broken() {
      return broken
    }
  }
}

function bytesOf({ random, leastBytes, mostBytes }: Breaking): number {
  return random.between(leastBytes, mostBytes)
}

// Without Nagle's algorithm each write is a packet of its own, or nearly so.
function writeByBytes(to: Socket, bytes: Buffer): void {
  for (const byte of bytes) to.write(Buffer.from([byte]))
}

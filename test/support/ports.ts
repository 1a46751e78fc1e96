// Owns the choice of free loopback ports.

import { createServer } from 'node:net'

// Below the range the kernel hands to outgoing connections, so that a port stays free while its broker is down.
const first = 20_000
const last = 32_000
const taken = new Set<number>()

/** Ports on 127.0.0.1 that nobody listens on, never the same one twice in a process. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > 1_000) throw new Error(`no free port between ${first} and ${last}`)
    const port = first + Math.floor(Math.random() * (last - first))
    if (taken.has(port) || !(await isFree(port))) continue
    taken.add(port)
    ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

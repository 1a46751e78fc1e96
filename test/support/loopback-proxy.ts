// Owns the sockets of a proxy on loopback in front of a broker: each client gets a connection to the broker, and an
// end that goes takes the other with it.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type LoopbackProxy = {
  /** What the broker is to give its clients as its own. */
  address: string
  /** To be called before anybody connects. */
  forwardTo(port: number): void
  /** Ends every connection. */
  drop(): void
  close(): Promise<void>
}

export type ProxyOptions = {
  /** Carries the bytes of both ways. */
  join(client: Socket, broker: Socket): void
  /** Whether new connections are taken. */
  isOpen?(): boolean
}

export async function startLoopbackProxy({
  join,
  isOpen = () => true
}: ProxyOptions): Promise<LoopbackProxy> {
  const sockets = new Set<Socket>()
  let brokerPort = 0
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer({ noDelay: true }, client => {
    if (!isOpen()) return client.destroy()
    const broker = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true })
    join(client, broker)
    for (const [one, other] of [
      [client, broker],
      [broker, client]
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    forwardTo(port) {
      brokerPort = port
    },
    drop,
    async close() {
      drop()
      server.close()
      await once(server, 'close')
    }
  }
}

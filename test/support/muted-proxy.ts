// Owns a proxy in front of a broker that can lose the broker's answers, and then the connections: what was asked is
// done, and nobody learns of it. Its address is the one that the broker gives to its clients.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type MutedProxy = {
  address: string
  /** To be called before anybody connects. */
  forwardTo(port: number): void
  /** From now on no answer comes through. */
  mute(): void
  /** Cuts every connection and takes no new one. */
  cut(): void
  /** Everything is as it was. */
  heal(): void
  close(): Promise<void>
}

export async function startMutedProxy(): Promise<MutedProxy> {
  const sockets = new Set<Socket>()
  let [brokerPort, isMuted, isCut] = [0, false, false]
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer({ noDelay: true }, client => {
    if (isCut) return client.destroy()
    const broker = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true })
    client.on('data', bytes => broker.write(bytes))
    broker.on('data', bytes => isMuted || client.write(bytes))
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
    mute() {
      isMuted = true
    },
    cut() {
      isCut = true
      drop()
    },
    heal() {
      ;[isMuted, isCut] = [false, false]
    },
    async close() {
      drop()
      server.close()
      await once(server, 'close')
    }
  }
}

// Owns a proxy in front of a broker that notes who asks for what: the address that the broker gives to its clients.

import { type LoopbackProxy, startLoopbackProxy } from './loopback-proxy.ts'

export type NotedRequest = {
  timeMs: number
  /** The protocol's number of the kind: 3 is Metadata. */
  api: number
  clientId: string
  /** Bytes of the request. */
  bytes: number
}

export type CountingProxy = LoopbackProxy & { readonly requests: readonly NotedRequest[] }

export async function startCountingProxy(): Promise<CountingProxy> {
  const requests: NotedRequest[] = []
  const proxy = await startLoopbackProxy({
    join(client, broker) {
      client.on(
        'data',
        watchRequests(request => requests.push(request))
      )
      client.pipe(broker).pipe(client)
    }
  })
  return { ...proxy, requests }
}

const headBytes = 14

/** Takes the bytes of a connection as they come and finds the head of each request in them. */
function watchRequests(note: (request: NotedRequest) => void): (chunk: Buffer) => void {
  // size i32, api_key i16, api_version i16, correlation_id i32, client_id string
  let rest: Buffer = Buffer.alloc(0)
  /** Bytes of a request whose head was read that are still to come. */
  let toSkip = 0
  return chunk => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      const skipped = Math.min(toSkip, bytes.length)
      bytes = bytes.subarray(skipped)
      toSkip -= skipped
      if (toSkip > 0 || bytes.length < headBytes) break
      const idBytes = Math.max(0, bytes.readInt16BE(12))
      if (bytes.length < headBytes + idBytes) break
      const size = 4 + bytes.readInt32BE(0)
      note({
        timeMs: Date.now(),
        api: bytes.readInt16BE(4),
        clientId: bytes.toString('utf8', headBytes, headBytes + idBytes),
        bytes: size
      })
      toSkip = size
    }
    rest = bytes
  }
}

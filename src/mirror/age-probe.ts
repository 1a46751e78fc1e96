// Finds out whether a broker that ends a connection at the client's first words, or falls silent, is one from before Kafka
// 0.10: those do not know ApiVersions, the request that every client begins with, and answer others.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Properties } from '../native/index.ts'
import { usesTls } from './connection-trouble.ts'
import { placeOf, tlsOptionsOf } from './tls-probe.ts'

const metadata = 3
const apiVersions = 18
const answerWithinMs = 1_000
/** Length and correlation id: what comes behind them does not matter. */
const answerHeadBytes = 8

/** Behind a login nobody can tell: such a broker is then not found. */
export async function isBeforeApiVersions(
  address: string,
  connection: Properties,
  limitMs = answerWithinMs
): Promise<boolean> {
  if (connection['security.protocol']?.startsWith('sasl')) return false
  // A broker that restarts or is busy does not answer either: this one was there before and after, twice.
  for (const api of [metadata, apiVersions, metadata, apiVersions, metadata]) {
    const isAnswered = await isAnsweredBy(address, connection, api, limitMs)
    if (isAnswered !== (api === metadata)) return false
  }
  return true
}

async function isAnsweredBy(
  address: string,
  connection: Properties,
  api: number,
  limitMs: number
): Promise<boolean> {
  const socket = open(address, connection)
  const limit = AbortSignal.timeout(limitMs)
  // What comes after the answer tells nothing, and would end the process unheard.
  socket.on('error', () => {})
  socket.write(requestOf(api))
  try {
    for (let bytes = 0; bytes < answerHeadBytes; ) {
      const heard = once(socket, 'data', { signal: limit }).then(([chunk]) => chunk as Buffer)
      const closed = once(socket, 'close', { signal: limit }).then(() => undefined)
      const chunk = await Promise.race([heard, closed])
      if (!chunk) return false
      bytes += chunk.length
    }
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

function open(address: string, connection: Properties): Socket {
  const place = placeOf(address)
  if (!usesTls(connection)) return connect(place)
  return connectTls({ ...place, ...tlsOptionsOf(connection) })
}

// Version 0 of both: api i16 · version i16 · correlation_id i32 · client_id · [Metadata: topics []]
function requestOf(api: number): Buffer {
  const clientId = 'heliostat'
  const body = Buffer.alloc(api === metadata ? 4 : 0)
  const head = Buffer.alloc(14)
  head.writeInt32BE(head.length - 4 + clientId.length + body.length, 0)
  head.writeInt16BE(api, 4)
  head.writeInt32BE(1, 8)
  head.writeInt16BE(clientId.length, 12)
  return Buffer.concat([head, Buffer.from(clientId), body])
}

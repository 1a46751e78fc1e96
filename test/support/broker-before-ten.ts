// Owns what stands in for a broker from before Kafka 0.10: it answers Metadata, and at any request that it does not know,
// as ApiVersions, it ends the connection as 0.8 does or falls silent as 0.9.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { readRequest } from './scripted-requests.ts'
import { Writer } from './wire.ts'

const metadata = 3

/** Its address; `knows` are the requests that it answers. Closed at the end of the test. */
export async function startBrokerBeforeTen(
  t: TestContext,
  { knows = [metadata], isSilent = false }: { knows?: readonly number[]; isSilent?: boolean } = {}
): Promise<string> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    t.after(() => socket.destroy())
    socket.on('data', bytes => {
      const { api, correlationId } = readRequest(bytes.subarray(4))
      // Metadata v0 without brokers and topics: brokers [] · topics []
      const answer = new Writer().int32(12).int32(correlationId).int32(0).int32(0)
      if (knows.includes(api)) socket.write(answer.done())
      else if (!isSilent) socket.destroy()
    })
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

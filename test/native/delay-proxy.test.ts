// The benchmark's delaying proxy: bytes come late, whole and in order, and as fast as without it.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { DelayProxy } from '../../bench/delay-proxy.ts'

/** A client's connection through a fresh proxy to a server that treats every connection so. */
async function farClient(
  t: TestContext,
  roundTripMs: number,
  serve: (socket: Socket) => void
): Promise<Socket> {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await DelayProxy.start(roundTripMs)
  proxy.forwardTo((server.address() as AddressInfo).port)
  const [host, port] = proxy.address.split(':')
  const client = connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true })
  t.after(async () => {
    client.destroy()
    await proxy.close()
    server.close()
  })
  await once(client, 'connect')
  return client
}

test('an answer takes the round trip, each time', { timeout: 30_000 }, async t => {
  const roundTripMs = 60
  const client = await farClient(t, roundTripMs, socket => socket.pipe(socket))
  for (let turn = 0; turn < 5; turn++) {
    const startedAt = performance.now()
    client.write('ping')
    const [answer] = await once(client, 'data')
    assert.equal(`${answer}`, 'ping')
    assert.ok(performance.now() - startedAt >= roundTripMs)
  }
})

test('much travels at once: bytes are late, and not fewer a second', {
  timeout: 60_000
}, async t => {
  const roundTripMs = 400
  const sent = randomBytes(32e6)
  const client = await farClient(t, roundTripMs, socket => socket.pipe(socket))
  const startedAt = performance.now()
  client.end(sent)
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of client) {
    hash.update(chunk)
    bytes += chunk.length
  }
  assert.equal(bytes, sent.length)
  assert.deepEqual(hash.digest(), createHash('sha256').update(sent).digest())
  // A read of 256 KiB a round trip, as where one has to arrive before the next may leave, would take 49 s.
  assert.ok(performance.now() - startedAt < 20_000)
})

test('who goes is gone on the other side too', { timeout: 30_000 }, async t => {
  let gone: Promise<unknown> | undefined
  const client = await farClient(t, 20, socket => {
    gone = once(socket, 'end')
    socket.resume()
    socket.end('bye')
  })
  client.write('hello')
  const [answer] = await once(client, 'data')
  assert.equal(`${answer}`, 'bye')
  client.end()
  await gone
})

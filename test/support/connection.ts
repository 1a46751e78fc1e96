// Owns one socket to one broker: frames requests, and matches responses to them by correlation id.

import { connect, type Socket } from 'node:net'
import { Reader, Writer } from './wire.ts'

type Waiting = { api: number; resolve: (body: Buffer) => void; reject: (error: Error) => void }

/** The connection is gone: whether the broker has worked on what was asked is not known. */
export class ConnectionEnded extends Error {}

// Far above what any request here takes: a broker that is stopped by a signal would hold a test for ever.
const silenceLimitMs = 60_000

export class Connection {
  /** Resolves when no further request can be sent. */
  readonly ended: Promise<void>
  readonly #socket: Socket
  readonly #clientId: string
  readonly #waiting = new Map<number, Waiting>()
  #chunks: Buffer[] = []
  #buffered = 0
  #correlationId = 0
  #failure: Error | undefined
  #end: () => void = () => {}

  static open(host: string, port: number, clientId = 'heliostat-test'): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true })
      const refused = (cause: Error) => reject(new ConnectionEnded(cause.message, { cause }))
      socket.once('error', refused)
      socket.once('connect', () => {
        socket.off('error', refused)
        resolve(new Connection(socket, clientId))
      })
    })
  }

  private constructor(socket: Socket, clientId: string) {
    this.#socket = socket
    this.#clientId = clientId
    this.ended = new Promise(resolve => {
      this.#end = resolve
    })
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('error', cause => this.#fail(new ConnectionEnded(cause.message, { cause })))
    socket.setTimeout(silenceLimitMs, () => {
      if (this.#waiting.size === 0) return
      this.#fail(new ConnectionEnded(`no answer in ${silenceLimitMs} ms`))
      socket.destroy()
    })
    socket.on('close', () => this.#fail(new ConnectionEnded('the broker closed the connection')))
  }

  /** Sends a request and gives the response's body, after the correlation id. */
  request(api: number, version: number, body: Buffer | readonly Buffer[]): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const correlationId = this.#write(api, version, body, reject)
      if (correlationId !== undefined) this.#waiting.set(correlationId, { api, resolve, reject })
    })
  }

  /** Sends a request that the broker does not answer (Produce with acks=0). */
  post(api: number, version: number, body: Buffer | readonly Buffer[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#write(api, version, body, reject, resolve)
    })
  }

  close(): void {
    this.#fail(new ConnectionEnded('the test closed the connection'))
    this.#socket.destroy()
  }

  // Frame: length int32, api int16, version int16, correlation id int32, client id string, body.
  #write(
    api: number,
    version: number,
    body: Buffer | readonly Buffer[],
    reject: (error: Error) => void,
    written?: () => void
  ): number | undefined {
    if (this.#failure !== undefined) {
      reject(this.#failure)
      return undefined
    }
    const parts = Buffer.isBuffer(body) ? [body] : body
    const correlationId = this.#correlationId++
    const header = new Writer()
      .int16(api)
      .int16(version)
      .int32(correlationId)
      .string(this.#clientId)
      .done()
    const length = parts.reduce((sum, part) => sum + part.length, header.length)
    this.#socket.cork()
    this.#socket.write(new Writer().int32(length).raw(header).done())
    parts.forEach((part, index) => {
      this.#socket.write(part, index === parts.length - 1 ? () => written?.() : undefined)
    })
    this.#socket.uncork()
    return correlationId
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    for (let length = this.#frameLength(); length !== undefined; length = this.#frameLength()) {
      if (this.#buffered < length + 4) return
      this.#answer(this.#take(length + 4))
    }
  }

  #frameLength(): number | undefined {
    if (this.#buffered < 4) return undefined
    const first = this.#chunks[0] as Buffer
    if (first.length < 4) this.#chunks = [Buffer.concat(this.#chunks)]
    return (this.#chunks[0] as Buffer).readInt32BE(0)
  }

  #take(length: number): Buffer {
    const all =
      this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    this.#buffered -= length
    this.#chunks = this.#buffered === 0 ? [] : [all.subarray(length)]
    return all.subarray(0, length)
  }

  #answer(frame: Buffer): void {
    const correlationId = new Reader(frame, 4).int32()
    const waiting = this.#waiting.get(correlationId)
    this.#waiting.delete(correlationId)
    waiting?.resolve(frame.subarray(8))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
    this.#end()
  }
}

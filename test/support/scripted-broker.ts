// Owns a cluster of scripted brokers on loopback: what an honest one would answer is made here, and a test may put
// anything else in its place. Each partition is led by the broker that the test says.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from './answer-writer.ts'
import {
  api,
  type FetchAnswer,
  type FetchedPartition,
  type FetchedTopic,
  type MetadataAnswer,
  type ProduceAnswer,
  refuseApiVersions,
  spokenVersions,
  type Versions,
  writeApiVersions,
  writeDescribeProducers,
  writeFetch,
  writeInitProducerId,
  writeMetadata,
  writeProduce
} from './scripted-answers.ts'
import { SourcePartition, TargetPartition } from './scripted-partitions.ts'
import {
  type FetchRequest,
  type RequestHead,
  readFetchRequest,
  readProduceRequest,
  readProducersRequest,
  readRequest
} from './scripted-requests.ts'
import { type Asked, ScriptedSessions, withoutSession } from './scripted-sessions.ts'
import { Writer } from './wire.ts'

/** What goes back on the socket. `undefined` is silence. */
export type Reply = {
  body: Buffer
  delayMs?: number
  correlationId?: number
  /** The length that the frame claims, in place of its own. */
  announced?: number
  /** So many bytes of the frame leave, and then the connection ends. */
  cutAt?: number
}

export type Call<Honest> = {
  broker: number
  version: number
  correlationId: number
  /** Of this API at this broker, from 0 on. */
  nth: number
  /** What an honest broker would say; to be changed in place, or left alone. For Produce: after the append. */
  answer: Honest
  encode(answer: Honest): Answer
}

export type Script = {
  fetch?: (call: Call<FetchAnswer>) => Reply | undefined | Promise<Reply | undefined>
  produce?: (call: Call<ProduceAnswer>) => Reply | undefined | Promise<Reply | undefined>
  metadata?: (call: Call<MetadataAnswer>) => Reply | undefined
  initProducerId?: (call: Call<{ error: number; producerId: number; epoch: number }>) => Reply
  describeProducers?: (call: Call<Parameters<typeof writeDescribeProducers>[0]>) => Reply
  /** Before anything is appended: the code to refuse a partition's batch with, or 0. */
  refuse?: (batch: { topic: string; partition: number; bytes: Buffer; nth: number }) => number
}

export type ScriptedTopic = { partitions: number; leader?: (partition: number) => number }

export type ScriptedOptions = {
  brokers?: number
  topics: Record<string, ScriptedTopic>
  versions?: Versions
  /** Fetch sessions are kept. */
  hasSessions?: boolean
}

export async function startScriptedCluster(options: ScriptedOptions): Promise<ScriptedCluster> {
  const cluster = new ScriptedCluster(options)
  await cluster.listen()
  return cluster
}

export class ScriptedCluster {
  /** By broker id; a test sets and changes them at any time. */
  readonly scripts = new Map<number, Script>()
  /** As they came, of all brokers. */
  readonly fetches: FetchRequest[] = []
  readonly sessions: ScriptedSessions | undefined
  readonly #topics: Record<string, ScriptedTopic>
  readonly #versions: Versions
  readonly #servers: Server[]
  readonly #sockets = new Set<Socket>()
  readonly #sources = new Map<string, SourcePartition>()
  readonly #targets = new Map<string, TargetPartition>()
  readonly #counts = new Map<string, number>()
  #nextProducerId = 1_000

  constructor({ brokers = 1, topics, versions = {}, hasSessions = false }: ScriptedOptions) {
    this.sessions = hasSessions ? new ScriptedSessions() : undefined
    this.#topics = topics
    this.#versions = { ...spokenVersions, ...versions }
    this.#servers = Array.from({ length: brokers }, (_, broker) =>
      createServer({ noDelay: true }, socket => this.#serve(broker, socket))
    )
  }

  async listen(): Promise<void> {
    for (const server of this.#servers) server.listen(0, '127.0.0.1')
    await Promise.all(this.#servers.map(server => server.listening || once(server, 'listening')))
  }

  get bootstrapServers(): string {
    return `127.0.0.1:${this.#port(0)}`
  }

  source(topic: string, partition: number): SourcePartition {
    return ensure(this.#sources, `${topic}-${partition}`, () => new SourcePartition())
  }

  target(topic: string, partition: number): TargetPartition {
    return ensure(this.#targets, `${topic}-${partition}`, () => new TargetPartition())
  }

  /** Requests of an API that a broker has been sent. */
  requests(broker: number, key: number): number {
    return this.#counts.get(`${broker}/${key}`) ?? 0
  }

  /** Ends every connection. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.drop()
    await Promise.all(
      this.#servers.map(server => {
        server.close()
        return once(server, 'close')
      })
    )
  }

  #port(broker: number): number {
    return (this.#servers[broker]?.address() as AddressInfo).port
  }

  #serve(broker: number, socket: Socket): void {
    this.#sockets.add(socket)
    let buffered = Buffer.alloc(0)
    // A broker works on one request of a connection at a time.
    let work = Promise.resolve()
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', bytes => {
      buffered = Buffer.concat([buffered, bytes])
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
        const end = 4 + buffered.readInt32BE(0)
        const request = readRequest(Buffer.from(buffered.subarray(4, end)))
        buffered = buffered.subarray(end)
        work = work.then(() => this.#work(broker, socket, request))
      }
    })
  }

  async #work(broker: number, socket: Socket, request: RequestHead): Promise<void> {
    if (socket.destroyed) return
    const reply = await this.#answer(broker, request)
    if (reply === undefined) return
    const { body, delayMs = 0, correlationId = request.correlationId, announced, cutAt } = reply
    // Nothing waits for what a test has left behind.
    if (delayMs > 0) await delay(delayMs, undefined, { ref: false })
    // A flexible answer has tags in its head, but for ApiVersions, which any client must be able to read.
    const hasTags = request.isFlexible && request.api !== api.apiVersions
    const head = new Writer().int32(correlationId)
    if (hasTags) head.int8(0)
    const frame = Buffer.concat([head.done(), body])
    const length = new Writer().int32(announced ?? frame.length).done()
    const bytes = Buffer.concat([length, frame])
    if (socket.destroyed) return
    if (cutAt === undefined) socket.write(bytes)
    else socket.end(bytes.subarray(0, cutAt))
  }

  async #answer(broker: number, request: RequestHead): Promise<Reply | undefined> {
    const { version, correlationId, body } = request
    const count = `${broker}/${request.api}`
    const nth = this.#counts.get(count) ?? 0
    this.#counts.set(count, nth + 1)
    const script = this.scripts.get(broker) ?? {}
    const head = { broker, version, correlationId, nth }
    switch (request.api) {
      case api.apiVersions:
        return { body: this.#apiVersions(version) }
      case api.metadata: {
        const encode = (answer: MetadataAnswer) => writeMetadata(version, answer)
        const call = { ...head, answer: this.#metadata(), encode }
        return script.metadata ? script.metadata(call) : { body: encode(call.answer).bytes }
      }
      case api.initProducerId: {
        const answer = { error: 0, producerId: this.#nextProducerId++, epoch: 0 }
        const encode = (a: typeof answer) => writeInitProducerId(a.error, a.producerId, a.epoch)
        const call = { ...head, answer, encode }
        return script.initProducerId?.(call) ?? { body: encode(answer).bytes }
      }
      case api.describeProducers: {
        const answer = readProducersRequest(body).map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(partition => {
            return { partition, producers: this.target(topic, partition).producers() }
          })
        }))
        const call = { ...head, answer, encode: writeDescribeProducers }
        return script.describeProducers?.(call) ?? { body: writeDescribeProducers(answer).bytes }
      }
      case api.fetch: {
        const encode = (answer: FetchAnswer) => writeFetch(version, answer)
        const { answer, maxWaitMs } = this.#fetch(version, body)
        const call = { ...head, answer, encode }
        if (script.fetch) return script.fetch(call)
        const isEmpty = answer.topics.every(({ partitions }) =>
          partitions.every(({ records }) => !records?.length)
        )
        return { body: encode(answer).bytes, delayMs: isEmpty ? maxWaitMs : 0 }
      }
      case api.produce: {
        const encode = (answer: ProduceAnswer) => writeProduce(version, answer)
        const call = { ...head, answer: this.#produce(version, body, script, nth), encode }
        return script.produce ? script.produce(call) : { body: encode(call.answer).bytes }
      }
      default:
        throw new Error(`a scripted broker was sent a request of API ${request.api}`)
    }
  }

  #apiVersions(version: number): Buffer {
    const most = this.#versions[api.apiVersions]?.[1] ?? 0
    if (version > most) return refuseApiVersions(this.#versions)
    return writeApiVersions(version, this.#versions)
  }

  #metadata(): MetadataAnswer {
    const brokers = this.#servers.map((_, id) => ({ id, port: this.#port(id) }))
    const topics = Object.entries(this.#topics).map(([topic, { partitions, leader }]) => ({
      topic,
      topicId: topicIdOf(topic),
      partitions: Array.from({ length: partitions }, (_, partition) => {
        return { partition, leader: leader?.(partition) ?? 0, leaderEpoch: 0 }
      })
    }))
    return { brokers, topics }
  }

  #fetch(version: number, body: Buffer): { answer: FetchAnswer; maxWaitMs: number } {
    const request = readFetchRequest(version, body)
    this.fetches.push(request)
    const named = request.topics.flatMap(each =>
      each.partitions.map(asked => ({ ...asked, topic: this.#nameOf(each) }))
    )
    const forgotten = request.forgotten.flatMap(each =>
      each.partitions.map(partition => ({ topic: this.#nameOf(each), partition }))
    )
    const turn = this.sessions?.take(request, named, forgotten) ?? withoutSession(named)
    const { maxWaitMs } = request
    if ('error' in turn) {
      return {
        answer: { throttleMs: 0, error: turn.error, sessionId: 0, topics: [] },
        maxWaitMs: 0
      }
    }
    const topics = new Map<string, FetchedTopic>()
    for (const asked of turn.asked) {
      const found = this.#read(asked, version)
      if (!turn.hasNews(asked, found)) continue
      const { topic } = asked
      const topicId = topicIdOf(topic)
      ensure(topics, topic, () => ({ topic, topicId, partitions: [] })).partitions.push(found)
    }
    const answer = { throttleMs: 0, error: 0, sessionId: turn.id, topics: [...topics.values()] }
    return { answer, maxWaitMs }
  }

  #read({ topic, partition, offset, maxBytes }: Asked, version: number): FetchedPartition {
    const log = this.source(topic, partition)
    return {
      partition,
      error: offset > log.end ? 1 : 0,
      highWatermark: log.end,
      lastStableOffset: log.end,
      logStartOffset: 0,
      aborted: null,
      preferredReadReplica: -1,
      records: log.read(offset, maxBytes, version < 3)
    }
  }

  #produce(version: number, body: Buffer, script: Script, nth: number): ProduceAnswer {
    const topics = readProduceRequest(version, body).topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, batch }) => {
        const error = script.refuse?.({ topic, partition, bytes: batch, nth }) ?? 0
        if (error !== 0) return { partition, error, baseOffset: -1 }
        return { partition, ...this.target(topic, partition).append(batch) }
      })
    }))
    return { throttleMs: 0, topics }
  }

  #nameOf({ topic, topicId }: { topic: string; topicId: Buffer | undefined }): string {
    if (topicId === undefined) return topic
    return Object.keys(this.#topics).find(topic => topicIdOf(topic).equals(topicId)) ?? ''
  }
}

/** An id that follows from the name, so that any broker of the script knows it. */
export function topicIdOf(topic: string): Buffer {
  return createHash('sha256').update(topic).digest().subarray(0, 16)
}

function ensure<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}

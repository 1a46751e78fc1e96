// Owns the way to each broker of a cluster: connections by node, metadata, leaders and coordinators.

import { setTimeout as delay } from 'node:timers/promises'
import { Connection, ConnectionEnded } from './connection.ts'
import { BrokerError, check } from './kafka-error.ts'
import { Reader, Writer } from './wire.ts'

export type Metadata = {
  brokers: { id: number; host: string; port: number; rack: string | null }[]
  clusterId: string | null
  controllerId: number
  topics: TopicMetadata[]
}

export type TopicMetadata = {
  error: number
  name: string
  isInternal: boolean
  partitions: {
    error: number
    partition: number
    leader: number
    leaderEpoch: number
    replicas: number[]
    isr: number[]
    offline: number[]
  }[]
}

const retryLimitMs = 30_000

export class Routes {
  readonly #bootstrap: string[]
  readonly #clientId: string
  readonly #connections = new Map<string, Promise<Connection>>()
  readonly #addresses = new Map<number, string>()
  readonly #leaders = new Map<string, number>()
  #isClosed = false

  constructor(bootstrap: string, clientId: string) {
    this.#bootstrap = bootstrap.split(',')
    this.#clientId = clientId
  }

  /** Metadata v7 of all topics, or of those named, as any broker or one node sees it. */
  async metadata(topics: string[] | null = null, node?: number): Promise<Metadata> {
    // topics [string], allow_auto_topic_creation bool
    const body = new Writer()
    body.array(topics, name => body.string(name)).bool(false)
    const connection = node === undefined ? await this.any() : await this.node(node)
    const reader = new Reader(await connection.request(3, 7, body.done()))
    const metadata = readMetadata(reader)
    for (const { id, host, port } of metadata.brokers) this.#addresses.set(id, `${host}:${port}`)
    for (const { name, partitions } of metadata.topics) {
      for (const { partition, leader } of partitions)
        this.#leaders.set(`${name}-${partition}`, leader)
    }
    return metadata
  }

  /** The first broker of the bootstrap list that answers. */
  async any(): Promise<Connection> {
    let failure: unknown
    for (const address of [...this.#bootstrap, ...this.#addresses.values()]) {
      try {
        return await this.#connect(address)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async node(id: number): Promise<Connection> {
    if (!this.#addresses.has(id)) await this.metadata([])
    const address = this.#addresses.get(id)
    if (address === undefined) throw new BrokerError(8, `broker ${id}`)
    return this.#connect(address)
  }

  async controller(): Promise<Connection> {
    return this.node((await this.metadata([])).controllerId)
  }

  /** The node id of a partition's leader. */
  async leader(topic: string, partition: number): Promise<number> {
    const key = `${topic}-${partition}`
    if ((this.#leaders.get(key) ?? -1) < 0) await this.metadata([topic])
    const leader = this.#leaders.get(key)
    if (leader === undefined) throw new BrokerError(3, key)
    if (leader < 0) throw new BrokerError(5, key)
    return leader
  }

  async leaderConnection(topic: string, partition: number): Promise<Connection> {
    return this.node(await this.leader(topic, partition))
  }

  /** FindCoordinator v1: of a group (0) or a transactional id (1). */
  async coordinator(key: string, type: 0 | 1): Promise<Connection> {
    const body = new Writer().string(key).int8(type).done()
    const reader = new Reader(await (await this.any()).request(10, 1, body))
    reader.int32()
    const error = reader.int16()
    check(error, `coordinator of ${key}`, reader.nullableString())
    return this.node(reader.int32())
  }

  /** Tries again while the error is one that passes: a moved leader, a lost connection, a broker that starts. */
  async retrying<T>(action: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + retryLimitMs
    for (;;) {
      try {
        return await action()
      } catch (error) {
        const isPassing =
          error instanceof BrokerError ? error.isPassing : error instanceof ConnectionEnded
        if (!isPassing || this.#isClosed || Date.now() > deadline) throw error
        this.#leaders.clear()
        await delay(100)
      }
    }
  }

  close(): void {
    this.#isClosed = true
    for (const connection of this.#connections.values()) {
      connection.then(
        open => open.close(),
        () => {}
      )
    }
    this.#connections.clear()
  }

  // Looked up without waiting, so that requests made one after the other share one connection and keep their order.
  #connect(address: string): Promise<Connection> {
    const known = this.#connections.get(address)
    if (known !== undefined) return known
    const [host, port] = address.split(':') as [string, string]
    const opening = Connection.open(host, Number(port), this.#clientId)
    this.#connections.set(address, opening)
    const forget = () => {
      if (this.#connections.get(address) === opening) this.#connections.delete(address)
    }
    opening.then(connection => connection.ended.then(forget), forget)
    return opening
  }
}

function readMetadata(reader: Reader): Metadata {
  reader.int32()
  const brokers = reader.array(() => ({
    id: reader.int32(),
    host: reader.string(),
    port: reader.int32(),
    rack: reader.nullableString()
  }))
  const clusterId = reader.nullableString()
  const controllerId = reader.int32()
  const topics = reader.array(() => ({
    error: reader.int16(),
    name: reader.string(),
    isInternal: reader.bool(),
    partitions: reader.array(() => ({
      error: reader.int16(),
      partition: reader.int32(),
      leader: reader.int32(),
      leaderEpoch: reader.int32(),
      replicas: reader.array(() => reader.int32()),
      isr: reader.array(() => reader.int32()),
      offline: reader.array(() => reader.int32())
    }))
  }))
  return { brokers, clusterId, controllerId, topics }
}

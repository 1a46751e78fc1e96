// Owns the reading of the requests that a scripted broker is sent.

import { type Api, api, firstFlexible } from './scripted-answers.ts'
import { Reader } from './wire.ts'

export type FetchRequest = {
  maxWaitMs: number
  isReadCommitted: boolean
  /** 0 and -1 without a session. */
  sessionId: number
  sessionEpoch: number
  topics: {
    /** Empty from version 13 on, where the id stands in its place. */
    topic: string
    topicId: Buffer | undefined
    partitions: { partition: number; offset: number; maxBytes: number; leaderEpoch: number }[]
  }[]
  forgotten: { topic: string; topicId: Buffer | undefined; partitions: number[] }[]
}

export type ProduceRequest = {
  topics: { topic: string; partitions: { partition: number; batch: Buffer }[] }[]
}

// replica_id i32 · max_wait_ms i32 · min_bytes i32 · [v3: max_bytes i32] · [v4: isolation i8] · [v7: session_id i32 · epoch i32] ·
// topics [name, from v13 topic_id · partitions [index i32 · [v9: leader_epoch i32] · offset i64 · [v12:
// last_fetched_epoch i32] · [v5: log_start i64] · max_bytes i32]] · [v7: forgotten
// [name, from v13 topic_id · partitions [i32]]] · [v11: rack]
export function readFetchRequest(version: number, body: Buffer): FetchRequest {
  const from = new RequestReader(body, version >= firstFlexible[api.fetch])
  from.int32()
  const maxWaitMs = from.int32()
  from.int32()
  if (version >= 3) from.int32()
  const isReadCommitted = version >= 4 && from.int8() === 1
  const sessionId = version >= 7 ? from.int32() : 0
  const sessionEpoch = version >= 7 ? from.int32() : -1
  const nameOf = () => ({
    topicId: version >= 13 ? from.raw(16) : undefined,
    topic: version >= 13 ? '' : from.string()
  })
  const topics = from.array(() => {
    const name = nameOf()
    const partitions = from.array(() => {
      const partition = from.int32()
      const leaderEpoch = version >= 9 ? from.int32() : -1
      const offset = from.int64()
      if (version >= 12) from.int32()
      if (version >= 5) from.int64()
      const maxBytes = from.int32()
      from.tags()
      return { partition, offset, maxBytes, leaderEpoch }
    })
    from.tags()
    return { ...name, partitions }
  })
  const forgotten =
    version < 7
      ? []
      : from.array(() => {
          const gone = { ...nameOf(), partitions: from.array(() => from.int32()) }
          from.tags()
          return gone
        })
  return { maxWaitMs, isReadCommitted, sessionId, sessionEpoch, topics, forgotten }
}

// transactional_id · acks i16 · timeout_ms i32 · topics [name · partitions [index i32 · records]]
export function readProduceRequest(version: number, body: Buffer): ProduceRequest {
  const from = new RequestReader(body, version >= firstFlexible[api.produce])
  from.string()
  from.int16()
  from.int32()
  const topics = from.array(() => {
    const topic = from.string()
    const partitions = from.array(() => {
      const entry = { partition: from.int32(), batch: from.bytes() }
      from.tags()
      return entry
    })
    from.tags()
    return { topic, partitions }
  })
  return { topics }
}

// topics [name · partitions [i32]], flexible
export function readProducersRequest(body: Buffer): { topic: string; partitions: number[] }[] {
  const from = new RequestReader(body, true)
  return from.array(() => {
    const topic = from.string()
    const partitions = from.array(() => from.int32())
    from.tags()
    return { topic, partitions }
  })
}

export type RequestHead = {
  api: number
  version: number
  correlationId: number
  isFlexible: boolean
  body: Buffer
}

// api i16 · version i16 · correlation_id i32 · client_id · [flexible: tags]
export function readRequest(frame: Buffer): RequestHead {
  const from = new RequestReader(frame, true)
  const key = from.int16()
  const version = from.int16()
  const correlationId = from.int32()
  const clientBytes = from.int16()
  if (clientBytes > 0) from.raw(clientBytes)
  const isFlexible = version >= (firstFlexible[key as Api] ?? Number.POSITIVE_INFINITY)
  if (isFlexible) from.tags()
  return { api: key, version, correlationId, isFlexible, body: from.rest() }
}

/** Reads either encoding. */
class RequestReader {
  readonly #isFlexible: boolean
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer, isFlexible: boolean) {
    this.#bytes = bytes
    this.#isFlexible = isFlexible
  }

  int8 = () => this.#primitive(1).int8()
  int16 = () => this.#primitive(2).int16()
  int32 = () => this.#primitive(4).int32()
  int64 = () => this.#primitive(8).int64()

  raw(size: number): Buffer {
    this.#at += size
    return this.#bytes.subarray(this.#at - size, this.#at)
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at)
  }

  string(): string {
    const length = this.#isFlexible ? this.#uvarint() - 1 : this.int16()
    return length < 0 ? '' : this.raw(length).toString()
  }

  bytes(): Buffer {
    const length = this.#isFlexible ? this.#uvarint() - 1 : this.int32()
    return length < 0 ? Buffer.alloc(0) : this.raw(length)
  }

  array<T>(read: () => T): T[] {
    const count = this.#isFlexible ? this.#uvarint() - 1 : this.int32()
    return Array.from({ length: Math.max(0, count) }, read)
  }

  tags(): void {
    if (!this.#isFlexible) return
    for (let count = this.#uvarint(); count > 0; count--) {
      this.#uvarint()
      this.raw(this.#uvarint())
    }
  }

  #uvarint(): number {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = this.int8() & 0xff
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }

  #primitive(size: number): Reader {
    this.#at += size
    return new Reader(this.#bytes, this.#at - size)
  }
}

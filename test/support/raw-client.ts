// Owns a small Kafka client that shares nothing with the code under test: it speaks the protocol over plain sockets,
// routes to leaders, and hands batches over as the bytes they are.

import { type BatchHeader, readBatchHeader, splitBatches } from './batch-header.ts'
import { check } from './kafka-error.ts'
import { isOldMessage, rewriteMessage } from './old-message-reader.ts'
import { RawAdmin } from './raw-admin.ts'
import { RawGroups } from './raw-groups.ts'
import { RawTransactions } from './raw-transactions.ts'
import { type Metadata, Routes } from './routes.ts'
import { Reader, Writer } from './wire.ts'

export type Isolation = 'read_uncommitted' | 'read_committed'

export type FetchRequest = {
  topic: string
  partition: number
  offset: number
  isolation?: Isolation
  maxBytes?: number
  maxWaitMs?: number
}

/** Messages of the formats before 2 come as a batch each, written anew without compression. */
export type RawBatch = { header: BatchHeader; bytes: Buffer; format: number }

export type FetchResponse = {
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
  aborted: { producerId: number; firstOffset: number }[]
  /** Whole batches; the first may start before the offset asked for. */
  batches: RawBatch[]
}

export type ProduceRequest = {
  topic: string
  /** Batches by partition, one buffer each: brokers take a single batch per partition and request. */
  batches: Map<number, Buffer>
  acks?: -1 | 0 | 1
  transactionalId?: string | null
  timeoutMs?: number
}

export type Produced = {
  partition: number
  error: number
  baseOffset: number
  logAppendTime: number
}

/** A client for one piece of work, closed whatever comes of it. */
export async function withClient<Result>(
  bootstrap: string,
  work: (client: RawClient) => Promise<Result>
): Promise<Result> {
  const client = new RawClient(bootstrap)
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

export class RawClient {
  readonly routes: Routes
  readonly admin: RawAdmin
  readonly groups: RawGroups
  readonly transactions: RawTransactions

  constructor(bootstrap: string, clientId = 'heliostat-test') {
    this.routes = new Routes(bootstrap, clientId)
    this.admin = new RawAdmin(this.routes)
    this.groups = new RawGroups(this.routes)
    this.transactions = new RawTransactions(this.routes)
  }

  metadata(topics: string[] | null = null): Promise<Metadata> {
    return this.routes.retrying(() => this.routes.metadata(topics))
  }

  /** ApiVersions v0: [lowest, highest] by API key. */
  async apiVersions(): Promise<Map<number, [number, number]>> {
    const reader = new Reader(await (await this.routes.any()).request(18, 0, Buffer.alloc(0)))
    check(reader.int16(), 'ApiVersions')
    return new Map(reader.array(() => [reader.int16(), [reader.int16(), reader.int16()]]))
  }

  /** The partition numbers of a topic, in order. */
  async partitions(topic: string): Promise<number[]> {
    const [found] = (await this.metadata([topic])).topics
    check(found?.error ?? 3, `partitions of ${topic}`)
    return (found?.partitions ?? []).map(({ partition }) => partition).sort((a, b) => a - b)
  }

  /** ListOffsets v2: the offset for a time, or of either end. */
  listOffset(
    topic: string,
    partition: number,
    at: 'earliest' | 'latest' | number,
    isolation: Isolation = 'read_uncommitted'
  ): Promise<number> {
    const timestamp = at === 'earliest' ? -2 : at === 'latest' ? -1 : at
    return this.#listOffset(topic, partition, timestamp, { replica: -1, isolation })
  }

  #listOffset(
    topic: string,
    partition: number,
    timestamp: number,
    { replica, isolation }: { replica: number; isolation: Isolation }
  ): Promise<number> {
    // replica_id i32, isolation_level i8, topics [name, partitions [partition i32, timestamp i64]]
    const body = new Writer().int32(replica).int8(isolationLevel(isolation)).int32(1).string(topic)
    body.int32(1).int32(partition).int64(timestamp)
    return this.routes.retrying(async () => {
      const leader = await this.routes.leaderConnection(topic, partition)
      const reader = new Reader(await leader.request(2, 2, body.done()), 4)
      const [[offset]] = reader.array(() => {
        reader.string()
        return reader.array(() => {
          reader.int32()
          check(reader.int16(), `offsets of ${topic}-${partition}`)
          reader.int64()
          return reader.int64()
        })
      }) as [[number]]
      return offset
    })
  }

  /** ListOffsets v2 as a debugging replica: the leader's log end, be it replicated or not. */
  logEnd(topic: string, partition: number): Promise<number> {
    return this.#listOffset(topic, partition, -1, { replica: -2, isolation: 'read_uncommitted' })
  }

  /** Both ends of every partition of a topic. */
  async offsets(
    topic: string,
    isolation: Isolation = 'read_uncommitted'
  ): Promise<Map<number, { earliest: number; latest: number }>> {
    const partitions = await this.partitions(topic)
    const ends = partitions.map(async partition => {
      const [earliest, latest] = await Promise.all([
        this.listOffset(topic, partition, 'earliest'),
        this.listOffset(topic, partition, 'latest', isolation)
      ])
      return [partition, { earliest, latest }] as const
    })
    return new Map(await Promise.all(ends))
  }

  /** Fetch v11 of one partition. */
  fetch(request: FetchRequest): Promise<FetchResponse> {
    const { topic, partition } = request
    return this.routes.retrying(async () => {
      const leader = await this.routes.leaderConnection(topic, partition)
      return readFetch(new Reader(await leader.request(1, 11, writeFetch(request))), request)
    })
  }

  /** Produce v7, one request for each leader; every partition's outcome, errors as codes. With acks=0 there is none. */
  async produce(request: ProduceRequest): Promise<Produced[]> {
    const byLeader = new Map<number, [number, Buffer][]>()
    for (const entry of request.batches) {
      const leader = await this.routes.retrying(() => this.routes.leader(request.topic, entry[0]))
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), entry])
    }
    const outcomes = [...byLeader].map(([leader, batches]) =>
      this.#produceTo(leader, request, batches)
    )
    return (await Promise.all(outcomes)).flat()
  }

  /** Produces one batch with acks=all, again after a lost connection (so perhaps twice), and gives its base offset. */
  append(
    topic: string,
    partition: number,
    batch: Buffer,
    transactionalId?: string
  ): Promise<number> {
    return this.routes.retrying(async () => {
      const batches = new Map([[partition, batch]])
      const request = { topic, batches, transactionalId: transactionalId ?? null }
      const [produced] = (await this.produce(request)) as [Produced]
      check(produced.error, `produce to ${topic}-${partition}`)
      return produced.baseOffset
    })
  }

  /** DescribeProducers v0: how many producers the leader of a partition remembers. */
  countProducers(topic: string, partition: number): Promise<number> {
    // topics compact [name compact, partitions compact [i32], tags], tags; lengths are one more than they are
    const name = Buffer.from(topic)
    const head = Buffer.concat([Buffer.from([0, 2, name.length + 1]), name, Buffer.from([2])])
    const body = Buffer.concat([head, new Writer().int32(partition).done(), Buffer.from([0, 0])])
    return this.routes.retrying(async () => {
      const leader = await this.routes.leaderConnection(topic, partition)
      // tags of the header, throttle_time_ms i32, topics [name, partitions [partition i32, error i16, message, ...
      const reader = new Reader(await leader.request(61, 0, body), 1 + 4 + 1 + 1 + name.length + 1)
      reader.int32()
      check(reader.int16(), `producers of ${topic}-${partition}`)
      reader.int8()
      return reader.int8() - 1
    })
  }

  close(): void {
    this.routes.close()
  }

  async #produceTo(
    leader: number,
    { topic, acks = -1, transactionalId = null, timeoutMs = 30_000 }: ProduceRequest,
    batches: [number, Buffer][]
  ): Promise<Produced[]> {
    // transactional_id, acks i16, timeout_ms i32, topics [name, partitions [partition i32, records bytes]]
    const head = new Writer().string(transactionalId).int16(acks).int32(timeoutMs).int32(1)
    const parts = [head.string(topic).int32(batches.length).done()]
    for (const [partition, batch] of batches) {
      parts.push(new Writer().int32(partition).int32(batch.length).done(), batch)
    }
    const connection = await this.routes.node(leader)
    if (acks === 0) {
      await connection.post(0, 7, parts)
      return []
    }
    const reader = new Reader(await connection.request(0, 7, parts))
    const topics = reader.array(() => {
      reader.string()
      return reader.array(() => {
        const partition = reader.int32()
        const error = reader.int16()
        const baseOffset = reader.int64()
        const logAppendTime = reader.int64()
        reader.int64()
        return { partition, error, baseOffset, logAppendTime }
      })
    })
    return topics.flat()
  }
}

function isolationLevel(isolation: Isolation): number {
  return isolation === 'read_committed' ? 1 : 0
}

function writeFetch(request: FetchRequest): Buffer {
  const { topic, partition, offset, maxBytes = 8_388_608, maxWaitMs = 100 } = request
  // replica_id i32, max_wait_ms i32, min_bytes i32, max_bytes i32, isolation_level i8, session_id i32,
  // session_epoch i32, topics [name, partitions [partition i32, current_leader_epoch i32, fetch_offset i64,
  // log_start_offset i64, partition_max_bytes i32]], forgotten_topics, rack_id
  const body = new Writer().int32(-1).int32(maxWaitMs).int32(1).int32(maxBytes)
  body
    .int8(isolationLevel(request.isolation ?? 'read_uncommitted'))
    .int32(0)
    .int32(-1)
  body
    .int32(1)
    .string(topic)
    .int32(1)
    .int32(partition)
    .int32(-1)
    .int64(offset)
    .int64(-1)
    .int32(maxBytes)
  return body.int32(0).string('').done()
}

function readFetch(reader: Reader, { topic, partition }: FetchRequest): FetchResponse {
  reader.int32()
  check(reader.int16(), `fetch of ${topic}-${partition}`)
  reader.int32()
  const [[response]] = reader.array(() => {
    reader.string()
    return reader.array(() => {
      reader.int32()
      check(reader.int16(), `fetch of ${topic}-${partition}`)
      const highWatermark = reader.int64()
      const lastStableOffset = reader.int64()
      const logStartOffset = reader.int64()
      const aborted = reader.array(() => ({
        producerId: reader.int64(),
        firstOffset: reader.int64()
      }))
      reader.int32()
      const records = reader.bytes() ?? Buffer.alloc(0)
      const batches = splitBatches(records).map(readBatch)
      return { highWatermark, lastStableOffset, logStartOffset, aborted, batches }
    })
  }) as [[FetchResponse]]
  return response
}

function readBatch(found: Buffer): RawBatch {
  const bytes = isOldMessage(found) ? rewriteMessage(found) : found
  return { header: readBatchHeader(bytes), bytes, format: found.readInt8(16) }
}

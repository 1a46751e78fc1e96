// Owns the requests of the tests to brokers from before Kafka 0.11, in versions that those have; of one broker.

import { setTimeout as delay } from 'node:timers/promises'
import { splitBatches } from './batch-header.ts'
import { Connection } from './connection.ts'
import { check } from './kafka-error.ts'
import { rewriteMessage } from './old-message-reader.ts'
import { type DecodedRecord, decodeBatch } from './records.ts'
import { Reader, Writer } from './wire.ts'

const topicWithinMs = 30_000
const fetchBytes = 8_388_608

export class OldClient {
  readonly #connection: Promise<Connection>

  constructor(bootstrap: string) {
    const [host, port] = bootstrap.split(':') as [string, string]
    this.#connection = Connection.open(host, Number(port))
    this.#connection.catch(() => {})
  }

  /** With as many partitions as num.partitions says: these brokers make a topic when it is asked for. */
  async makeTopic(topic: string): Promise<number> {
    const deadline = Date.now() + topicWithinMs
    for (;;) {
      const leaders = await this.#leaders(topic)
      if (leaders.length > 0 && leaders.every(leader => leader >= 0)) return leaders.length
      if (Date.now() > deadline) throw new Error(`topic ${topic} does not come`)
      await delay(100)
    }
  }

  /** Produce v2, with acks=all. */
  async append(topic: string, partition: number, messages: Buffer): Promise<void> {
    // acks i16, timeout_ms i32, topics [name, partitions [partition i32, records bytes]]
    const body = new Writer().int16(-1).int32(30_000).int32(1).string(topic).int32(1)
    const reader = await this.#ask(0, 2, body.int32(partition).bytes(messages))
    reader.array(() => {
      reader.string()
      reader.array(() => {
        reader.int32()
        check(reader.int16(), `produce to ${topic}-${partition}`)
        reader.int64()
        reader.int64()
      })
    })
  }

  /** Fetch v2 from the log's first offset to its end. */
  async records(topic: string, partition: number): Promise<DecodedRecord[]> {
    const records: DecodedRecord[] = []
    for (;;) {
      const from = (records.at(-1)?.offset ?? -1) + 1
      const found = await this.#fetch(topic, partition, from)
      if (found.length === 0) return records
      records.push(...found.filter(({ offset }) => offset >= from))
    }
  }

  async close(): Promise<void> {
    await this.#connection.then(
      connection => connection.close(),
      () => {}
    )
  }

  // Metadata v1: topics [name]
  async #leaders(topic: string): Promise<number[]> {
    const reader = await this.#ask(3, 1, new Writer().int32(1).string(topic))
    reader.array(() => [reader.int32(), reader.string(), reader.int32(), reader.nullableString()])
    reader.int32()
    const topics = reader.array(() => {
      reader.int16()
      reader.string()
      reader.bool()
      return reader.array(() => {
        reader.int16()
        reader.int32()
        const leader = reader.int32()
        reader.array(() => reader.int32())
        reader.array(() => reader.int32())
        return leader
      })
    })
    return topics.flat()
  }

  async #fetch(topic: string, partition: number, offset: number): Promise<DecodedRecord[]> {
    // replica_id i32, max_wait_ms i32, min_bytes i32, topics [name, partitions [partition i32, offset i64, max i32]]
    const body = new Writer().int32(-1).int32(0).int32(0).int32(1).string(topic).int32(1)
    const reader = await this.#ask(1, 2, body.int32(partition).int64(offset).int32(fetchBytes))
    reader.int32()
    const [[messages]] = reader.array(() => {
      reader.string()
      return reader.array(() => {
        reader.int32()
        check(reader.int16(), `fetch of ${topic}-${partition}`)
        reader.int64()
        return reader.bytes() ?? Buffer.alloc(0)
      })
    }) as [[Buffer]]
    return splitBatches(messages).flatMap(message => decodeBatch(rewriteMessage(message)).records)
  }

  async #ask(api: number, version: number, body: Writer): Promise<Reader> {
    return new Reader(await (await this.#connection).request(api, version, body.done()))
  }
}

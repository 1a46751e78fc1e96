// Owns the watch on a target topic's log ends: when its first and its last record came. One small request each time,
// so that looking costs the broker nothing that matters.

import { setTimeout as delay } from 'node:timers/promises'
import { check } from '../test/support/kafka-error.ts'
import type { RawClient } from '../test/support/raw-client.ts'
import { Reader, Writer } from '../test/support/wire.ts'
import { monotonicNs } from './process-usage.ts'

const listOffsets = 2
const pollMs = 25
// Answers of thousands of partitions are a load: such topics are asked for less often.
const partitionsPerPollMs = 40

/** The sum of all partitions' log ends; the cluster has one broker. */
export async function sumOfEnds(
  client: RawClient,
  topic: string,
  partitions: number
): Promise<number> {
  // ListOffsets v2: replica_id i32, isolation_level i8, topics [name, partitions [partition i32, timestamp i64]]
  const latest = -1
  const body = new Writer().int32(-1).int8(0).int32(1).string(topic)
  body.array([...Array(partitions).keys()], partition => body.int32(partition).int64(latest))
  // A topic just created has its leaders a moment later.
  return client.routes.retrying(async () => {
    const broker = await client.routes.any()
    const reader = new Reader(await broker.request(listOffsets, 2, body.done()), 4)
    // topics [name, partitions [partition i32, error i16, timestamp i64, offset i64]]
    const ends = reader.array(() => {
      reader.string()
      return reader.array(() => {
        const partition = reader.int32()
        check(reader.int16(), `log end of ${topic}-${partition}`)
        reader.int64()
        return reader.int64()
      })
    })
    return ends.flat().reduce((sum, end) => sum + end, 0)
  })
}

export class EndWatch {
  records = 0
  firstNs = 0
  lastNs = 0
  #isOpen = true
  readonly #done: Promise<void>

  constructor(client: RawClient, topic: string, partitions: number) {
    this.#done = this.#watch(client, topic, partitions)
    this.#done.catch(() => {}) // `close` hands it on
  }

  /** Looks once more and ends the watch. */
  async close(): Promise<void> {
    this.#isOpen = false
    await this.#done
  }

  async #watch(client: RawClient, topic: string, partitions: number): Promise<void> {
    for (let isLast = false; !isLast; ) {
      isLast = !this.#isOpen
      const records = await sumOfEnds(client, topic, partitions)
      if (records > this.records) {
        const now = monotonicNs()
        if (this.firstNs === 0) this.firstNs = now
        this.lastNs = now
        this.records = records
      }
      if (!isLast) await delay(Math.max(pollMs, partitions / partitionsPerPollMs))
    }
  }
}

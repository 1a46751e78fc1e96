// Reads batches of many partitions of a cluster: wishes of many streams go out together, in a few calls at a time.

import { setTimeout as delay } from 'node:timers/promises'
import { describeFailure, KafkaError } from '../errors.ts'
import type { Cluster, Isolation, PartitionBatches, TopicPartition } from '../native/index.ts'

/** Two calls on each side keep a broker busy while an answer is on its way, and all threads of libuv in work. */
const callsAtOnce = 2
const callBytes = 8 * 1_048_576
const mostPartitions = 500
const timeoutMs = 30_000
const tries = 8
const firstPauseMs = 100

export interface Position extends TopicPartition {
  offset: number
}

interface Wish {
  position: Position
  bytes: number
  resolve: (batches: PartitionBatches) => void
  reject: (error: unknown) => void
  tried: number
}

export class BatchReader {
  /** Of all answers, as they came. */
  bytes = 0
  readonly #cluster: Pick<Cluster, 'readBatches'>
  /** For messages: `source "east"`. */
  readonly side: string
  readonly #isolation: Isolation
  readonly #wishes: Wish[] = []
  #calls = 0

  constructor(cluster: Pick<Cluster, 'readBatches'>, side: string, isolation: Isolation) {
    this.#cluster = cluster
    this.side = side
    this.#isolation = isolation
  }

  /** Whole batches from the offset on, about so many bytes. Fails with a KafkaError that names side and partition. */
  read(position: Position, bytes: number): Promise<PartitionBatches> {
    return new Promise((resolve, reject) => {
      this.#want({ position, bytes, resolve, reject, tried: 0 })
    })
  }

  #want(wish: Wish): void {
    this.#wishes.push(wish)
    // Streams that wake up together ask together.
    if (this.#wishes.length === 1) setImmediate(() => this.#send())
  }

  #send(): void {
    while (this.#calls < callsAtOnce && this.#wishes.length > 0) {
      this.#calls++
      void this.#call(this.#take()).finally(() => {
        this.#calls--
        this.#send()
      })
    }
  }

  /** The longest waiting, with as many others as fit into a call of their size. */
  #take(): Wish[] {
    const taken: Wish[] = []
    let bytes = 0
    for (let [next] = this.#wishes; next; [next] = this.#wishes) {
      if (taken.length > 0 && (bytes + next.bytes > callBytes || taken.length >= mostPartitions)) {
        break
      }
      bytes += next.bytes
      taken.push(next)
      this.#wishes.shift()
    }
    return taken
  }

  async #call(wishes: readonly Wish[]): Promise<void> {
    const positions = wishes.map(({ position }) => position)
    const bytes = Math.max(...wishes.map(wish => wish.bytes))
    try {
      const found = await this.#cluster.readBatches(positions, bytes, this.#isolation, timeoutMs)
      for (const [index, wish] of wishes.entries()) this.#answer(wish, found[index])
    } catch (error) {
      const cause = describeFailure(`${this.side}: read batches`, error)
      for (const wish of wishes) this.#retry(wish, cause)
    }
  }

  #answer(wish: Wish, found: PartitionBatches | undefined): void {
    if (!found?.failure) {
      this.bytes += found?.bytes.byteLength ?? 0
      wish.resolve(found as PartitionBatches)
      return
    }
    const { topic, partition, offset } = wish.position
    const what = `${this.side}: read ${topic}-${partition} from offset ${offset} on`
    this.#retry(wish, new KafkaError(what, found.failure))
  }

  #retry(wish: Wish, error: unknown): void {
    const isPassing = error instanceof KafkaError && error.retriable
    wish.tried++
    if (!isPassing || wish.tried >= tries) return wish.reject(error)
    void delay(firstPauseMs * 2 ** wish.tried).then(() => this.#want(wish))
  }
}

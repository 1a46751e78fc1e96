// One client that writes to a scratch topic, and what it says of itself: what has left its queue, bytes, times, troubles.

import Kafka from 'node-rdkafka'
import { RunError } from '../errors.ts'
import { describeUndelivered } from './refusals.ts'
import type { OpenSide } from './scratch-topic.ts'
import type { Load } from './types.ts'

/** What moved since the client was opened. */
export interface Sent {
  /** Acknowledged. */
  records: number
  /** Of all requests. */
  wireBytes: number
}

/** Requests that were answered since the last time. */
export interface Answered {
  averageMs: number
  maxMs: number
  count: number
}

interface Statistics {
  msg_cnt: number
  tx_bytes: number
  /** Microseconds. */
  brokers: Record<string, { rtt: { avg: number; max: number; cnt: number } }>
}

const statisticsMs = 200
const connectMs = 15_000
const pollMs = 5
const lingerMs = 50
const queueKilobytes = 65_536
// What a topic takes when nobody has said otherwise.
const mostBytes = 1_048_588
// The order does not matter here, so requests need not wait for one another.
const mostInFlight = 1_000
const queueFull = Kafka.CODES.ERRORS.ERR__QUEUE_FULL

export class Producer {
  readonly #client: Kafka.Producer
  readonly #side: OpenSide
  readonly #onAnswered: (answered: Answered) => void
  #offered = 0
  #queued = 0
  #wireBytes = 0
  #isClosed = false
  #refusal: Kafka.LibrdKafkaError | undefined
  #trouble: string | undefined
  #wake: () => void = () => {}

  private constructor(side: OpenSide, load: Load, onAnswered: (answered: Answered) => void) {
    this.#side = side
    this.#onAnswered = onAnswered
    const properties = {
      ...side.connection,
      'compression.codec': 'lz4' as const,
      'batch.size': load.batchBytes,
      'batch.num.messages': 1_000_000,
      'message.max.bytes': mostBytes,
      'linger.ms': lingerMs,
      'queue.buffering.max.kbytes': queueKilobytes,
      'max.in.flight.requests.per.connection': mostInFlight,
      'statistics.interval.ms': statisticsMs,
      // Each record would be told of; those that were taken are known from the queue.
      'delivery.report.only.error': true,
      dr_cb: true
    }
    this.#client = new Kafka.Producer(properties, { acks: -1 })
    this.#client.on('event.error', error => {
      this.#trouble = error.message
    })
    this.#client.on('delivery-report', error => {
      this.#refusal ??= error
    })
    this.#client.on('event.stats', ({ message }) => this.#take(JSON.parse(message)))
  }

  /** Fails with a RunError when the cluster cannot be reached. */
  static async open(
    side: OpenSide,
    load: Load,
    onAnswered: (answered: Answered) => void
  ): Promise<Producer> {
    const producer = new Producer(side, load, onAnswered)
    await producer.#connect()
    return producer
  }

  get sent(): Sent {
    return { records: this.#offered - this.#queued, wireBytes: this.#wireBytes }
  }

  /** What the client has complained of last. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** False when the queue is full. */
  offer(topic: string, partition: number, value: Buffer): boolean {
    try {
      this.#client.produce(topic, partition, value)
    } catch (error) {
      if ((error as Kafka.LibrdKafkaError).code === queueFull) return false
      throw error
    }
    this.#offered++
    this.#queued++
    return true
  }

  /** Throws a RunError when a record was refused for good. */
  check(topic: string): void {
    if (!this.#refusal) return
    throw new RunError(describeUndelivered(this.#side, topic, this.#refusal.message))
  }

  /** Waits for all that was offered; false when it is not done within the time. */
  async flush(limitMs: number): Promise<boolean> {
    const isDone = await new Promise<boolean>(resolve =>
      this.#client.flush(limitMs, error => resolve(!error))
    )
    if (isDone) this.#queued = 0
    return isDone
  }

  /** Resolves when the client has told of itself once more. */
  told(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  /** What is still in the queue is given up soon. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#client.setPollInterval(0)
    await new Promise<void>(resolve => this.#client.disconnect(100, () => resolve()))
  }

  async #connect(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) =>
        this.#client.connect({ timeout: connectMs }, error => (error ? reject(error) : resolve()))
      )
    } catch (error) {
      const { side, alias } = this.#side
      const why = this.#trouble ?? (error instanceof Error ? error.message : String(error))
      throw new RunError(`${side} "${alias}": a producer cannot connect: ${why}`, { cause: error })
    }
    this.#client.setPollInterval(pollMs)
  }

  #take({ msg_cnt: queued, tx_bytes: wireBytes, brokers }: Statistics): void {
    this.#queued = queued
    this.#wireBytes = wireBytes
    for (const { rtt } of Object.values(brokers)) {
      if (rtt.cnt === 0) continue
      this.#onAnswered({ averageMs: rtt.avg / 1_000, maxMs: rtt.max / 1_000, count: rtt.cnt })
    }
    this.#wake()
  }
}

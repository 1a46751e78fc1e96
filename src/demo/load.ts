// Makes records that look like a web shop's events and writes them to the source.

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import Kafka from 'node-rdkafka'
import { RunError } from '../errors.ts'
import type { Ledger } from './ledger.ts'

export interface LoadOptions {
  bootstrapServers: string
  topic: string
  partitions: number
  ledger: Ledger
}

// The client's queue is full: the events loop has to turn before it takes more.
const queueFull = -184
const mostWaitMs = 20_000

export class Load {
  readonly #producer: Kafka.Producer
  readonly #options: LoadOptions
  #made = 0
  // Half of a record is noise, so that it compresses about as well as real events do.
  readonly #noise = randomBytes(1 << 20).toString('hex')

  private constructor(producer: Kafka.Producer, options: LoadOptions) {
    this.#producer = producer
    this.#options = options
  }

  static async open(options: LoadOptions): Promise<Load> {
    const producer = new Kafka.Producer(
      {
        'bootstrap.servers': options.bootstrapServers,
        'compression.codec': 'lz4',
        'enable.idempotence': true,
        'batch.size': 262_144,
        'linger.ms': 20,
        'queue.buffering.max.kbytes': 65_536
      },
      {}
    )
    await new Promise<void>((resolve, reject) =>
      producer.connect({}, error => (error ? reject(error) : resolve()))
    )
    // What is delivered leaves the queue only when it is polled for.
    producer.setPollInterval(5)
    return new Load(producer, options)
  }

  /** Writes so many records to each partition and waits until the source has them. */
  async write(recordsPerPartition: number): Promise<void> {
    const { partitions } = this.#options
    for (let round = 0; round < recordsPerPartition; round++) {
      for (let partition = 0; partition < partitions; partition++) await this.#writeOne(partition)
    }
    await new Promise<void>((resolve, reject) =>
      this.#producer.flush(30_000, error => (error ? reject(error) : resolve()))
    )
  }

  async close(): Promise<void> {
    this.#producer.setPollInterval(0)
    await new Promise<void>(resolve => this.#producer.disconnect(() => resolve()))
  }

  async #writeOne(partition: number): Promise<void> {
    const { topic, ledger } = this.#options
    const key = Buffer.from(`order-${this.#made}`)
    const value = this.#event()
    const timestamp = Date.now()
    const deadline = timestamp + mostWaitMs
    while (!this.#offer(topic, partition, value, key, timestamp)) {
      if (Date.now() > deadline)
        throw new RunError(`the source took no record for ${mostWaitMs} ms`)
      await sleep(1)
    }
    ledger.enter(partition, key, value, timestamp)
  }

  #offer(topic: string, partition: number, value: Buffer, key: Buffer, timestamp: number): boolean {
    try {
      this.#producer.produce(topic, partition, value, key, timestamp)
      return true
    } catch (error) {
      if ((error as Kafka.LibrdKafkaError).code === queueFull) return false
      throw error
    }
  }

  #event(): Buffer {
    const number = this.#made++
    const at = (number * 977) % (this.#noise.length - 600)
    const event = {
      order: number,
      at: new Date().toISOString(),
      customer: { id: number % 5_000, name: 'Ada Lovelace', city: 'London', tier: 'gold' },
      items: [
        {
          sku: `sku-${number % 700}`,
          title: 'Lens, plano-convex, 50 mm',
          quantity: 2,
          cents: 1_990
        },
        {
          sku: `sku-${number % 300}`,
          title: 'Mirror, first surface, 100 mm',
          quantity: 1,
          cents: 12_500
        }
      ],
      payment: { method: 'card', status: 'authorised', currency: 'EUR' },
      trace: this.#noise.slice(at, at + 560)
    }
    return Buffer.from(JSON.stringify(event))
  }
}

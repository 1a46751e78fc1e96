// Reads the target as anybody would, with a client of its own, and keeps a ledger of it.

import { setTimeout as sleep } from 'node:timers/promises'
import Kafka from 'node-rdkafka'
import { Ledger } from './ledger.ts'

export interface ReaderOptions {
  bootstrapServers: string
  topic: string
  partitions: number
}

export class Reader {
  readonly ledger: Ledger
  readonly #consumer: Kafka.KafkaConsumer

  private constructor(consumer: Kafka.KafkaConsumer, partitions: number) {
    this.#consumer = consumer
    this.ledger = new Ledger(partitions)
    consumer.on('data', ({ partition, key, value, timestamp }) => {
      const bytes = typeof key === 'string' ? Buffer.from(key) : (key ?? null)
      this.ledger.enter(partition, bytes, value, timestamp ?? -1)
    })
  }

  static async open({ bootstrapServers, topic, partitions }: ReaderOptions): Promise<Reader> {
    const consumer = new Kafka.KafkaConsumer(
      {
        'bootstrap.servers': bootstrapServers,
        'group.id': 'demo-reader',
        'enable.auto.commit': false,
        // The mirror changes batch headers, so their checksums are worth a look.
        'check.crcs': true,
        'fetch.wait.max.ms': 20
      },
      { 'auto.offset.reset': 'earliest' }
    )
    await new Promise<void>((resolve, reject) =>
      consumer.connect({}, error => (error ? reject(error) : resolve()))
    )
    const reader = new Reader(consumer, partitions)
    consumer.assign(
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 }))
    )
    consumer.consume()
    return reader
  }

  /** Waits until that many records are read; false when they do not come within the time. */
  async reach(records: number, timeoutMs: number): Promise<boolean> {
    const deadline = Date.now() + timeoutMs
    while (this.ledger.records < records) {
      if (Date.now() > deadline) return false
      await sleep(10)
    }
    return true
  }

  async close(): Promise<void> {
    await new Promise<void>(resolve => this.#consumer.disconnect(() => resolve()))
  }
}

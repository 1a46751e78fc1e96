// Owns the raw requests of producers with an id of their own, and of their transactions.

import { check } from './kafka-error.ts'
import type { Routes } from './routes.ts'
import { Reader, Writer } from './wire.ts'

export type ProducerIdentity = { producerId: number; producerEpoch: number }
export type Transaction = ProducerIdentity & { transactionalId: string }

export class RawTransactions {
  readonly #routes: Routes

  constructor(routes: Routes) {
    this.#routes = routes
  }

  /** InitProducerId v1: an idempotent producer, or with a transactional id one that may start transactions. */
  initProducerId(
    transactionalId: string | null = null,
    timeoutMs = 60_000
  ): Promise<ProducerIdentity> {
    const body = new Writer().string(transactionalId).int32(timeoutMs).done()
    return this.#routes.retrying(async () => {
      const connection =
        transactionalId === null
          ? await this.#routes.any()
          : await this.#routes.coordinator(transactionalId, 1)
      const reader = new Reader(await connection.request(22, 1, body), 4)
      check(reader.int16(), `producer id of ${transactionalId}`)
      return { producerId: reader.int64(), producerEpoch: reader.int16() }
    })
  }

  /** AddPartitionsToTxn v1: has to come before the first batch to a partition in a transaction. */
  addPartitions(transaction: Transaction, topic: string, partitions: number[]): Promise<void> {
    const body = new Writer().string(transaction.transactionalId).int64(transaction.producerId)
    body.int16(transaction.producerEpoch).int32(1).string(topic)
    body.array(partitions, partition => body.int32(partition))
    return this.#routes.retrying(async () => {
      const coordinator = await this.#routes.coordinator(transaction.transactionalId, 1)
      const reader = new Reader(await coordinator.request(24, 1, body.done()), 4)
      reader.array(() => {
        reader.string()
        reader.array(() => {
          const partition = reader.int32()
          check(reader.int16(), `add ${topic}-${partition} to ${transaction.transactionalId}`)
        })
      })
    })
  }

  /** EndTxn v1. */
  end(transaction: Transaction, outcome: 'commit' | 'abort'): Promise<void> {
    const body = new Writer().string(transaction.transactionalId).int64(transaction.producerId)
    body.int16(transaction.producerEpoch).bool(outcome === 'commit')
    return this.#routes.retrying(async () => {
      const coordinator = await this.#routes.coordinator(transaction.transactionalId, 1)
      const reader = new Reader(await coordinator.request(26, 1, body.done()), 4)
      check(reader.int16(), `${outcome} of ${transaction.transactionalId}`)
    })
  }
}

// Owns the load on one topic of a soak: numbered records, each committed once on the source through every fault there.

import { setTimeout as delay } from 'node:timers/promises'
import { insist } from '../support/insist.ts'
import { RawClient } from '../support/raw-client.ts'
import type { Transaction } from '../support/raw-transactions.ts'
import { encodeBatch } from '../support/records.ts'
import { recordOf, type Shape } from './shapes.ts'

export type Load = {
  shape: Shape
  /** Records that consumers of committed data see, as far as it was acknowledged. */
  readonly records: number
  /** Finishes the round under way. */
  stop(): Promise<void>
}

const abortEvery = 3

export async function startSoakLoad(bootstrap: string, shape: Shape): Promise<Load> {
  const { topic, partitions, batchRecords, codecs, everyMs } = shape
  const client = new RawClient(bootstrap)
  const transactionalId = shape.isTransactional === true ? topic : null
  const producer = await client.transactions.initProducerId(transactionalId)
  const lanes = Array.from({ length: partitions }, (_, partition) => partition)
  let isStopped = false
  let records = 0

  const writeRound = async (round: number, first: number): Promise<void> => {
    // One batch on its way to each partition: the broker knows any repeat of it.
    const baseSequence = round * batchRecords
    const identity = { ...producer, baseSequence, isTransactional: transactionalId !== null }
    const codec = codecs[round % codecs.length] as (typeof codecs)[number]
    const writes = lanes.map(partition => {
      const inputs = Array.from({ length: batchRecords }, (_, place) =>
        recordOf(shape, partition, first + place)
      )
      const batch = encodeBatch(inputs, { codec, ...identity })
      return insist(() => client.append(topic, partition, batch, transactionalId ?? undefined))
    })
    await Promise.all(writes)
  }

  /** Gives whether its records count: what was aborted is written again, under the same numbers. */
  const transactRound = async (round: number, first: number): Promise<boolean> => {
    const transaction: Transaction = { transactionalId: transactionalId as string, ...producer }
    await insist(() => client.transactions.addPartitions(transaction, topic, lanes))
    await writeRound(round, first)
    const isCommit = round % abortEvery !== 0
    await insist(() => client.transactions.end(transaction, isCommit ? 'commit' : 'abort'))
    return isCommit
  }

  const run = async (): Promise<void> => {
    for (let round = 0, first = 0; !isStopped; round++) {
      const pausing = delay(everyMs)
      const isVisible =
        transactionalId === null
          ? await writeRound(round, first).then(() => true)
          : await transactRound(round, first)
      if (isVisible) {
        first += batchRecords
        records += batchRecords * partitions
      }
      await pausing
    }
  }
  const running = run().finally(() => client.close())
  // Told by stop(): until then a failure must not end the process.
  running.catch(() => undefined)
  return {
    shape,
    get records() {
      return records
    },
    stop() {
      isStopped = true
      return running
    }
  }
}

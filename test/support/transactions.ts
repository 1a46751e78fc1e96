// Owns transactional loads: committed, aborted, interleaved and left open.

import type { Codec } from './batch-header.ts'
import { RawClient } from './raw-client.ts'
import type { Transaction } from './raw-transactions.ts'
import { encodeBatch } from './records.ts'

export type TransactionsOptions = {
  partitions?: number
  /** Transactions one after the other, each of a producer of its own; some run side by side. */
  transactions: number
  /** Which of them abort: every so-many-th one; 0 is none. */
  abortEvery?: number
  batchesPerPartition?: number
  batchRecords?: number
  codec?: Codec
  /** Transactions that are open at the same time, their batches alternating. */
  interleaved?: number
  /** Leaves the last transaction open, so that the last stable offset stays before it. */
  leaveOpen?: boolean
}

export type TransactionsDone = {
  committedRecords: number
  abortedRecords: number
  openRecords: number
  /** Of the transaction left open. */
  open: Transaction | undefined
}

/** Transactional batches in every partition: committed, aborted and interleaved. */
export async function produceTransactions(
  bootstrap: string,
  topic: string,
  options: TransactionsOptions
): Promise<TransactionsDone> {
  const { transactions, interleaved = 1, leaveOpen = false } = options
  const client = new RawClient(bootstrap)
  const done: TransactionsDone = {
    committedRecords: 0,
    abortedRecords: 0,
    openRecords: 0,
    open: undefined
  }
  try {
    const partitions = (await client.partitions(topic)).slice(0, options.partitions)
    for (let first = 0; first < transactions; first += interleaved) {
      const count = Math.min(interleaved, transactions - first)
      const numbers = Array.from({ length: count }, (_, place) => first + place)
      const open = await Promise.all(numbers.map(() => begin(client, topic, partitions)))
      const records = await writeInTurn(client, topic, partitions, open, options)
      for (const [place, transaction] of open.entries()) {
        const number = first + place
        if (leaveOpen && number === transactions - 1) {
          done.openRecords += records
          done.open = transaction
        } else if (isAborted(number, options.abortEvery ?? 2)) {
          await client.transactions.end(transaction, 'abort')
          done.abortedRecords += records
        } else {
          await client.transactions.end(transaction, 'commit')
          done.committedRecords += records
        }
      }
    }
    if (done.open === undefined) await untilStable(client, topic, partitions)
    return done
  } finally {
    client.close()
  }
}

type OpenTransaction = Transaction & { sequences: Map<number, number> }

let transactionNumber = 0

async function begin(
  client: RawClient,
  topic: string,
  partitions: number[]
): Promise<OpenTransaction> {
  const transactionalId = `${topic}-${process.pid}-${transactionNumber++}`
  const identity = await client.transactions.initProducerId(transactionalId)
  const transaction = { transactionalId, ...identity, sequences: new Map<number, number>() }
  await client.transactions.addPartitions(transaction, topic, partitions)
  return transaction
}

/** Gives the records that each of the transactions wrote. */
async function writeInTurn(
  client: RawClient,
  topic: string,
  partitions: number[],
  open: OpenTransaction[],
  { batchesPerPartition = 2, batchRecords = 10, codec = 'lz4' }: TransactionsOptions
): Promise<number> {
  for (let round = 0; round < batchesPerPartition; round++) {
    for (const transaction of open) {
      for (const partition of partitions) {
        const baseSequence = transaction.sequences.get(partition) ?? 0
        transaction.sequences.set(partition, baseSequence + batchRecords)
        const inputs = Array.from({ length: batchRecords }, (_, place) => ({
          key: transaction.transactionalId,
          value: `${baseSequence + place}`
        }))
        const { producerId, producerEpoch } = transaction
        const identity = { producerId, producerEpoch, baseSequence, isTransactional: true }
        const batch = encodeBatch(inputs, { codec, ...identity })
        await client.append(topic, partition, batch, transaction.transactionalId)
      }
    }
  }
  return batchesPerPartition * batchRecords * partitions.length
}

function isAborted(number: number, abortEvery: number): boolean {
  return abortEvery > 0 && number % abortEvery === abortEvery - 1
}

/** EndTxn answers before its markers are in the partitions: waits until the last stable offset has passed them. */
async function untilStable(client: RawClient, topic: string, partitions: number[]): Promise<void> {
  const deadline = Date.now() + 30_000
  for (const partition of partitions) {
    for (;;) {
      const latest = await client.listOffset(topic, partition, 'latest')
      const { lastStableOffset } = await client.fetch({
        topic,
        partition,
        offset: latest,
        maxWaitMs: 20
      })
      if (lastStableOffset === latest) break
      if (Date.now() > deadline) throw new Error(`${topic}-${partition}: transactions stay open`)
    }
  }
}

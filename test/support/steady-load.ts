// Owns a load that goes on while something else happens: numbered records, batch after batch, through broker restarts.

import { setTimeout as delay } from 'node:timers/promises'
import { numberedRecord } from './corpus.ts'
import { insist } from './insist.ts'
import { RawClient } from './raw-client.ts'
import { encodeBatch } from './records.ts'

export type SteadyLoad = {
  /** Records written so far. */
  readonly records: number
  /** Finishes the batches under way; may be called more than once. */
  stop(): Promise<void>
}

export type SteadyLoadOptions = {
  batchRecords?: number
  recordBytes?: number
  /** Least time between two rounds, each a batch for every partition. */
  everyMs?: number
  /** How old the records claim to be. */
  ageMs?: number
  /** Each batch is once in the source, whatever is lost on the way. */
  isIdempotent?: boolean
}

/**
 * A lost connection is tried again, so unless the load is idempotent a batch can be twice in the source: what counts is
 * that the target is the same.
 */
export async function startLoad(
  bootstrap: string,
  topic: string,
  {
    batchRecords = 50,
    recordBytes = 200,
    everyMs = 5,
    ageMs = 0,
    isIdempotent = false
  }: SteadyLoadOptions = {}
): Promise<SteadyLoad> {
  const client = new RawClient(bootstrap)
  const partitions = await client.partitions(topic)
  const producer = isIdempotent ? await client.transactions.initProducerId() : {}
  let isStopped = false
  let records = 0
  const writeRound = async (first: number): Promise<void> => {
    const numbers = Array.from({ length: batchRecords }, (_, place) => first + place)
    const identity = isIdempotent ? { ...producer, baseSequence: first } : {}
    const writes = partitions.map(async partition => {
      const timestamp = Date.now() - ageMs
      const inputs = numbers.map(number => ({
        ...numberedRecord(partition, number, recordBytes),
        timestamp
      }))
      const batch = encodeBatch(inputs, { codec: 'lz4', ...identity })
      await insist(() => client.append(topic, partition, batch))
      records += batchRecords
    })
    await Promise.all([...writes, delay(everyMs)])
  }
  const run = async (): Promise<void> => {
    for (let first = 0; !isStopped; first += batchRecords) await writeRound(first)
  }
  const running = run().finally(() => client.close())
  // Told by stop(): until then a failure must not end the test process.
  running.catch(() => undefined)
  return {
    get records() {
      return records
    },
    stop() {
      isStopped = true
      return running
    }
  }
}

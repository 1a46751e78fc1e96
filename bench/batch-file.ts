// Owns the batch that a stub source repeats: what librdkafka's own producer makes of sample records, caught by a
// stub target, with as many records as bring its compressed size nearest to the one asked for. Zstandard, which
// librdkafka may be built without, is the exception.

import { once } from 'node:events'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Kafka from 'node-rdkafka'
import { readBatchHeader } from '../test/support/batch-header.ts'
import { encodeBatch } from '../test/support/records.ts'
import { cacheFolder } from './cache-folder.ts'
import { recordValues } from './records.ts'
import type { StubScenario } from './scenarios.ts'
import { StubBroker } from './stub-broker.ts'

export interface BatchFile {
  path: string
  bytes: number
  records: number
}

// A guess at the compressed share of a record; each try corrects it.
const firstRatio = 0.5
const tries = 4
const goodEnough = 0.01
const topic = 'capture'

// A target forgets a producer by its records' times, a day by default, and a mirror minds that: batches of
// yesterday travel one at a time. The data is to look like today's.
const freshMs = 12 * 3_600_000

/** Made when there is none of today, and kept in the cache folder. */
export async function batchFile(scenario: StubScenario): Promise<BatchFile> {
  const { codec, recordBytes, batchBytes } = scenario
  const path = join(await cacheFolder(), `batch-${codec}-${recordBytes}-${batchBytes}.bin`)
  const made = await stat(path).catch(() => undefined)
  if (made && Date.now() - made.mtimeMs < freshMs) return describe(path, await readFile(path))
  const batch = await nearestBatch(scenario)
  // Two benches may make it at once: a whole file appears, and either serves.
  const partial = `${path}.${process.pid}`
  await writeFile(partial, batch)
  await rename(partial, path)
  return describe(path, batch)
}

function describe(path: string, batch: Buffer): BatchFile {
  return { path, bytes: batch.length, records: readBatchHeader(batch).recordCount }
}

async function nearestBatch(scenario: StubScenario): Promise<Buffer> {
  const { recordBytes, batchBytes } = scenario
  const missBy = (batch: Buffer) => Math.abs(batch.length / batchBytes - 1)
  let records = Math.max(1, Math.round(batchBytes / (recordBytes * firstRatio)))
  let best = await makeBatch(scenario, records)
  for (let last = best, left = tries; left > 0 && missBy(best) > goodEnough; left--) {
    records = Math.max(1, Math.round((records * batchBytes) / last.length))
    last = await makeBatch(scenario, records)
    if (missBy(last) < missBy(best)) best = last
  }
  return best
}

async function makeBatch(scenario: StubScenario, records: number): Promise<Buffer> {
  const { codec, recordBytes } = scenario
  if (codec !== 'zstd') return capture(scenario, records)
  const values = recordValues(records, recordBytes).map(value => ({ value }))
  return encodeBatch(values, { codec })
}

async function capture(scenario: StubScenario, records: number): Promise<Buffer> {
  const file = join(await cacheFolder(), `capture-${process.pid}.bin`)
  const stub = await StubBroker.start({ role: 'target', topic, capture: file, check: 'crc' })
  try {
    await produceOneBatch(stub.address, scenario, records)
    return await readFile(file)
  } finally {
    await stub.close()
    await rm(file, { force: true })
  }
}

async function produceOneBatch(
  bootstrap: string,
  { codec, recordBytes }: StubScenario,
  records: number
): Promise<void> {
  const producer = new Kafka.Producer({
    'bootstrap.servers': bootstrap,
    'compression.codec': codec,
    'batch.num.messages': records,
    // All limits but the number of records are out of the way.
    'batch.size': 100_000_000,
    'message.max.bytes': 100_000_000,
    'linger.ms': 1_000,
    dr_cb: true
  })
  producer.setPollInterval(20)
  const ready = once(producer, 'ready')
  producer.connect()
  await ready
  for (const record of recordValues(records, recordBytes)) {
    producer.produce(topic, 0, Buffer.from(record))
  }
  await new Promise<void>((resolve, reject) =>
    producer.flush(10_000, error => (error ? reject(error) : resolve()))
  )
  await new Promise<void>(resolve => producer.disconnect(() => resolve()))
}

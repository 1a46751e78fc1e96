// Owns telling whether a target topic is the union of topics of one name at several sources, each in its own order.

import { RawClient, withClient } from './raw-client.ts'
import { encodeBatch } from './records.ts'
import { forEachRecord, readBatches } from './topic-reader.ts'
import { VarintReader } from './varint.ts'

export type NamedLoad = {
  /** Finishes the round under way; may be called more than once. */
  stop(): Promise<void>
}

/** Writes records whose keys begin with a name, to every partition of some topics, until it is stopped. */
export async function startNamedLoad(
  bootstrap: string,
  name: string,
  topics: readonly string[],
  { batchRecords = 20, everyMs = 25 } = {}
): Promise<NamedLoad> {
  const client = new RawClient(bootstrap)
  const lanes: [string, number][] = []
  for (const topic of topics) {
    for (const partition of await client.partitions(topic)) lanes.push([topic, partition])
  }
  let isStopped = false
  const run = async (): Promise<void> => {
    for (let first = 0; !isStopped; first += batchRecords) {
      const batch = namedBatch(name, first, batchRecords)
      await Promise.all(lanes.map(([topic, partition]) => client.append(topic, partition, batch)))
      await new Promise(resolve => setTimeout(resolve, everyMs))
    }
  }
  const running = run().finally(() => client.close())
  // Told by stop(): until then a failure must not end the test process.
  running.catch(() => undefined)
  return {
    stop() {
      isStopped = true
      return running
    }
  }
}

export function namedBatch(name: string, first: number, records: number): Buffer {
  const inputs = Array.from({ length: records }, (_, place) => ({
    key: `${name}:${first + place}`,
    value: `${name} ${first + place} `.padEnd(200, 'x')
  }))
  return encodeBatch(inputs, { codec: 'lz4' })
}

export type Gathered = {
  /** What is wrong with the target, in sentences; empty when it is the union. */
  differences: string[]
  records: number
  /** By the name that keys begin with: the producer ids of its batches on the target. */
  producerIds: Map<string, Set<number>>
}

/** Partition by partition: the target has each source's records exactly once and in that source's order. */
export async function compareGathered(
  sources: readonly { name: string; bootstrap: string }[],
  target: string,
  topic: string
): Promise<Gathered> {
  const differences: string[] = []
  const producerIds = new Map(sources.map(({ name }) => [name, new Set<number>()]))
  const wanted = await Promise.all(
    sources.map(async ({ name, bootstrap }) => ({ name, lanes: await readLanes(bootstrap, topic) }))
  )
  const found = await readLanes(target, topic, producerIds)
  const size = Math.max(...wanted.map(({ lanes }) => lanes.length))
  if (found.length !== size) differences.push(`${found.length} partitions in place of ${size}`)
  let records = 0
  for (const [partition, bodies] of found.entries()) {
    records += bodies.length
    const all = wanted.map(({ name, lanes }) => ({ name, bodies: lanes[partition] ?? [] }))
    for (const { name, bodies: theirs } of all) {
      const ours = bodies.filter(body => body.startsWith(`${name}:`))
      const at = theirs.findIndex((body, index) => body !== ours[index])
      if (ours.length === theirs.length && at < 0) continue
      const where = `${topic}-${partition}, records of ${name}`
      differences.push(`${where}: ${ours.length} of ${theirs.length}, first difference at ${at}`)
    }
    const sum = all.reduce((total, { bodies: theirs }) => total + theirs.length, 0)
    if (sum !== bodies.length) {
      differences.push(`${topic}-${partition}: ${bodies.length} records in place of ${sum}`)
    }
  }
  return { differences, records, producerIds }
}

/** By partition, in order: each record as its key, its time stamp and all of its bytes. */
async function readLanes(
  bootstrap: string,
  topic: string,
  producerIds?: ReadonlyMap<string, Set<number>>
): Promise<string[][]> {
  return withClient(bootstrap, async client => {
    const partitions = await client.partitions(topic)
    const lanes = partitions.map(async partition => {
      const bodies: string[] = []
      for await (const batch of readBatches(client, topic, partition)) {
        forEachRecord(batch, (_, timestamp, body, start, end) => {
          const key = readKey(body, start)
          bodies.push(`${key} ${timestamp} ${body.toString('latin1', start, end)}`)
          producerIds?.get(key.split(':', 1)[0] as string)?.add(batch.header.producerId)
        })
      }
      return bodies
    })
    return await Promise.all(lanes)
  })
}

function readKey(body: Buffer, start: number): string {
  const reader = new VarintReader(body, start)
  const length = reader.next()
  return body.toString('utf8', reader.at, reader.at + length)
}

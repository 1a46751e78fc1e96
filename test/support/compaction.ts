// Owns what a broker's log cleaner leaves behind: topics that it works on at once, and the wait until it has.
// Brokers look for work every `log.cleaner.backoff.ms`, 15 s unless told otherwise.

import type { Codec } from './batch-header.ts'
import type { RawClient } from './raw-client.ts'
import { encodeBatch } from './records.ts'
import { readBatches } from './topic-reader.ts'
import { waitFor } from './wait.ts'

export const compactedConfigs = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': 0.001,
  'segment.ms': 100
}

/** Batches in partition 0 of which compaction takes every other record. Gives where the first of them begins. */
export async function makeHoles(client: RawClient, topic: string, codec: Codec): Promise<number> {
  const before = await countRecords(client, topic)
  for (const batch of repeatedKeys(codec)) await client.append(topic, 0, batch)
  await untilCompacted(client, topic, records => records === before + 40)
  for await (const { header } of readBatches(client, topic, 0)) {
    if (header.recordCount !== header.lastOffsetDelta + 1) return header.baseOffset
  }
  throw new Error(`${topic}-0 has no holes`)
}

/**
 * In partition 0 all that compaction makes: holes, a batch without records that is kept for its producer's last
 * sequence, and tombstones in a batch that has the time of their removal in place of its base timestamp.
 */
export async function makeCompacted(client: RawClient, topic: string, codec: Codec): Promise<void> {
  const producer = await client.transactions.initProducerId()
  const keys = ['dead', 'gone', 'left']
  const valued = keys.map(key => ({ key, value: 'until it is replaced' }))
  await client.append(topic, 0, encodeBatch(valued, { codec, ...producer, baseSequence: 0 }))
  const last = [
    { key: 'dead', value: null },
    { key: 'gone', value: null, headers: [['why', null]] satisfies [string, null][] },
    { key: 'left', value: 'for good' }
  ]
  await client.append(topic, 0, encodeBatch(last, { codec }))
  for (const batch of repeatedKeys(codec)) await client.append(topic, 0, batch)
  await untilCompacted(client, topic, records => records === 43)
  const found = { holes: 0, empty: 0, horizons: 0 }
  for await (const { header } of readBatches(client, topic, 0)) {
    if (header.recordCount === 0) found.empty++
    else if (header.recordCount <= header.lastOffsetDelta) found.holes++
    if ((header.attributes & deleteHorizonBit) !== 0) found.horizons++
  }
  const isMissing = Object.values(found).includes(0)
  if (isMissing) throw new Error(`${topic}-0 is not as wanted: ${JSON.stringify(found)}`)
}

const deleteHorizonBit = 64

/** Sixty records, of which forty are the newest of their keys. */
function repeatedKeys(codec: Codec): Buffer[] {
  return [0, 1, 2].map(round =>
    encodeBatch(
      Array.from({ length: 20 }, (_, place) => ({
        key: place % 2 === 0 ? `again-${place}` : `once-${round}-${place}`,
        value: `value ${round} ${place}`.repeat(10)
      })),
      { codec }
    )
  )
}

/**
 * Appends a record now and then, for only that begins a new segment and makes the one before it cleanable, until
 * some record is gone.
 */
export async function untilCompacted(
  client: RawClient,
  topic: string,
  holds: (records: number) => boolean
): Promise<void> {
  let roll = 0
  await waitFor(
    'the cleaner',
    async () => {
      await client.append(topic, 0, encodeBatch([{ key: `roll-${roll++}`, value: 'x' }]))
      const records = await countRecords(client, topic)
      const isCleaned = (await client.listOffset(topic, 0, 'latest')) > records
      return isCleaned && holds(records - roll)
    },
    { everyMs: 200 }
  )
}

async function countRecords(client: RawClient, topic: string): Promise<number> {
  let records = 0
  for await (const { header } of readBatches(client, topic, 0)) records += header.recordCount
  return records
}

/** Lets the log be as it is: later looks at it find the same. */
export async function endCompaction(client: RawClient, topic: string): Promise<void> {
  const rest = { 'min.cleanable.dirty.ratio': 1, 'segment.ms': 604_800_000 }
  await client.admin.alterConfigs({ type: 'topic', name: topic }, rest)
}

// Owns a corpus of all that a log can hold: one topic for each kind of trouble, filled on a real broker.

import { type Codec, codecs } from './batch-header.ts'
import { compactedConfigs, endCompaction, makeCompacted } from './compaction.ts'
import { produceMixed } from './corpus.ts'
import { RawClient } from './raw-client.ts'
import { encodeBatch, type RecordInput } from './records.ts'
import { produceTransactions } from './transactions.ts'

const timeType = 'message.timestamp.type'
const [created, appended] = ['CreateTime', 'LogAppendTime'] as const

type Shape = {
  partitions?: number
  /** Of the topic on the source; with `target` given it has been there before the mirror came. */
  source?: Record<string, string | number>
  target?: Record<string, string>
  fill(client: RawClient, bootstrap: string, topic: string): Promise<void>
}

/** Offsets of each partition of the topic `inside`. */
export const insideOffsets = 17
/** The first offset that is left in each partition of the topic `deleted`. */
export const firstLeft = 42

export const shapes = {
  /** Every codec in one partition, Snappy in both framings, and every kind of record. */
  mixed: { partitions: 2, fill: fillMixed },
  /** Committed, aborted and interleaved; the last one stays open. */
  transactions: { partitions: 2, fill: fillTransactions },
  compacted: { source: compactedConfigs, fill: fillCompacted },
  'append-to-create': {
    source: { [timeType]: appended },
    target: { [timeType]: created },
    fill: fillNumbered
  },
  'create-to-append': {
    source: { [timeType]: created },
    target: { [timeType]: appended },
    fill: fillNumbered
  },
  'append-to-append': { source: { [timeType]: appended }, fill: fillNumbered },
  recompressed: { target: { 'compression.type': 'gzip' }, fill: fillMixed },
  /** A partition for each codec: what is in front of an offset inside a batch has been deleted. */
  deleted: { partitions: codecs.length, fill: fillDeleted },
  /** The same log in each partition, to be begun at another offset in each. */
  inside: { partitions: insideOffsets + 1, fill: fillInside }
} satisfies Record<string, Shape>

export type ShapeName = keyof typeof shapes
export const shapeNames = Object.keys(shapes) as ShapeName[]

/** Makes and fills the topics `PREFIX-NAME` on the source, and on the target those that are to differ there. */
export async function fillEveryShape(
  source: { bootstrap: string },
  target: { bootstrap: string },
  prefix: string
): Promise<void> {
  const [client, other] = [new RawClient(source.bootstrap), new RawClient(target.bootstrap)]
  try {
    const fills = Object.entries<Shape>(shapes).map(async ([suffix, shape]) => {
      const name = `${prefix}-${suffix}`
      const { partitions = 1 } = shape
      await client.admin.createTopics({ name, partitions, configs: shape.source ?? {} })
      if (shape.target) await other.admin.createTopics({ name, partitions, configs: shape.target })
      await shape.fill(client, source.bootstrap, name)
    })
    for (const result of await Promise.allSettled(fills)) {
      if (result.status === 'rejected') throw result.reason
    }
  } finally {
    client.close()
    other.close()
  }
}

// 0-byte records among them, and all that a header may be.
const oddRecords: RecordInput[] = [
  { key: null, value: null },
  { key: null, value: '' },
  { key: '', value: null },
  { key: '', value: '' },
  { key: Buffer.from([0, 0xff, 0x0a, 0x09]), value: Buffer.from([0x80, 0, 0xc3]) },
  {
    key: 'headers',
    value: 'ä €',
    headers: [
      ['same', '1'],
      ['same', '2'],
      ['same', '1'],
      ['none', null],
      ['empty', ''],
      ['', 'no name'],
      ['bytes', Buffer.from([0, 0xff, 0xfe, 0x0a])]
    ]
  }
]

async function fillMixed(client: RawClient, bootstrap: string, topic: string): Promise<void> {
  for (const codec of codecs) {
    for (const snappy of codec === 'snappy' ? (['raw', 'xerial'] as const) : (['raw'] as const)) {
      const records = oddRecords.map((record, place) => ({ ...record, timestamp: base - place }))
      await client.append(topic, 0, encodeBatch(records, { codec, snappy }))
    }
  }
  const all = { headers: true, nullKeys: true, nullValues: true } as const
  await produceMixed(bootstrap, topic, { records: 2_400, batchRecords: 100, ...all })
}

// Not too old, or retention takes the records away while they are compared.
const base = Date.now() - 3_600_000

async function fillTransactions(_: RawClient, bootstrap: string, topic: string): Promise<void> {
  const load = { transactions: 9, abortEvery: 3, interleaved: 3, batchRecords: 20 }
  for (const codec of ['none', 'zstd'] as const) {
    await produceTransactions(bootstrap, topic, { ...load, codec })
    await produceMixed(bootstrap, topic, { records: 200, batchRecords: 20 })
  }
  await produceTransactions(bootstrap, topic, { transactions: 1, leaveOpen: true })
}

async function fillCompacted(client: RawClient, _: string, topic: string): Promise<void> {
  await makeCompacted(client, topic, 'lz4')
  await endCompaction(client, topic)
}

async function fillNumbered(client: RawClient, _: string, topic: string): Promise<void> {
  for (const [index, codec] of codecs.entries()) {
    await client.append(topic, 0, numbered(index * 100, 100, codec))
  }
}

async function fillDeleted(client: RawClient, _: string, topic: string): Promise<void> {
  for (const [partition, codec] of codecs.entries()) {
    for (const first of [0, 60]) await client.append(topic, partition, numbered(first, 60, codec))
    await client.admin.deleteRecords(topic, partition, firstLeft)
  }
}

// Offsets 0-2, 3-5 and their marker, 7-9 that are aborted and their marker, 11-13, 14-16.
async function fillInside(client: RawClient, bootstrap: string, topic: string): Promise<void> {
  const partitions = Array.from({ length: insideOffsets + 1 }, (_, partition) => partition)
  const append = async (first: number, codec: Codec) => {
    const batch = numbered(first, 3, codec)
    await Promise.all(partitions.map(partition => client.append(topic, partition, batch)))
  }
  const one = { transactions: 1, batchesPerPartition: 1, batchRecords: 3 }
  await append(0, 'none')
  await produceTransactions(bootstrap, topic, { ...one, codec: 'lz4', abortEvery: 0 })
  await produceTransactions(bootstrap, topic, { ...one, codec: 'gzip', abortEvery: 1 })
  await append(11, 'snappy')
  await append(14, 'zstd')
}

function numbered(first: number, records: number, codec: Codec): Buffer {
  const inputs = Array.from({ length: records }, (_, place) => ({
    key: `${first + place}`,
    value: `value of ${first + place}`,
    timestamp: base + first + place
  }))
  return encodeBatch(inputs, { codec })
}

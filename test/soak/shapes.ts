// Owns what the topics of a soak are like: sizes of batches, codecs, transactions, and what the target makes of them.

import type { Codec } from '../support/batch-header.ts'
import type { RecordInput } from '../support/records.ts'

export type Shape = {
  topic: string
  partitions: number
  batchRecords: number
  recordBytes: number
  /** Least time between two rounds, each a batch for every partition. */
  everyMs: number
  codecs: readonly Codec[]
  /** Headers, and keys that are null or empty. */
  isMixed?: boolean
  /** Each round is a transaction, and so many of them abort: every third. */
  isTransactional?: boolean
  targetConfigs?: Record<string, string | number>
}

const usual = { batchRecords: 20, recordBytes: 200, codecs: ['lz4'] } as const

export const shapes: readonly Shape[] = [
  { ...usual, topic: 'soak-steady', partitions: 4, everyMs: 50 },
  { ...usual, topic: 'soak-single', partitions: 3, everyMs: 15, batchRecords: 1 },
  {
    ...usual,
    topic: 'soak-mixed',
    partitions: 3,
    everyMs: 80,
    codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    isMixed: true
  },
  // Larger than the target takes: workers split each batch.
  {
    ...usual,
    topic: 'soak-large',
    partitions: 2,
    everyMs: 700,
    batchRecords: 300,
    codecs: ['none', 'lz4'],
    targetConfigs: { 'max.message.bytes': 25_000 }
  },
  { ...usual, topic: 'soak-transactions', partitions: 2, everyMs: 100, isTransactional: true }
]

/** Its value begins with the number, whatever the rest is. */
export function recordOf(shape: Shape, partition: number, number: number): RecordInput {
  const value = `${number} `.padEnd(shape.recordBytes, number % 2 === 0 ? 'x' : 'yz')
  if (shape.isMixed !== true) return { key: `${partition}-${number}`, value }
  const key = number % 5 === 0 ? null : number % 5 === 1 ? '' : `${partition}-${number}`
  return { key, value, headers: number % 3 === 0 ? mixedHeaders : [] }
}

const mixedHeaders: [string, string | Buffer | null][] = [
  ['same', '1'],
  ['same', Buffer.from([0, 255, 128])],
  ['', ''],
  ['none', null]
]

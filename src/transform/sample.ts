// A record that handlers are tried on, wherever it is from, and the batch of one that they get it in.

import { defaultLimits } from '../batches/compression.ts'
import { DenseRecords } from '../batches/dense-records.ts'
import type { RecordBody } from '../batches/record-tail.ts'

export interface Sample {
  topic: string
  partition: number
  offset: number
  /** Milliseconds since the epoch; -1: none. */
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: readonly (readonly [key: Buffer, value: Buffer | null])[]
}

/** A whole batch of format 2 that begins at the record's offset. */
export function batchOf({ offset, timestamp, key, value, headers }: Sample): Buffer {
  const body: RecordBody = { attributes: 0, key, value, headers }
  const records = new DenseRecords((value?.length ?? 0) + 256, defaultLimits.maxBytes)
  records.addMade(body, offset, timestamp)
  const batch = records.seal('none')
  // baseOffset i64 @0, which no checksum covers.
  batch.writeBigInt64BE(BigInt(offset))
  return batch
}

// Owns giving a batch a producer of one's choice: what the mirror does on its way, done by the tests' own means.

import { seal } from './batch-header.ts'

export type Stamp = { producerId: number; producerEpoch: number; baseSequence: number }

/** A copy with this producer, ready to be produced; the records stay as they are. */
export function stamp(batch: Buffer, { producerId, producerEpoch, baseSequence }: Stamp): Buffer {
  const stamped = Buffer.from(batch)
  stamped.writeBigInt64BE(0n, 0)
  stamped.writeInt32BE(-1, 12)
  stamped.writeBigInt64BE(BigInt(producerId), 43)
  stamped.writeInt16BE(producerEpoch, 51)
  stamped.writeInt32BE(baseSequence, 53)
  return seal(stamped)
}

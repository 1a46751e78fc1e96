// Owns the 61-byte header of a v2 record batch, as the tests read and patch it.

import { crc32c } from '@node-rs/crc32'

// baseOffset i64 @0, batchLength i32 @8, partitionLeaderEpoch i32 @12, magic i8 @16, crc u32 @17, attributes i16 @21,
// lastOffsetDelta i32 @23, baseTimestamp i64 @27, maxTimestamp i64 @35, producerId i64 @43, producerEpoch i16 @51,
// baseSequence i32 @53, recordCount i32 @57, records @61. The CRC covers everything from the attributes on.
export const headerBytes = 61
const crcAt = 17
const crcFrom = 21

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecs)[number]

export type BatchHeader = {
  baseOffset: number
  batchLength: number
  partitionLeaderEpoch: number
  magic: number
  crc: number
  attributes: number
  codec: Codec
  timestampType: 'create' | 'append'
  isTransactional: boolean
  isControl: boolean
  lastOffsetDelta: number
  baseTimestamp: number
  maxTimestamp: number
  producerId: number
  producerEpoch: number
  baseSequence: number
  recordCount: number
}

export function readBatchHeader(bytes: Buffer): BatchHeader {
  const attributes = bytes.readInt16BE(21)
  return {
    baseOffset: Number(bytes.readBigInt64BE(0)),
    batchLength: bytes.readInt32BE(8),
    partitionLeaderEpoch: bytes.readInt32BE(12),
    magic: bytes.readInt8(16),
    crc: bytes.readUInt32BE(crcAt),
    attributes,
    codec: codecOf(attributes),
    timestampType: (attributes & 8) === 0 ? 'create' : 'append',
    isTransactional: (attributes & 16) !== 0,
    isControl: (attributes & 32) !== 0,
    lastOffsetDelta: bytes.readInt32BE(23),
    baseTimestamp: Number(bytes.readBigInt64BE(27)),
    maxTimestamp: Number(bytes.readBigInt64BE(35)),
    producerId: Number(bytes.readBigInt64BE(43)),
    producerEpoch: bytes.readInt16BE(51),
    baseSequence: bytes.readInt32BE(53),
    recordCount: bytes.readInt32BE(57)
  }
}

// Up to the magic, which lies at the same place in all formats.
const leastBytes = 17

/**
 * The whole batches in a fetched piece of log, or messages of the formats before 2; what a byte limit has cut off at
 * the end is left out.
 */
export function splitBatches(records: Buffer): Buffer[] {
  const batches: Buffer[] = []
  for (let at = 0; at + leastBytes <= records.length; ) {
    const end = at + 12 + records.readInt32BE(at + 8)
    if (end > records.length) break
    batches.push(records.subarray(at, end))
    at = end
  }
  return batches
}

export function isIntact(batch: Buffer): boolean {
  return crc32c(batch.subarray(crcFrom)) === batch.readUInt32BE(crcAt)
}

/** Writes the CRC after a change to the header or the records. */
export function seal(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(crcFrom)), crcAt)
  return batch
}

function codecOf(attributes: number): Codec {
  const codec = codecs[attributes & 7]
  if (codec === undefined) throw new Error(`unknown codec ${attributes & 7}`)
  return codec
}

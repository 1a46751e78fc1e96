// Owns the 61 bytes before the records of a v2 batch.

import { BatchFault, malformed } from './batch-fault.ts'
import { type Codec, codecNumber, codecOf } from './codec.ts'
import { crc32c } from './crc.ts'
import { type Int64, readInt64, writeInt64 } from './int64.ts'

// baseOffset i64 @0, batchLength i32 @8, partitionLeaderEpoch i32 @12, magic i8 @16, crc u32 @17, attributes
// i16 @21, lastOffsetDelta i32 @23, baseTimestamp i64 @27, maxTimestamp i64 @35, producerId i64 @43,
// producerEpoch i16 @51, baseSequence i32 @53, recordCount i32 @57, records @61. The CRC covers everything
// from the attributes on.
export const headerBytes = 61
const crcAt = 17
const crcFrom = 21

const appendTimeBit = 8
const transactionalBit = 16
const controlBit = 32

export interface BatchHeader {
  baseOffset: number
  codec: Codec
  isAppendTime: boolean
  isTransactional: boolean
  isControl: boolean
  lastOffsetDelta: number
  baseTimestamp: Int64
  maxTimestamp: Int64
  leaderEpoch: number
  producerId: Int64
  producerEpoch: number
  baseSequence: number
  recordCount: number
}

/** `batch` is one whole batch. Checks what can be checked without its records, its CRC not. */
export function readHeader(batch: Buffer): BatchHeader {
  if (batch.length < headerBytes || batch.readInt32BE(8) !== batch.length - 12) {
    throw malformed(`expected one whole batch of format 2, got ${batch.length} bytes`)
  }
  if (batch[16] !== 2) throw malformed(`expected a batch of format 2, got ${batch[16]}`)
  const attributes = batch.readInt16BE(21)
  const baseOffset = readInt64(batch, 0)
  const lastOffsetDelta = batch.readInt32BE(23)
  const recordCount = batch.readInt32BE(57)
  if (typeof baseOffset !== 'number' || baseOffset < 0 || lastOffsetDelta < 0) {
    throw malformed(`expected offsets from 0 on, got ${baseOffset} and ${lastOffsetDelta} more`)
  }
  if (!Number.isSafeInteger(baseOffset + lastOffsetDelta + 1)) {
    throw malformed(`offset ${baseOffset} is beyond what a log can have`)
  }
  if (recordCount < 0 || recordCount > lastOffsetDelta + 1) {
    throw malformed(`expected up to ${lastOffsetDelta + 1} records, got ${recordCount}`)
  }
  return {
    baseOffset,
    codec: codecOf(attributes),
    isAppendTime: (attributes & appendTimeBit) !== 0,
    isTransactional: (attributes & transactionalBit) !== 0,
    isControl: (attributes & controlBit) !== 0,
    lastOffsetDelta,
    baseTimestamp: readInt64(batch, 27),
    maxTimestamp: readInt64(batch, 35),
    leaderEpoch: batch.readInt32BE(12),
    producerId: readInt64(batch, 43),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    recordCount
  }
}

/** Batches that lie together, one at least. Only their lengths are looked at. */
export function splitBatches(
  bytes: Uint8Array<ArrayBuffer>
): [Uint8Array<ArrayBuffer>, ...Uint8Array<ArrayBuffer>[]] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const batches: Uint8Array<ArrayBuffer>[] = []
  for (let at = 0; at < bytes.length; ) {
    const left = bytes.length - at
    const size = left < headerBytes ? 0 : view.getInt32(at + 8) + 12
    if (size < headerBytes || size > left) {
      throw malformed(`batch ${batches.length} claims ${size} of ${left} bytes`)
    }
    batches.push(bytes.subarray(at, at + size))
    at += size
  }
  const [first, ...others] = batches
  if (first === undefined) throw malformed('expected batches, got no bytes')
  return [first, ...others]
}

export function checkCrc(batch: Buffer): void {
  const expected = batch.readUInt32BE(crcAt)
  const got = crc32c(batch.subarray(crcFrom))
  if (got === expected) return
  throw new BatchFault('bad-crc', `expected CRC ${hex(expected)}, got ${hex(got)}`)
}

export interface NewHeader {
  codec: Codec
  recordCount: number
  baseTimestamp: Int64
  maxTimestamp: Int64
}

/** Fills in the header of a dense batch without a producer, and its CRC. The records stand behind it already. */
export function writeHeader(batch: Buffer, header: NewHeader): void {
  batch.fill(0, 0, 8)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(-1, 12)
  batch.writeInt8(2, 16)
  batch.writeInt16BE(codecNumber(header.codec), crcFrom)
  batch.writeInt32BE(header.recordCount - 1, 23)
  writeInt64(batch, header.baseTimestamp, 27)
  writeInt64(batch, header.maxTimestamp, 35)
  // Producer id, epoch and sequence: all -1.
  batch.fill(0xff, 43, 57)
  batch.writeInt32BE(header.recordCount, 57)
  batch.writeUInt32BE(crc32c(batch.subarray(crcFrom)), crcAt)
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}

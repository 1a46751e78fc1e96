// Decides whether two batches hold the same records without opening them: a mirror passes most batches on byte for byte.

import { headerBytes } from '../batches/batch-header.ts'
import { crc32c } from '../batches/crc.ts'
import type { ClosedBatch } from './batch-run.ts'

// What a header says of its records, by place: attributes @21, lastOffsetDelta @23, baseTimestamp @27, maxTimestamp
// @35, recordCount @57; what lies between is the producer's. The CRC @17 covers everything from the attributes on.
const crcAt = 17
const attributesAt = 21
const deltaAt = 23
const baseTimestampAt = 27
const maxTimestampAt = 35
const producerAt = 43
const countAt = 57

const codecBits = 7
const appendTimeBit = 8
const deleteHorizonBit = 64

/**
 * The same stored bytes under the same codec are the same keys, values, headers and time deltas. `hasTimes`: the
 * timestamps are to be the same as well. False says nothing: the records may be the same in other batches.
 */
export function areTwins(source: ClosedBatch, target: ClosedBatch, hasTimes: boolean): boolean {
  if (!source.header || !target.header || !source.isWithin || !target.isWithin) return false
  const [ours, theirs] = [source.bytes, target.bytes]
  return (
    ours.length === theirs.length &&
    areTimesAlike(ours, theirs, hasTimes) &&
    areAlike(ours, theirs, deltaAt, baseTimestampAt) &&
    areAlike(ours, theirs, countAt, ours.length) &&
    isIntact(ours) &&
    isIntact(theirs)
  )
}

/** What is the same on both sides, for a digest. */
export function recordsOf({ bytes }: ClosedBatch): Buffer {
  return bytes.subarray(headerBytes)
}

function areTimesAlike(ours: Buffer, theirs: Buffer, hasTimes: boolean): boolean {
  const attributes = ours.readInt16BE(attributesAt)
  const unlike = attributes ^ theirs.readInt16BE(attributesAt)
  if (!hasTimes) return (unlike & codecBits) === 0
  if ((unlike & (codecBits | appendTimeBit | deleteHorizonBit)) !== 0) return false
  // With append time the largest one is that of all records.
  const end = (attributes & appendTimeBit) === 0 ? maxTimestampAt : producerAt
  return areAlike(ours, theirs, baseTimestampAt, end)
}

function areAlike(ours: Buffer, theirs: Buffer, from: number, end: number): boolean {
  return ours.compare(theirs, from, end, from, end) === 0
}

function isIntact(batch: Buffer): boolean {
  return crc32c(batch.subarray(attributesAt)) === batch.readUInt32BE(crcAt)
}

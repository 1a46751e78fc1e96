// Owns reading messages of the formats 0 and 1: each becomes a batch of format 2, as far as that can say the same.

import { crc32 } from '@node-rs/crc32'
import { type Codec, codecs } from './batch-header.ts'
import { decompress } from './codecs.ts'
import { encodeBatch, type RecordInput } from './records.ts'

// offset i64 @0, size i32 @8, crc u32 @12, magic i8 @16, attributes i8 @17, in format 1 timestamp i64 @18, then
// key length i32, key, value length i32, value. The CRC covers everything from the magic on.
const magicAt = 16
const attributesAt = 17
const timestampAt = 18

type Message = {
  offset: number
  magic: number
  codec: Codec
  isAppendTime: boolean
  timestamp: number
  key: Buffer | null
  value: Buffer | null
}

export function isOldMessage(bytes: Buffer): boolean {
  return bytes.readInt8(magicAt) < 2
}

/** With the offsets that its records have, and the times that their readers see: -1 in format 0, which has none. */
export function rewriteMessage(bytes: Buffer): Buffer {
  const message = readMessage(bytes)
  const found = message.codec === 'none' ? [message] : readInner(message)
  const baseOffset = (found[0] as Message).offset
  const records: RecordInput[] = found.map(({ offset, key, value, timestamp }) => ({
    key,
    value,
    timestamp: message.isAppendTime ? message.timestamp : timestamp,
    offsetDelta: offset - baseOffset
  }))
  return encodeBatch(records, {
    baseOffset,
    timestampType: message.isAppendTime ? 'append' : 'create'
  })
}

function readMessage(bytes: Buffer): Message {
  const covered = bytes.subarray(magicAt)
  const offset = Number(bytes.readBigInt64BE(0))
  if (crc32(covered) !== bytes.readUInt32BE(12)) throw new Error(`message ${offset}: wrong CRC`)
  const magic = bytes.readInt8(magicAt)
  const attributes = bytes.readInt8(attributesAt)
  const keyAt = magic === 0 ? timestampAt : timestampAt + 8
  const key = readField(bytes, keyAt)
  return {
    offset,
    magic,
    codec: codecs[attributes & 7] as Codec,
    isAppendTime: magic === 1 && (attributes & 8) !== 0,
    timestamp: magic === 0 ? -1 : Number(bytes.readBigInt64BE(timestampAt)),
    key,
    value: readField(bytes, keyAt + 4 + (key?.length ?? 0))
  }
}

/** In format 1 the wrapper has the offset of the last one inside, and those count from 0. */
function readInner(wrapper: Message): Message[] {
  const { codec, magic, value } = wrapper
  if (value === null) throw new Error(`message ${wrapper.offset}: a wrapper without a value`)
  const frame = codec === 'lz4' && magic === 0 ? withRightChecksum(value) : value
  const bytes = decompress(codec, frame)
  const found: Message[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    found.push(readMessage(bytes.subarray(at, end)))
    at = end
  }
  const last = found.at(-1)?.offset ?? 0
  const shift = magic === 0 ? 0 : wrapper.offset - last
  return found.map(message => ({ ...message, offset: message.offset + shift }))
}

function readField(bytes: Buffer, at: number): Buffer | null {
  const length = bytes.readInt32BE(at)
  return length < 0 ? null : bytes.subarray(at + 4, at + 4 + length)
}

// The LZ4 frames of format 0 have a header checksum that covers the frame's magic number too, against their own
// standard: two descriptor bytes @4, their checksum @6.
function withRightChecksum(frame: Buffer): Buffer {
  const right = Buffer.from(frame)
  right[6] = (xxh32(frame.subarray(4, 6)) >>> 8) & 0xff
  return right
}

/** XXH32 with seed 0, of fewer than four bytes. */
function xxh32(bytes: Buffer): number {
  let hash = (0x165667b1 + bytes.length) | 0
  for (const byte of bytes) {
    hash = (hash + Math.imul(byte, 0x165667b1)) | 0
    hash = Math.imul((hash << 11) | (hash >>> 21), 0x9e3779b1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca77)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae3d)
  return (hash ^ (hash >>> 16)) >>> 0
}

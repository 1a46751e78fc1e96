// Owns messages of the formats 0 and 1 as the tests write them: what Kafka 0.8 to 0.10 kept.

import { crc32 } from '@node-rs/crc32'
import { type Codec, codecs } from './batch-header.ts'
import { compress } from './codecs.ts'
import type { Bytes } from './records.ts'

export type OldMessage = {
  magic: 0 | 1
  offset: number
  key?: Bytes
  value?: Bytes
  timestamp?: number
  codec?: Codec
  isAppendTime?: boolean
}

// offset i64, size i32, crc u32, magic i8, attributes i8, in format 1 timestamp i64, key length i32, key,
// value length i32, value.
export function encodeMessage(message: OldMessage): Buffer {
  const attributes = codecs.indexOf(message.codec ?? 'none') | (message.isAppendTime ? 8 : 0)
  const head = Buffer.alloc(message.magic === 0 ? 2 : 10)
  head.writeInt8(message.magic, 0)
  head.writeInt8(attributes, 1)
  if (message.magic === 1) head.writeBigInt64BE(BigInt(message.timestamp ?? -1), 2)
  const covered = Buffer.concat([head, field(message.key ?? null), field(message.value ?? null)])
  const front = Buffer.alloc(16)
  front.writeBigInt64BE(BigInt(message.offset))
  front.writeInt32BE(covered.length + 4, 8)
  front.writeUInt32BE(crc32(covered), 12)
  return Buffer.concat([front, covered])
}

/** A message that holds others. In format 1 its offset is that of the last one, and theirs count from 0. */
export function encodeWrapped(
  inner: OldMessage[],
  wrapper: Omit<OldMessage, 'value' | 'key'> & { change?: (packed: Buffer) => Buffer }
): Buffer {
  const { codec = 'gzip', change = packed => packed } = wrapper
  const packed = compress(codec, Buffer.concat(inner.map(encodeMessage)))
  return encodeMessage({ ...wrapper, codec, value: change(packed) })
}

function field(value: Bytes): Buffer {
  const length = Buffer.alloc(4)
  if (value === null) {
    length.writeInt32BE(-1)
    return length
  }
  const bytes = Buffer.from(value)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

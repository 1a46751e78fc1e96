// Owns messages of the formats 0 and 1 as the tests write them: what Kafka 0.8 to 0.10 kept.

import { crc32 } from '@node-rs/crc32'
import { type Codec, codecs } from './batch-header.ts'
import { compress } from './codecs.ts'
import { check } from './kafka-error.ts'
import type { RawClient } from './raw-client.ts'
import type { Bytes } from './records.ts'
import { Reader, Writer } from './wire.ts'

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

/** Produce v2, the newest that takes them: as clients before 0.11 write. */
export function appendMessages(
  client: RawClient,
  topic: string,
  partition: number,
  messages: Buffer
): Promise<void> {
  // acks i16, timeout_ms i32, topics [name, partitions [partition i32, records bytes]]
  const body = new Writer().int16(-1).int32(30_000).int32(1).string(topic).int32(1)
  body.int32(partition).int32(messages.length).raw(messages)
  return client.routes.retrying(async () => {
    const leader = await client.routes.leaderConnection(topic, partition)
    const reader = new Reader(await leader.request(0, 2, body.done()))
    reader.array(() => {
      reader.string()
      reader.array(() => {
        reader.int32()
        check(reader.int16(), `produce old messages to ${topic}-${partition}`)
        reader.int64()
        reader.int64()
      })
    })
  })
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

// Reads the formats before 2, as brokers from 0.8 to 0.10 wrote them and later ones keep them: message by
// message, and sets of messages compressed into the value of another.

import { BatchFault, malformed } from './batch-fault.ts'
import { type Codec, codecOf } from './codec.ts'
import { decompress, type Limits } from './compression.ts'
import { crc32 } from './crc.ts'
import { type Int64, readInt64 } from './int64.ts'
import { type RecordSource, RecordView } from './record-view.ts'

// offset i64 @0, size i32 @8, crc u32 @12, magic i8 @16, attributes i8 @17, in format 1 timestamp i64 @18,
// then key length i32 (-1 is null), key, value length i32, value. The CRC covers everything from the magic
// on.
const sizeAt = 8
const crcAt = 12
const crcFrom = 16
const magicAt = 16
const attributesAt = 17
const timestampAt = 18
const entryBytes = 12
const appendTimeBit = 8

interface Message {
  offset: number
  magic: number
  codec: Codec
  isAppendTime: boolean
  /** -1 in format 0, which has none. */
  timestamp: Int64
  keyStart: number
  keyEnd: number
  valueStart: number
  valueEnd: number
  /** Behind the message. */
  end: number
}

export interface MessageOptions {
  limits: Limits
  /** Append times stand for the records' own: what readers see. */
  keepsAppendTime: boolean
}

/** Codec of the first of these messages. */
export function messageCodec(messages: Buffer): Codec {
  return readMessage(messages, 0).codec
}

/**
 * The records of whole messages in log order, compressed sets opened. Checks the CRC of every message, inner
 * ones too.
 */
export class MessageRecords implements RecordSource {
  readonly record: RecordView
  readonly #bytes: Buffer
  readonly #options: MessageOptions
  #at = 0
  #inner: InnerMessages | undefined
  #hasAppendTime = false

  constructor(messages: Buffer, options: MessageOptions) {
    this.#bytes = messages
    this.#options = options
    this.record = new RecordView(messages)
  }

  /** Whether the time of the record it stands on is that of its append. */
  get hasAppendTime(): boolean {
    return this.#hasAppendTime
  }

  next(): boolean {
    for (;;) {
      if (this.#inner?.next(this.record) === true) return true
      this.#inner = undefined
      if (this.#at === this.#bytes.length) return false
      const message = readMessage(this.#bytes, this.#at)
      this.#at = message.end
      this.#hasAppendTime = message.isAppendTime
      if (message.codec === 'none') {
        place(this.record, this.#bytes, message, message.offset, message.timestamp)
        return true
      }
      this.#inner = new InnerMessages(this.#bytes, message, this.#options)
    }
  }
}

/** The set inside a message. */
class InnerMessages {
  readonly #bytes: Buffer
  readonly #magic: number
  readonly #firstOffset: number
  readonly #appendTime: Int64 | undefined
  #at = 0

  constructor(bytes: Buffer, wrapper: Message, { limits, keepsAppendTime }: MessageOptions) {
    if (wrapper.valueStart < 0) throw malformed('a compressed message has no value')
    const packed = bytes.subarray(wrapper.valueStart, wrapper.valueEnd)
    this.#bytes = decompress(wrapper.codec, packed, limits, wrapper.magic)
    this.#magic = wrapper.magic
    this.#appendTime = keepsAppendTime && wrapper.isAppendTime ? wrapper.timestamp : undefined
    this.#firstOffset = wrapper.magic === 0 ? 0 : firstOffset(this.#bytes, wrapper.offset)
    if (this.#bytes.length === 0) throw malformed('a compressed message holds none')
  }

  next(record: RecordView): boolean {
    if (this.#at === this.#bytes.length) return false
    const message = readMessage(this.#bytes, this.#at)
    if (message.codec !== 'none') throw malformed('a compressed message holds another')
    if (message.magic !== this.#magic) {
      throw malformed(`expected messages of format ${this.#magic} inside, got ${message.magic}`)
    }
    this.#at = message.end
    const offset = this.#firstOffset + message.offset
    place(record, this.#bytes, message, offset, this.#appendTime ?? message.timestamp)
    return true
  }
}

// In format 1 a wrapper has the offset of its last message, and the inner ones count from 0. Some producers
// left the wrapper at 0.
function firstOffset(inner: Buffer, wrapperOffset: number): number {
  let last = 0
  for (let at = 0; at < inner.length; ) {
    const { offset, end } = readEntry(inner, at)
    last = offset
    at = end
  }
  if (wrapperOffset === 0) return 0
  if (wrapperOffset < last) {
    throw malformed(`offset ${wrapperOffset} of a compressed message is below its last, ${last}`)
  }
  return wrapperOffset - last
}

function place(
  record: RecordView,
  bytes: Buffer,
  message: Message,
  offset: number,
  timestamp: Int64
): void {
  record.bytes = bytes
  record.offset = offset
  record.timestamp = timestamp
  record.keyStart = message.keyStart
  record.keyEnd = message.keyEnd
  record.valueStart = message.valueStart
  record.valueEnd = message.valueEnd
}

function readEntry(bytes: Buffer, at: number): { offset: number; end: number } {
  const left = bytes.length - at
  if (left < timestampAt) throw malformed(`a message is cut off after ${left} bytes`)
  const offset = readInt64(bytes, at)
  const size = bytes.readInt32BE(at + sizeAt)
  if (typeof offset !== 'number' || offset < 0) throw malformed(`a message has offset ${offset}`)
  if (size < timestampAt - entryBytes || size > left - entryBytes) {
    throw malformed(`the message at offset ${offset} claims ${size} of ${left - entryBytes} bytes`)
  }
  return { offset, end: at + entryBytes + size }
}

function readMessage(bytes: Buffer, at: number): Message {
  const { offset, end } = readEntry(bytes, at)
  const magic = bytes[at + magicAt] as number
  if (magic > 1) throw malformed(`the message at offset ${offset} has format ${magic}`)
  const expected = bytes.readUInt32BE(at + crcAt)
  if (crc32(bytes.subarray(at + crcFrom, end)) !== expected) {
    throw new BatchFault('bad-crc', `the message at offset ${offset} does not match its CRC`)
  }
  const attributes = bytes[at + attributesAt] as number
  const codec = codecOf(attributes)
  if (codec === 'zstd') throw malformed(`the message at offset ${offset} has a later codec`)
  const keyAt = magic === 0 ? at + timestampAt : at + timestampAt + 8
  const keyStart = fieldStart(bytes, keyAt, end)
  const keyEnd = fieldEnd(bytes, keyAt)
  const valueStart = fieldStart(bytes, keyEnd, end)
  const valueEnd = fieldEnd(bytes, keyEnd)
  if (valueEnd !== end) throw malformed(`the message at offset ${offset} ends before its size`)
  const timestamp = magic === 0 ? -1 : readInt64(bytes, at + timestampAt)
  const isAppendTime = magic === 1 && (attributes & appendTimeBit) !== 0
  return {
    offset,
    magic,
    codec,
    isAppendTime,
    timestamp,
    keyStart,
    keyEnd,
    valueStart,
    valueEnd,
    end
  }
}

// Checks the length in front of the field; -1 for null.
function fieldStart(bytes: Buffer, at: number, end: number): number {
  if (end - at < 4) throw malformed('a length in a message is cut off')
  const length = bytes.readInt32BE(at)
  if (length < -1 || length > end - at - 4) {
    throw malformed(`a field in a message claims ${length} of ${end - at - 4} bytes`)
  }
  return length < 0 ? -1 : at + 4
}

function fieldEnd(bytes: Buffer, at: number): number {
  return at + 4 + Math.max(0, bytes.readInt32BE(at))
}

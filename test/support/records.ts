// Owns v2 record batches as the tests write and read them, record by record.

import {
  type BatchHeader,
  type Codec,
  codecs,
  headerBytes,
  isIntact,
  readBatchHeader,
  seal
} from './batch-header.ts'
import { compress, decompress, type SnappyFormat } from './codecs.ts'
import { VarintReader, writeVarint } from './varint.ts'

export type Bytes = Buffer | string | null

export type RecordInput = {
  key?: Bytes
  value?: Bytes
  headers?: [string, Bytes][]
  timestamp?: number
  /** Its place in the batch unless given: a hole is a record that compaction took. */
  offsetDelta?: number
}

export type BatchOptions = {
  codec?: Codec
  snappy?: SnappyFormat
  baseOffset?: number
  producerId?: number
  producerEpoch?: number
  baseSequence?: number
  timestampType?: 'create' | 'append'
  isTransactional?: boolean
  isControl?: boolean
  /** The last record's delta unless given: compaction keeps the delta of a last record it took. */
  lastOffsetDelta?: number
}

export type DecodedRecord = {
  offset: number
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: [string, Buffer | null][]
}

export type DecodedBatch = { header: BatchHeader; records: DecodedRecord[] }

export function encodeBatch(records: RecordInput[], options: BatchOptions = {}): Buffer {
  const codec = options.codec ?? 'none'
  const now = Date.now()
  const timestamps = records.map(record => record.timestamp ?? now)
  const baseTimestamp = timestamps[0] ?? now
  const deltas = records.map((record, index) => record.offsetDelta ?? index)
  const plain = records.map((record, index) =>
    encodeRecord(record, (timestamps[index] as number) - baseTimestamp, deltas[index] as number)
  )
  const body = compress(codec, Buffer.concat(plain), options.snappy)
  const batch = Buffer.alloc(headerBytes + body.length)
  body.copy(batch, headerBytes)
  const attributes =
    codecs.indexOf(codec) |
    (options.timestampType === 'append' ? 8 : 0) |
    (options.isTransactional === true ? 16 : 0) |
    (options.isControl === true ? 32 : 0)
  batch.writeBigInt64BE(BigInt(options.baseOffset ?? 0), 0)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(-1, 12)
  batch.writeInt8(2, 16)
  batch.writeInt16BE(attributes, 21)
  batch.writeInt32BE(options.lastOffsetDelta ?? Math.max(0, ...deltas.slice(-1)), 23)
  batch.writeBigInt64BE(BigInt(baseTimestamp), 27)
  batch.writeBigInt64BE(BigInt(timestamps.reduce((a, b) => Math.max(a, b), baseTimestamp)), 35)
  batch.writeBigInt64BE(BigInt(options.producerId ?? -1), 43)
  batch.writeInt16BE(options.producerEpoch ?? -1, 51)
  batch.writeInt32BE(options.baseSequence ?? -1, 53)
  batch.writeInt32BE(records.length, 57)
  return seal(batch)
}

export function decodeBatch(batch: Buffer): DecodedBatch {
  if (!isIntact(batch)) throw new Error(`batch at offset ${batch.readBigInt64BE(0)}: wrong CRC`)
  const header = readBatchHeader(batch)
  const body = decompress(header.codec, batch.subarray(headerBytes))
  const reader = new VarintReader(body)
  const records: DecodedRecord[] = []
  while (records.length < header.recordCount) records.push(decodeRecord(reader, header))
  if (reader.at !== body.length) {
    throw new Error(
      `batch at offset ${header.baseOffset}: ${body.length - reader.at} bytes left over`
    )
  }
  return { header, records }
}

// length varint, attributes i8, timestampDelta varlong, offsetDelta varint, key length varint (-1 is null), key,
// value length varint, value, header count varint, then for each: key length, key, value length, value.
function encodeRecord(record: RecordInput, timestampDelta: number, offsetDelta: number): Buffer {
  const head: number[] = [0]
  writeVarint(timestampDelta, head)
  writeVarint(offsetDelta, head)
  const parts = [Buffer.from(head)]
  pushBytes(record.key ?? null, parts)
  pushBytes(record.value ?? null, parts)
  const headers = record.headers ?? []
  pushNumber(headers.length, parts)
  for (const [key, value] of headers) {
    pushBytes(key, parts)
    pushBytes(value, parts)
  }
  const body = Buffer.concat(parts)
  const length: number[] = []
  writeVarint(body.length, length)
  return Buffer.concat([Buffer.from(length), body])
}

function decodeRecord(reader: VarintReader, header: BatchHeader): DecodedRecord {
  const length = reader.next()
  const end = reader.at + length
  reader.at += 1
  const timestampDelta = reader.next()
  const offset = header.baseOffset + reader.next()
  const key = readBytes(reader)
  const value = readBytes(reader)
  const headers = Array.from({ length: reader.next() }, (): [string, Buffer | null] => [
    readBytes(reader)?.toString() ?? '',
    readBytes(reader)
  ])
  if (reader.at !== end) throw new Error(`record at offset ${offset}: its length is wrong`)
  const timestamp =
    header.timestampType === 'append' ? header.maxTimestamp : header.baseTimestamp + timestampDelta
  return { offset, timestamp, key, value, headers }
}

function readBytes(reader: VarintReader): Buffer | null {
  const length = reader.next()
  if (length < 0) return null
  const start = reader.at
  reader.at += length
  return reader.bytes.subarray(start, reader.at)
}

function pushBytes(value: Bytes, parts: Buffer[]): void {
  if (value === null) return pushNumber(-1, parts)
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  pushNumber(bytes.length, parts)
  parts.push(bytes)
}

function pushNumber(value: number, parts: Buffer[]): void {
  const bytes: number[] = []
  writeVarint(value, bytes)
  parts.push(Buffer.from(bytes))
}

// Writes key, value and headers as format 2 has them, for records that do not stand like that in their bytes, and for
// those that were made and stand nowhere yet.

import type { RecordView } from './record-view.ts'
import { varintBytes, writeVarint } from './varint.ts'

/** A record that was made. */
export interface RecordBody {
  attributes: number
  key: Buffer | null
  value: Buffer | null
  headers: readonly (readonly [key: Buffer, value: Buffer | null])[]
}

// key length varint (-1 is null), key, value length varint, value, header count varint, then for each header:
// key length, key, value length, value.
export function tailBytes(record: RecordView): number {
  let total = fieldBytes(record.keyStart, record.keyEnd)
  total += fieldBytes(record.valueStart, record.valueEnd) + varintBytes(record.headerCount)
  for (const field of headerFields(record)) total += bytesOf(field)
  return total
}

export function bodyBytes({ key, value, headers }: RecordBody): number {
  let total = bytesOf(key) + bytesOf(value) + varintBytes(headers.length)
  for (const [name, field] of headers) total += bytesOf(name) + bytesOf(field)
  return total
}

/** Returns where the next byte goes. */
export function writeBody(
  bytes: Buffer,
  { key, value, headers }: RecordBody,
  start: number
): number {
  let at = writeBytes(bytes, value, writeBytes(bytes, key, start))
  at = writeVarint(bytes, headers.length, at)
  for (const [name, field] of headers) at = writeBytes(bytes, field, writeBytes(bytes, name, at))
  return at
}

/** Returns where the next byte goes. */
export function writeTail(bytes: Buffer, record: RecordView, start: number): number {
  let at = writeField(bytes, record.bytes, record.keyStart, record.keyEnd, start)
  at = writeField(bytes, record.bytes, record.valueStart, record.valueEnd, at)
  at = writeVarint(bytes, record.headerCount, at)
  for (const field of headerFields(record)) at = writeBytes(bytes, field, at)
  return at
}

function headerFields(record: RecordView): (Buffer | null)[] {
  return record.headerCount === 0 ? [] : record.headers().flat()
}

function fieldBytes(start: number, end: number): number {
  return start < 0 ? varintBytes(-1) : varintBytes(end - start) + end - start
}

function writeField(to: Buffer, from: Buffer, start: number, end: number, at: number): number {
  if (start < 0) return writeVarint(to, -1, at)
  const next = writeVarint(to, end - start, at)
  return next + from.copy(to, next, start, end)
}

function bytesOf(field: Buffer | null): number {
  return field === null ? varintBytes(-1) : varintBytes(field.length) + field.length
}

function writeBytes(bytes: Buffer, field: Buffer | null, at: number): number {
  const next = writeVarint(bytes, field === null ? -1 : field.length, at)
  return field === null ? next : next + field.copy(bytes, next)
}

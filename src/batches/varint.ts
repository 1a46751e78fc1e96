// Owns the variable-length integers of v2 records as they are written: zigzag, seven bits a byte, shortest form.

import type { Int64 } from './int64.ts'

export const maxVarintBytes = 5
export const maxVarlongBytes = 10

/** Returns where the next byte goes. */
export function writeVarint(bytes: Uint8Array, value: number, at: number): number {
  return writeUnsigned(bytes, ((value << 1) ^ (value >> 31)) >>> 0, at)
}

export function writeVarlong(bytes: Uint8Array, value: Int64, at: number): number {
  if (typeof value === 'bigint' || Math.abs(value) >= 2 ** 52) return writeBig(bytes, value, at)
  if ((value | 0) === value) return writeVarint(bytes, value, at)
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  let next = at
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[next++] = (rest % 0x80) | 0x80
  bytes[next++] = rest
  return next
}

export function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x20_0000) return 3
  return zigzag < 0x1000_0000 ? 4 : 5
}

export function varlongBytes(value: Int64): number {
  if (typeof value === 'number' && (value | 0) === value) return varintBytes(value)
  return writeVarlong(scratch, value, 0)
}

const scratch = new Uint8Array(maxVarlongBytes)

function writeUnsigned(bytes: Uint8Array, value: number, at: number): number {
  let rest = value
  let next = at
  for (; rest >= 0x80; rest >>>= 7) bytes[next++] = (rest & 0x7f) | 0x80
  bytes[next++] = rest
  return next
}

function writeBig(bytes: Uint8Array, value: Int64, at: number): number {
  const big = BigInt(value)
  let rest = BigInt.asUintN(64, (big << 1n) ^ (big >> 63n))
  let next = at
  for (; rest >= 0x80n; rest >>= 7n) bytes[next++] = Number(rest & 0x7fn) | 0x80
  bytes[next++] = Number(rest)
  return next
}

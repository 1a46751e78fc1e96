// Owns 64-bit integers that are exact and fast: a number wherever a number is exact, a bigint beyond.
//
// Times in milliseconds are small, but nothing keeps a producer from writing nanoseconds.

import { malformed } from './batch-fault.ts'

/** Always a number when it is a safe integer, so that equal values are `===`. */
export type Int64 = number | bigint

const two32 = 0x1_0000_0000
const two21 = 0x20_0000

export function readInt64(bytes: Buffer, at: number): Int64 {
  const high = bytes.readInt32BE(at)
  if (high > -two21 && high < two21) return high * two32 + bytes.readUInt32BE(at + 4)
  return bytes.readBigInt64BE(at)
}

export function writeInt64(bytes: Buffer, value: Int64, at: number): void {
  if (typeof value === 'bigint') bytes.writeBigInt64BE(value, at)
  else {
    bytes.writeInt32BE(Math.floor(value / two32), at)
    bytes.writeInt32BE(value | 0, at + 4)
  }
}

export function addInt64(a: Int64, b: Int64): Int64 {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return narrow(BigInt(a) + BigInt(b))
}

export function subtractInt64(a: Int64, b: Int64): Int64 {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (Number.isSafeInteger(difference)) return difference
  }
  return narrow(BigInt(a) - BigInt(b))
}

/** The upper and the lower half, as signed 32-bit integers. */
export function highHalf(value: Int64): number {
  return typeof value === 'number' ? Math.floor(value / two32) | 0 : Number(value >> 32n) | 0
}

export function lowHalf(value: Int64): number {
  return typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value))
}

export function narrow(value: bigint): Int64 {
  if (BigInt.asIntN(64, value) !== value) throw malformed(`${value} is beyond 64 bits`)
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

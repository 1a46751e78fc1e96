// Owns reading variable-length integers one after the other, never beyond an end.

import { malformed } from './batch-fault.ts'
import { type Int64, narrow } from './int64.ts'

export class VarintCursor {
  readonly bytes: Buffer
  at: number
  end: number
  /** False once an integer was longer than it has to be; for the user to set back. */
  isShortest = true

  constructor(bytes: Buffer, at: number, end: number) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  byte(): number {
    if (this.at >= this.end) throw this.#cut()
    return this.bytes[this.at++] as number
  }

  /** 32 bits in at most five bytes. */
  varint(): number {
    const byte = this.byte()
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    return this.#longVarint(byte)
  }

  /** 64 bits in at most ten bytes. */
  varlong(): Int64 {
    const byte = this.byte()
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    return this.#longVarlong(byte)
  }

  #longVarint(first: number): number {
    let zigzag = first & 0x7f
    for (let shift = 7; shift <= 28; shift += 7) {
      const byte = this.byte()
      zigzag |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (byte === 0) this.isShortest = false
        if (shift === 28 && byte > 0x0f) break
        return (zigzag >>> 1) ^ -(zigzag & 1)
      }
    }
    throw malformed(`an integer at byte ${this.at} is beyond 32 bits`)
  }

  // Seven bytes hold 49 bits, exact in a number with their zigzag undone.
  #longVarlong(first: number): Int64 {
    let zigzag = first & 0x7f
    let scale = 0x80
    for (let count = 2; count <= 7; count++) {
      const byte = this.byte()
      zigzag += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (byte === 0) this.isShortest = false
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
      }
      scale *= 0x80
    }
    return this.#bigVarlong(BigInt(zigzag))
  }

  #bigVarlong(lower: bigint): Int64 {
    let zigzag = lower
    for (let shift = 49n; shift <= 63n; shift += 7n) {
      const byte = this.byte()
      zigzag |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        if (byte === 0) this.isShortest = false
        if (shift === 63n && byte > 1) break
        return narrow((zigzag >> 1n) ^ -(zigzag & 1n))
      }
    }
    throw malformed(`an integer at byte ${this.at} is beyond 64 bits`)
  }

  #cut(): Error {
    return malformed(`expected more bytes at ${this.at}, the record ends there`)
  }
}

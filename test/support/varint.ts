// Owns the zig-zag variable-length integers inside record batches. Numbers, not bigints, hold them: exact up to 2^53.

/** Reads one after the other; `at` is where the next one starts. */
export class VarintReader {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  next(): number {
    let unsigned = 0
    let factor = 1
    for (;;) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) throw new Error('a varint runs past the end of its batch')
      unsigned += (byte & 0x7f) * factor
      if (byte < 0x80) break
      factor *= 128
    }
    return unsigned % 2 === 0 ? unsigned / 2 : -(unsigned + 1) / 2
  }
}

export function writeVarint(value: number, into: number[]): void {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  while (rest >= 128) {
    into.push((rest % 128) | 0x80)
    rest = Math.floor(rest / 128)
  }
  into.push(rest)
}

// Owns random records of every shape, the same for the same seed.

import type { Bytes, RecordInput } from './records.ts'

export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761 + 1) >>> 0
  }

  /** A whole number from 0 up to, not including, the limit. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let word = this.#state
    word = Math.imul(word ^ (word >>> 15), word | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }
}

/** With holes between them where `holes` is set. */
export function randomRecords(chance: Chance, count: number, holes: boolean): RecordInput[] {
  const base = chance.pick([-1, 0, 1_700_000_000_000, 4_000_000_000_000_000])
  let offsetDelta = holes ? chance.below(3) : 0
  return Array.from({ length: count }, () => {
    const record = {
      key: randomBytes(chance, 40),
      value: randomBytes(chance, chance.pick([10, 100, 3_000])),
      headers: Array.from({ length: chance.pick([0, 0, 1, 3]) }, () => randomHeader(chance)),
      timestamp: base === -1 ? -1 : base + chance.below(chance.pick([1, 1_000, 2 ** 40])),
      offsetDelta
    }
    offsetDelta += holes ? 1 + chance.pick([0, 0, 1, 200]) : 1
    return record
  })
}

function randomHeader(chance: Chance): [string, Bytes] {
  return [chance.pick(['', 'same', 'same', 'ä €']), randomBytes(chance, 20)]
}

function randomBytes(chance: Chance, most: number): Bytes {
  const kind = chance.below(8)
  if (kind === 0) return null
  if (kind === 1) return Buffer.alloc(0)
  const bytes = Buffer.alloc(chance.below(most) + 1, 'repeated ')
  if (kind > 4) for (let at = 0; at < bytes.length; at++) bytes[at] = chance.below(256)
  return bytes
}

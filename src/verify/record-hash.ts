// Hashes records: 64 bits for each part, mixed to the 53 that a number holds. Not against attackers, who could write to
// the target anyway; fast, for every byte of both sides goes through it.

/** Two halves of a hash, and one place to keep them in: no object a record. */
export interface Hash {
  low: number
  high: number
}

const firstPrime = 0x9e3779b1
const secondPrime = 0x85ebca77

export function startHash(hash: Hash, seed: number): void {
  hash.low = Math.imul(seed + 1, firstPrime)
  hash.high = Math.imul(seed + 7, secondPrime)
}

/** Words of four bytes, then the rest and the length: a cut value is another one. */
export function hashBytes(hash: Hash, bytes: DataView, from: number, to: number): void {
  let { low, high } = hash
  let at = from
  for (const last = to - 4; at <= last; at += 4) {
    const word = bytes.getInt32(at, true)
    low = Math.imul(low ^ word, firstPrime)
    low ^= low >>> 15
    high = Math.imul(high + word, secondPrime)
    high = (high << 13) | (high >>> 19)
  }
  let rest = 0
  for (; at < to; at++) rest = (rest << 8) | bytes.getUint8(at)
  hash.low = low
  hash.high = high
  hashWord(hash, rest)
  hashWord(hash, to - from)
}

export function hashWord(hash: Hash, word: number): void {
  hash.low = Math.imul(hash.low ^ word, firstPrime)
  hash.low ^= hash.low >>> 15
  hash.high = Math.imul(hash.high + word, secondPrime)
  hash.high = (hash.high << 13) | (hash.high >>> 19)
}

/** Spreads what the last words did over all bits. */
export function finish(hash: Hash): void {
  hash.low = avalanche(hash.low ^ hash.high)
  hash.high = avalanche(hash.high + hash.low)
}

export function numberOf({ low, high }: Hash): number {
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0)
}

function avalanche(word: number): number {
  let mixed = word ^ (word >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

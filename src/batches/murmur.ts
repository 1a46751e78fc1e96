// Owns a fast hash of bytes in memory: MurmurHash3's 128 bits for 32-bit machines, of which the first 64 are kept.
//
// It is not meant to withstand an attacker. In JavaScript it needs no call out for each record, which costs
// more than hashing does.

const c1 = 0x239b961b
const c2 = 0xab0e9789 | 0
const c3 = 0x38b34ae5
const c4 = 0xa1e38b93 | 0

/** Writes 64 bits of hash into `out` at `at`. Both halves of the seed may be any 32-bit integers. */
export function murmur64(
  view: DataView,
  start: number,
  end: number,
  seedLow: number,
  seedHigh: number,
  out: Uint32Array,
  at: number
): void {
  let h1 = seedLow | 0
  let h2 = seedHigh | 0
  let h3 = h1
  let h4 = h2
  const blocksEnd = start + ((end - start) & ~15)
  let place = start
  for (; place < blocksEnd; place += 16) {
    h1 ^= Math.imul(rotate(Math.imul(view.getInt32(place, true), c1), 15), c2)
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    h2 ^= Math.imul(rotate(Math.imul(view.getInt32(place + 4, true), c2), 16), c3)
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    h3 ^= Math.imul(rotate(Math.imul(view.getInt32(place + 8, true), c3), 17), c4)
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    h4 ^= Math.imul(rotate(Math.imul(view.getInt32(place + 12, true), c4), 18), c1)
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  const rest = end - place
  if (rest > 12)
    h4 ^= Math.imul(rotate(Math.imul(partial(view, place + 12, rest - 12), c4), 18), c1)
  if (rest > 8) h3 ^= Math.imul(rotate(Math.imul(partial(view, place + 8, rest - 8), c3), 17), c4)
  if (rest > 4) h2 ^= Math.imul(rotate(Math.imul(partial(view, place + 4, rest - 4), c2), 16), c3)
  if (rest > 0) h1 ^= Math.imul(rotate(Math.imul(partial(view, place, rest), c1), 15), c2)
  const length = end - start
  h1 ^= length
  h2 ^= length
  h3 ^= length
  h4 ^= length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
  h1 = finish(h1)
  h2 = finish(h2)
  h1 = (h1 + h2 + finish(h3) + finish(h4)) | 0
  out[at] = h1
  out[at + 1] = h2 + h1
}

// Up to four bytes, the first lowest.
function partial(view: DataView, at: number, length: number): number {
  if (length >= 4) return view.getInt32(at, true)
  let word = view.getUint8(at)
  if (length > 1) word |= view.getUint8(at + 1) << 8
  if (length > 2) word |= view.getUint8(at + 2) << 16
  return word
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function finish(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

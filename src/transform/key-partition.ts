// Owns where Kafka's own producer puts a record by its key: the 32 bits of MurmurHash2 with its seed, made positive.

const seed = 0x9747b28c
const factor = 0x5bd1e995

export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions
}

export function murmur2(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const wordsEnd = bytes.length & ~3
  let hash = seed ^ bytes.length
  for (let at = 0; at < wordsEnd; at += 4) {
    let word = Math.imul(view.getInt32(at, true), factor)
    word = Math.imul(word ^ (word >>> 24), factor)
    hash = Math.imul(hash, factor) ^ word
  }
  const rest = bytes.length - wordsEnd
  if (rest > 2) hash ^= view.getUint8(wordsEnd + 2) << 16
  if (rest > 1) hash ^= view.getUint8(wordsEnd + 1) << 8
  if (rest > 0) hash = Math.imul(hash ^ view.getUint8(wordsEnd), factor)
  hash = Math.imul(hash ^ (hash >>> 13), factor)
  return hash ^ (hash >>> 15)
}

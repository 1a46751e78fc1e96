// Owns LZ4 frames as Kafka's clients and brokers write and take them: blocks that stand for themselves.

import { compressSync, decompressFrameSync, uncompressSync } from 'lz4-napi'
import { malformed, tooMuch } from './batch-fault.ts'

// magic u32, flags u8, largest block u8, content size u64 if flagged, checksum of these without the magic u8,
// then blocks: size u32 (highest bit: stored as it is), data, checksum u32 if flagged; a size of 0 ends them;
// checksum u32 of all if flagged. Little-endian.
const magic = 0x184d2204
const flagsAt = 4
const largestBlockAt = 5
const versionBits = 0xc0
const version = 0x40
const independentBit = 0x20
const blockChecksumBit = 0x10
const contentSizeBit = 0x08
const contentChecksumBit = 0x04
const reservedBits = 0x03
const storedBit = 0x8000_0000
const lengthBits = 0x7fff_ffff
const maxRatio = 255

// As Java writes them. Readers get themselves a buffer of the block size, and 64 KiB is the smallest.
const blockBytes = 65_536
const blockCode = 4 << 4
// In front of a block the library puts its inflated size.
const sizePrefixBytes = 4

export function compressLz4(bytes: Buffer): Buffer {
  const header = Buffer.alloc(7)
  header.writeUInt32LE(magic)
  header[flagsAt] = version | independentBit
  header[largestBlockAt] = blockCode
  header[6] = headerChecksum(header, 6)
  const parts = [header]
  for (let at = 0; at < bytes.length; at += blockBytes) {
    pushBlock(bytes.subarray(at, at + blockBytes), parts)
  }
  parts.push(Buffer.alloc(4))
  return Buffer.concat(parts)
}

function pushBlock(plain: Buffer, parts: Buffer[]): void {
  const packed = compressSync(plain).subarray(sizePrefixBytes)
  const isStored = packed.length >= plain.length
  const size = Buffer.allocUnsafe(4)
  size.writeUInt32LE(isStored ? plain.length + storedBit : packed.length)
  parts.push(size, isStored ? plain : packed)
}

export function decompressLz4(frame: Buffer, allowed: number): Buffer {
  const { most, largestBlock } = measure(frame)
  // All blocks but the last are full as a rule, so the estimate is at most one block too high.
  if (most > allowed + largestBlock) throw tooMuch(allowed)
  const isPlain = frame[flagsAt] === (version | independentBit) && largestBlock === blockBytes
  return isPlain ? inflateBlocks(frame) : decompressFrameSync(frame)
}

// Block by block the library's memory stays small enough to be used again: three times as fast as the whole
// frame, with one block as with many (bench/reseal).
function inflateBlocks(frame: Buffer): Buffer {
  const checksumAt = headerEnd(frame) - 1
  if (frame[checksumAt] !== headerChecksum(frame, checksumAt)) {
    throw malformed('the header does not match its checksum')
  }
  // Where the packed size of a block stands the library wants the inflated one.
  const copy = Buffer.from(frame)
  const parts: Buffer[] = []
  let at = checksumAt + 1
  for (;;) {
    const size = copy.readUInt32LE(at)
    if (size === 0) return Buffer.concat(parts)
    const end = at + sizePrefixBytes + (size & lengthBits)
    if (size >= storedBit) parts.push(copy.subarray(at + sizePrefixBytes, end))
    else {
      copy.writeUInt32LE(Math.min(size * maxRatio, blockBytes), at)
      parts.push(uncompressSync(copy.subarray(at, end)))
    }
    at = end
  }
}

/** The frame with the checksum that its header should have. */
export function withRightChecksum(frame: Buffer): Buffer {
  const at = headerEnd(frame) - 1
  const right = headerChecksum(frame, at)
  if (frame[at] === right) return frame
  const copy = Buffer.from(frame)
  copy[at] = right
  return copy
}

interface Measure {
  /** Most bytes that the frame can inflate to, by the sizes of its blocks alone. */
  most: number
  largestBlock: number
}

function measure(frame: Buffer): Measure {
  let at = headerEnd(frame)
  const flags = frame[flagsAt] as number
  const largestBlock = largestBlockOf(frame[largestBlockAt] as number)
  const blockTail = (flags & blockChecksumBit) === 0 ? 0 : 4
  let most = 0
  for (;;) {
    if (frame.length - at < 4) throw malformed('a block is cut off')
    const size = frame.readUInt32LE(at)
    at += 4
    if (size === 0) break
    const length = size & lengthBits
    if (length > largestBlock) throw malformed(`a block of ${length} bytes is too large`)
    most += size >= storedBit ? length : Math.min(length * maxRatio, largestBlock)
    at += length + blockTail
  }
  at += (flags & contentChecksumBit) === 0 ? 0 : 4
  if (at !== frame.length) throw malformed(`the frame ends at ${at} of ${frame.length} bytes`)
  return { most, largestBlock }
}

function headerEnd(frame: Buffer): number {
  if (frame.length < 7 || frame.readUInt32LE(0) !== magic) throw malformed('no frame begins here')
  const flags = frame[flagsAt] as number
  if ((flags & versionBits) !== version || (flags & reservedBits) !== 0) {
    throw malformed(`flags ${flags} are not known`)
  }
  if ((flags & independentBit) === 0) throw malformed('its blocks depend on one another')
  const end = (flags & contentSizeBit) === 0 ? 7 : 15
  if (frame.length < end) throw malformed('the header is cut off')
  return end
}

function largestBlockOf(code: number): number {
  if (code < 4 << 4 || (code & 0x8f) !== 0) throw malformed(`block size ${code} is not known`)
  return 1 << (8 + 2 * (code >> 4))
}

function headerChecksum(frame: Buffer, end: number): number {
  return (xxh32(frame.subarray(flagsAt, end)) >>> 8) & 0xff
}

// XXH32 with seed 0 of fewer than 16 bytes, which is all that a header has.
function xxh32(bytes: Buffer): number {
  let hash = (prime5 + bytes.length) | 0
  let at = 0
  for (; at + 4 <= bytes.length; at += 4) {
    hash = Math.imul(rotate(hash + Math.imul(bytes.readInt32LE(at), prime3), 17), prime4)
  }
  for (; at < bytes.length; at++) {
    hash = Math.imul(rotate(hash + Math.imul(bytes[at] as number, prime5), 11), prime1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2)
  hash = Math.imul(hash ^ (hash >>> 13), prime3)
  return (hash ^ (hash >>> 16)) >>> 0
}

const prime1 = 0x9e3779b1
const prime2 = 0x85ebca77
const prime3 = 0xc2b2ae3d
const prime4 = 0x27d4eb2f
const prime5 = 0x165667b1

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

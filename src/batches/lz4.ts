// Owns LZ4 frames as Kafka's clients and brokers write and take them: blocks that stand for themselves.

import { loadAddon } from '../native/load.ts'
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

// Kafka's default is the fast way, and all others are the slow one (Lz4BlockOutputStream); the library is fast
// below 3, and all from 12 are one.
const fastLevel = 9
const leastHighLevel = 3

interface Lz4 {
  /** Most bytes that a frame of so many takes. */
  frameBound(bytes: number): number
  /** Below level 3 the fast way. Returns the size of the frame, which has room for the bound. */
  compressFrame(plain: Uint8Array, frame: Uint8Array, level: number): number
  /** Returns how many bytes came. Fails where the frame is damaged or `plain` has no room. */
  inflateFrame(frame: Uint8Array, plain: Uint8Array): number
}

const { lz4 } = loadAddon<{ lz4: Lz4 }>()

/** Blocks of 64 KiB and levels from 1 to 17, as in Java. */
export function compressLz4(bytes: Buffer, level = fastLevel): Buffer {
  const high = Math.max(leastHighLevel, level)
  return written(lz4.frameBound(bytes.length), frame =>
    lz4.compressFrame(bytes, frame, level === fastLevel ? 0 : high)
  )
}

export function decompressLz4(frame: Buffer, allowed: number): Buffer {
  const { most, largestBlock } = measure(frame)
  // All blocks but the last are full as a rule, so the estimate is at most one block too high.
  if (most > allowed + largestBlock) throw tooMuch(allowed)
  return written(most, plain => lz4.inflateFrame(frame, plain))
}

// What is small is written here and copied: room for the most that it can be costs more than it is worth.
const scratch = Buffer.allocUnsafeSlow(131_072)

/** What `write` puts at the front of so much room; it returns how much that is. */
function written(room: number, write: (into: Buffer) => number): Buffer {
  if (room <= scratch.length) return Buffer.from(scratch.subarray(0, write(scratch)))
  const own = Buffer.allocUnsafeSlow(room)
  return own.subarray(0, write(own))
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

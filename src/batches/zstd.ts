// Owns Zstandard: frames are measured by their blocks before any is inflated.
//
// A frame is inflated in one go, straight into a buffer of the measured size, so that the window it asks for
// takes no memory.

import * as zstd from '@bokuweb/zstd-wasm'
import { malformed, tooMuch } from './batch-fault.ts'

// magic u32, descriptor u8, window u8 unless single segment, dictionary id, content size, then blocks: header
// u24 (bit 0 last, bits 1 and 2 type, the rest size), data; checksum u32 if flagged. Little-endian. Frames to
// skip: magic u32, size u32, data.
const magic = 0xfd2fb528
const skippedMagic = 0x184d2a50
const singleSegmentBit = 0x20
const reservedBit = 0x08
const checksumBit = 0x04
const maxBlockBytes = 131_072
const blockType = { repeated: 1, compressed: 2 } as const

await zstd.init()

export function compressZstd(bytes: Buffer, level = 3): Buffer {
  return viewOf(zstd.compress(bytes, level))
}

export function decompressZstd(bytes: Buffer, allowed: number): Buffer {
  const frames = splitFrames(bytes)
  const claimed = frames.reduce((sum, frame) => sum + (frame.claimed ?? 0), 0)
  if (claimed > allowed) throw tooMuch(allowed)
  const parts: Buffer[] = []
  let left = allowed
  for (const frame of frames) {
    const part = inflate(frame, left)
    left -= part.length
    parts.push(part)
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}

interface Frame {
  bytes: Buffer
  /** Inflated size by its header, where that tells one. */
  claimed: number | undefined
  /** Most that its blocks can hold. */
  most: number
}

function inflate({ bytes, claimed, most }: Frame, left: number): Buffer {
  if (claimed === 0 || most === 0) return Buffer.alloc(0)
  try {
    return viewOf(zstd.decompress(bytes, { defaultHeapSize: Math.min(most, left) }))
  } catch (cause) {
    // The library gives a number alone, and talks of compressing.
    if (claimed === undefined && most > left) throw tooMuch(left)
    throw malformed('its blocks are damaged', cause)
  }
}

function splitFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 8) throw malformed('a frame is cut off')
    const found = bytes.readUInt32LE(at)
    if ((found & 0xffff_fff0) === skippedMagic) {
      at += 8 + bytes.readUInt32LE(at + 4)
      if (at > bytes.length) throw malformed('a frame to skip is cut off')
      continue
    }
    if (found !== magic) throw malformed(`no frame begins at byte ${at}`)
    const frame = readFrame(bytes, at)
    frames.push(frame)
    at += frame.bytes.length
  }
  if (frames.length === 0) throw malformed('there is no frame')
  return frames
}

function readFrame(bytes: Buffer, start: number): Frame {
  const descriptor = bytes[start + 4] as number
  if ((descriptor & reservedBit) !== 0) throw malformed('a reserved bit is set')
  const isSingle = (descriptor & singleSegmentBit) !== 0
  const sizeAt = start + 5 + (isSingle ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number)
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  if (sizeAt + sizeBytes > bytes.length) throw malformed('the header is cut off')
  const claimed = sizeBytes === 0 ? undefined : readSize(bytes, sizeAt, sizeBytes)
  const { most, end } = measureBlocks(bytes, sizeAt + sizeBytes)
  const frameEnd = end + ((descriptor & checksumBit) === 0 ? 0 : 4)
  if (frameEnd > bytes.length) throw malformed('the checksum is cut off')
  if (claimed !== undefined && claimed > most) {
    throw malformed(`${claimed} bytes are claimed, its blocks hold ${most} at most`)
  }
  return { bytes: bytes.subarray(start, frameEnd), claimed, most }
}

function readSize(bytes: Buffer, at: number, length: number): number {
  if (length === 1) return bytes[at] as number
  if (length === 2) return bytes.readUInt16LE(at) + 256
  if (length === 4) return bytes.readUInt32LE(at)
  return Number(bytes.readBigUInt64LE(at))
}

function measureBlocks(bytes: Buffer, start: number): { most: number; end: number } {
  let at = start
  let most = 0
  for (let isLast = false; !isLast; ) {
    if (bytes.length - at < 3) throw malformed('a block is cut off')
    const header = bytes.readUIntLE(at, 3)
    const size = header >> 3
    const type = (header >> 1) & 3
    if (type > blockType.compressed || size > maxBlockBytes) {
      throw malformed(`a block of type ${type} claims ${size} bytes`)
    }
    most += type === blockType.compressed ? maxBlockBytes : size
    at += 3 + (type === blockType.repeated ? 1 : size)
    isLast = (header & 1) === 1
  }
  return { most, end: at }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

// Owns Snappy in the two framings that batches have: a raw block, as librdkafka writes it, and the blocks of
// the xerial library, as Java does.

import { compressSync, uncompressSync } from 'snappy'
import { malformed, tooMuch } from './batch-fault.ts'

// magic 8 bytes, version i32, oldest compatible version i32, then blocks: length i32, a raw Snappy block.
const magic = Buffer.from('\x82SNAPPY\0', 'latin1')
const headerBytes = 16
const version = 1
const blockBytes = 32_768

// The best element copies 64 bytes for 3: whoever claims more than that has not got it.
const maxRatio = 64 / 3

// Memory of the library's own costs more to take and to give back than the copy does: three times as fast on
// 32 KiB.
const inNodesMemory = { copyOutputData: true }

export function compressSnappy(bytes: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes)
  magic.copy(header)
  header.writeInt32BE(version, 8)
  header.writeInt32BE(version, 12)
  const parts: Buffer[] = [header]
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = compressSync(bytes.subarray(at, at + blockBytes), inNodesMemory)
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

export function decompressSnappy(bytes: Buffer, allowed: number): Buffer {
  const isFramed = bytes.subarray(0, magic.length).equals(magic)
  if (!isFramed) {
    if (claimedBytes(bytes) > allowed) throw tooMuch(allowed)
    return uncompress(bytes)
  }
  const blocks = splitBlocks(bytes)
  const total = blocks.reduce((sum, block) => sum + claimedBytes(block), 0)
  if (total > allowed) throw tooMuch(allowed)
  return Buffer.concat(blocks.map(uncompress), total)
}

// Without the option for text it always gives bytes.
function uncompress(block: Buffer): Buffer {
  return uncompressSync(block, inNodesMemory) as Buffer
}

function splitBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = []
  let at = headerBytes
  while (at < bytes.length) {
    const length = bytes.length - at < 4 ? -1 : bytes.readInt32BE(at)
    at += 4
    if (length < 0 || length > bytes.length - at) throw malformed(`a block is cut off at ${at}`)
    if (length > 0) blocks.push(bytes.subarray(at, at + length))
    at += length
  }
  if (at !== bytes.length) throw malformed('the header is cut off')
  return blocks
}

// A block begins with its inflated size: 32 bits, seven a byte.
function claimedBytes(block: Buffer): number {
  let claimed = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) break
    claimed += (byte & 0x7f) * 2 ** (7 * index)
    if (byte >= 0x80) continue
    if (claimed > block.length * maxRatio) throw malformed(`${claimed} bytes are claimed in vain`)
    return claimed
  }
  throw malformed('the inflated size is cut off')
}

// Owns compression as Kafka's record batches use it, from libraries that share nothing with the code under test.

import { gunzipSync, gzipSync } from 'node:zlib'
import * as zstd from '@bokuweb/zstd-wasm'
import { decompress as unzstd } from 'fzstd'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { compressSync as snap, uncompressSync as unsnap } from 'snappy'
import type { Codec } from './batch-header.ts'

/** Java writes Snappy in the framing of the xerial library, librdkafka writes a raw block; brokers take both. */
export type SnappyFormat = 'raw' | 'xerial'

await zstd.init()

export function compress(codec: Codec, bytes: Buffer, snappy: SnappyFormat = 'xerial'): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gzipSync(bytes)
    case 'snappy':
      return snappy === 'raw' ? snap(bytes) : writeXerial(bytes)
    case 'lz4':
      return compressFrameSync(bytes)
    case 'zstd':
      return Buffer.from(zstd.compress(bytes, 3))
  }
}

export function decompress(codec: Codec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gunzipSync(bytes)
    case 'snappy':
      return bytes.subarray(0, xerialMagic.length).equals(xerialMagic)
        ? readXerial(bytes)
        : (unsnap(bytes) as Buffer)
    case 'lz4':
      return decompressFrameSync(bytes)
    case 'zstd':
      return viewOf(unzstd(bytes))
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

// magic 8 bytes, version i32, oldest compatible version i32, then blocks: length i32, a raw Snappy block.
const xerialMagic = Buffer.from('\x82SNAPPY\0', 'latin1')
const xerialHeaderBytes = 16
const xerialBlockBytes = 32_768

function writeXerial(bytes: Buffer): Buffer {
  const header = Buffer.alloc(xerialHeaderBytes)
  xerialMagic.copy(header)
  header.writeInt32BE(1, 8)
  header.writeInt32BE(1, 12)
  const parts: Buffer[] = [header]
  for (let at = 0; at < bytes.length; at += xerialBlockBytes) {
    const block = snap(bytes.subarray(at, at + xerialBlockBytes))
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

function readXerial(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = xerialHeaderBytes; at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at)
    parts.push(unsnap(bytes.subarray(at + 4, end)) as Buffer)
    at = end
  }
  return Buffer.concat(parts)
}

// Owns compression as batches use it: five codecs, and no more memory than the caller grants, whatever the
// bytes claim.

import { gunzipSync, gzipSync } from 'node:zlib'
import { malformed, tooMuch } from './batch-fault.ts'
import type { Codec } from './codec.ts'
import { compressLz4, decompressLz4, withRightChecksum } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { compressZstd, decompressZstd } from './zstd.ts'

export interface Limits {
  /** Most bytes that a batch may have when it is inflated. */
  maxBytes: number
  /** Most that inflated bytes may be of the compressed ones, where they are over 16 MiB. */
  maxRatio: number
}

// gzip reaches 1,032 and JSON of a careless logger a few hundred; brokers take 1 MB of it unless told otherwise.
export const defaultLimits: Limits = { maxBytes: 128 * 1_048_576, maxRatio: 1_000 }

// This much memory is always there: below it a high ratio does no harm, and small batches of zeros have it.
const harmlessBytes = 16 * 1_048_576

/**
 * `level` is for gzip (1 to 9), lz4 (1 to 17) and zstd (1 to 22), whose own choice holds without it; the
 * others have no levels.
 */
export function compress(codec: Codec, bytes: Buffer, level?: number): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gzipSync(bytes, level === undefined ? {} : { level })
    case 'snappy':
      return compressSnappy(bytes)
    case 'lz4':
      return compressLz4(bytes, level)
    case 'zstd':
      return compressZstd(bytes, level)
  }
}

/**
 * Fails with a BatchFault where the bytes are damaged or would grow beyond the limits. `magic` is the format
 * of the batch they are from: clients that wrote format 0 put a wrong checksum into the header of an LZ4
 * frame, and Kafka overlooks it there.
 */
export function decompress(codec: Codec, bytes: Buffer, limits: Limits, magic = 2): Buffer {
  const allowed = allowedBytes(bytes.length, limits)
  try {
    switch (codec) {
      case 'none':
        return within(bytes, allowed)
      case 'gzip':
        return gunzip(bytes, allowed)
      case 'snappy':
        return within(decompressSnappy(bytes, allowed), allowed)
      case 'lz4':
        return within(
          decompressLz4(magic === 0 ? withRightChecksum(bytes) : bytes, allowed),
          allowed
        )
      case 'zstd':
        return within(decompressZstd(bytes, allowed), allowed)
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw malformed(`cannot inflate ${bytes.length} bytes of ${codec}: ${why}`, cause)
  }
}

function allowedBytes(compressed: number, { maxBytes, maxRatio }: Limits): number {
  return Math.min(maxBytes, Math.max(harmlessBytes, compressed * maxRatio))
}

function within(bytes: Buffer, allowed: number): Buffer {
  if (bytes.length > allowed) throw tooMuch(allowed)
  return bytes
}

// zlib hands over chunk by chunk and is stopped at the limit; the size at the end of the stream is not looked at.
function gunzip(bytes: Buffer, allowed: number): Buffer {
  const chunkSize = Math.min(1_048_576, Math.max(16_384, 4 * bytes.length))
  try {
    return gunzipSync(bytes, { maxOutputLength: allowed, chunkSize })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooMuch(allowed)
    throw error
  }
}

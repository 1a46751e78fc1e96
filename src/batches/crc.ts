// Owns the checksums of batches: CRC-32C in format 2, CRC-32 in the formats before.

import { crc32c as crc32cOf, crc32 as crc32Of } from '@node-rs/crc32'

export function crc32c(bytes: Buffer): number {
  return crc32cOf(bytes)
}

export function crc32(bytes: Buffer): number {
  return crc32Of(bytes)
}

// Owns the codecs' names in the order of their numbers on the wire. Workers cannot take them from the native addon.

import { malformed } from './batch-fault.ts'

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecs)[number]

export function codecOf(attributes: number): Codec {
  const codec = codecs[attributes & 7]
  if (codec === undefined) throw malformed(`expected a codec from 0 to 4, got ${attributes & 7}`)
  return codec
}

export function codecNumber(codec: Codec): number {
  return codecs.indexOf(codec)
}

// Owns the codecs' names in the order of their numbers on the wire. Workers cannot take them from the native addon.

import { malformed } from './batch-fault.ts'

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecs)[number]

/** The others have none here. */
export const levelsOf: { readonly [Name in Codec]?: { min: number; max: number } } = {
  gzip: { min: 1, max: 9 },
  lz4: { min: 1, max: 17 },
  zstd: { min: 1, max: 22 }
}

export type CodecLevels = { readonly [Name in Codec]?: number }

/** How batches that are written anew are compressed. */
export interface Compression {
  /** Undefined: each in the codec that it came with. */
  codec?: Codec
  /** The codec's own choice unless given. */
  levels: CodecLevels
}

export function codecOf(attributes: number): Codec {
  const codec = codecs[attributes & 7]
  if (codec === undefined) throw malformed(`expected a codec from 0 to 4, got ${attributes & 7}`)
  return codec
}

export function codecNumber(codec: Codec): number {
  return codecs.indexOf(codec)
}

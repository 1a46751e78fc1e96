// The handler `sample`: keeps a share of the records, the same ones every time.

import { murmur64 } from '../../batches/murmur.ts'
import type { HandlerModule } from '../record.ts'
import { ArgumentError, missing, readArguments, readChoice } from './arguments.ts'

export const example = '{ rate: 5%, by: key }'

/** By key all records of a key are kept, or none; one without a key is chosen by its offset. */
export function makeSample(args: unknown): HandlerModule {
  const { rate, by } = readArguments(
    args,
    { rate: readRate, by: readChoice(['key', 'offset']) },
    example
  )
  if (rate === undefined) throw missing('rate', example)
  const below = rate * 2 ** 32
  const isByKey = by !== 'offset'
  return {
    default(record) {
      const key = isByKey ? record.key : null
      const hash = key === null ? hashOffset(record.offset) : hashBytes(key)
      return hash < below ? record : null
    }
  }
}

const hashed = new Uint32Array(2)
const offsetView = new DataView(new ArrayBuffer(8))

/** From 0 to 2^32, evenly. */
function hashBytes(bytes: Buffer): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  murmur64(view, 0, bytes.length, 0, 0, hashed, 0)
  return hashed[0] as number
}

function hashOffset(offset: number): number {
  offsetView.setBigUint64(0, BigInt(offset))
  murmur64(offsetView, 0, 8, 0, 0, hashed, 0)
  return hashed[0] as number
}

function readRate(value: unknown): number {
  const percent = typeof value === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(value)?.[1] : undefined
  const rate = percent === undefined ? value : Number(percent) / 100
  if (typeof rate === 'number' && rate > 0 && rate <= 1) return rate
  const got = JSON.stringify(value)
  throw new ArgumentError(`expected a share such as 5% or 0.05, at most 100%, got ${got}`)
}

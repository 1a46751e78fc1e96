// What the bench makes on the clusters: names, and how much is written.

import { randomBytes } from 'node:crypto'
import { connectionCounts, type Load, type SideName } from './types.ts'

/** Every name begins so: rights can be granted for the prefix. */
export const scratchPrefix = 'heliostat-bench-'

/** The same on both sides, as the mirror keeps the names of topics. */
export function newTopicName(): string {
  return `${scratchPrefix}${randomBytes(4).toString('hex')}`
}

/** Each pass of the mirror has a group of its own, so that it begins at the start. */
export function groupOf(topic: string, connections: number): string {
  return `${topic}-${connections}`
}

/** Of one step. */
export function recordsOf({ size, recordBytes }: Pick<Load, 'size' | 'recordBytes'>): number {
  return Math.ceil(size / recordBytes)
}

/** Bytes of records, before compression, in all: the target is written by the producers and by the mirror. */
export function bytesWritten(side: SideName, load: Load): number {
  const once = recordsOf(load) * load.recordBytes
  return side === 'source' ? once : 2 * connectionCounts.length * once
}

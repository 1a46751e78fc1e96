// Decides where a source partition is mirrored from.

import type { AutoOffsetReset } from './types.ts'

export type StartPoint = 'committed' | 'log-start' | 'log-end' | 'refused'

export interface StartFacts {
  /** -1 when nothing is committed. */
  committed: number
  reset: AutoOffsetReset
  /** The partition was there when the mirror started for the first time: nobody has missed its head. */
  wasThereAtFirstStart: boolean
}

/**
 * `latest` leaves out what was written before the mirror's first start, and nothing else: a partition
 * that appeared later, while the mirror ran or while it was down, is mirrored from its first record.
 */
export function chooseStart({ committed, reset, wasThereAtFirstStart }: StartFacts): StartPoint {
  if (committed >= 0) return 'committed'
  if (reset === 'none') return 'refused'
  return reset === 'latest' && wasThereAtFirstStart ? 'log-end' : 'log-start'
}

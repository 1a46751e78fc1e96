// From where on both sides are compared: from their beginning, the last commit, or a time.

import { UsageError } from '../errors.ts'

export type Since = { kind: 'start' } | { kind: 'checkpoint' } | { kind: 'time'; ms: number }

const isoTime =
  /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/

/** A time without a zone is one of this machine, a date alone one of UTC: as JavaScript reads them. */
export function readSince(text: string | undefined): Since {
  if (text === undefined) return { kind: 'start' }
  if (text === 'checkpoint') return { kind: 'checkpoint' }
  const ms = /^\d{1,15}$/.test(text)
    ? Number(text)
    : isoTime.test(text)
      ? Date.parse(text)
      : Number.NaN
  if (Number.isNaN(ms)) {
    throw new UsageError(
      `--since: expected checkpoint, a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970, got "${text}"`
    )
  }
  return { kind: 'time', ms }
}

export function describeSince(since: Since): string {
  switch (since.kind) {
    case 'start':
      return 'the beginning of the logs'
    case 'checkpoint':
      return 'the last commit'
    case 'time':
      return new Date(since.ms).toISOString()
  }
}

// Chooses the offsets of a sample: runs of records, spread evenly over the log.

import { UsageError } from '../errors.ts'

/** A share of the records (0 to 1), or so many of each partition. */
export type Sample = { share: number } | { records: number }

export interface Run {
  from: number
  end: number
}

const mostRuns = 64
/** A batch is read as a whole anyway: runs below this are not worth a read. */
const worthwhile = 100

export function readSample(text: string | undefined): Sample | undefined {
  if (text === undefined) return undefined
  const percent = /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(text)?.[1]
  if (percent !== undefined && Number(percent) > 0 && Number(percent) <= 100) {
    return { share: Number(percent) / 100 }
  }
  if (/^[1-9]\d{0,11}$/.test(text)) return { records: Number(text) }
  throw new UsageError(
    `--sample: expected a share such as 5%, or records of each partition such as 1000, got "${text}"`
  )
}

/** The first run begins at the first offset, and the last one ends with the last. */
export function chooseRuns(from: number, end: number, sample: Sample): Run[] {
  const span = Math.max(0, end - from)
  const wanted = 'share' in sample ? Math.ceil(span * sample.share) : sample.records
  if (span === 0) return []
  if (wanted >= span) return [{ from, end }]
  const count = Math.max(2, Math.min(mostRuns, Math.floor(wanted / worthwhile)))
  const length = Math.max(1, Math.floor(wanted / count))
  return Array.from({ length: count }, (_, index) => {
    const start = from + Math.floor(((span - length) * index) / (count - 1))
    return { from: start, end: start + length }
  })
}

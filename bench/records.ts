// Owns the values that cells are filled with: sample documents or, where those are too large, pieces of them.

import { leastRecordBytes, sampleRecords } from '../src/bench/sample-records.ts'

// Long enough that most pieces begin and end inside of a document.
const wholeBytes = 1_000

/** `count` texts of exactly `bytes` bytes each, without line ends. */
export function recordValues(count: number, bytes: number): string[] {
  if (bytes >= leastRecordBytes) return sampleRecords(count, bytes)
  const text = sampleRecords(Math.ceil((count * bytes) / wholeBytes), wholeBytes).join('')
  return Array.from({ length: count }, (_, index) => text.slice(index * bytes, (index + 1) * bytes))
}

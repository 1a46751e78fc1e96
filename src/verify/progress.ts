// How far a verification is, in one line on the terminal.

import type { StatusLine } from '../observe/status-line.ts'
import { formatCount } from '../observe/units.ts'
import type { Comparison, ComparisonProgress } from './comparison.ts'

const drawMs = 500

/** Returns the function that ends it. */
export function watchComparison(comparison: Comparison, line: StatusLine | undefined): () => void {
  if (!line) return () => undefined
  let before = { at: performance.now(), progress: comparison.progress() }
  const timer = setInterval(() => {
    const now = { at: performance.now(), progress: comparison.progress() }
    line.draw(describe(now.progress, before.progress, (now.at - before.at) / 1_000))
    before = now
  }, drawMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    line.clear()
  }
}

function describe(
  { lanes, lanesDone, records, bytesRead, different }: ComparisonProgress,
  before: ComparisonProgress,
  seconds: number
): string {
  const rate = (bytesRead - before.bytesRead) / 1e6 / Math.max(0.001, seconds)
  const parts = [
    `${formatCount(lanesDone)} of ${formatCount(lanes)} lanes`,
    `${formatCount(records)} records read`,
    `${rate.toFixed(1)} MB/s`
  ]
  if (different > 0) parts.push(`${formatCount(different)} different`)
  return parts.join(' · ')
}

// Owns what a mirror tells from outside: its memory and descriptors by the kernel, its retries by its metrics.

import { readdirSync, readFileSync } from 'node:fs'

export type Figures = { rssBytes: number; peakRssBytes: number; descriptors: number }

/** Undefined for a process that is gone, and where there is no /proc. */
export function readFigures(pid: number): Figures | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return {
      rssBytes: kilobytes(status, 'VmRSS') * 1_024,
      peakRssBytes: kilobytes(status, 'VmHWM') * 1_024,
      descriptors: readdirSync(`/proc/${pid}/fd`).length
    }
  } catch {
    return undefined
  }
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
}

const answerLimitMs = 1_000

/** Undefined while it does not answer: it starts, sleeps or is busy. */
export async function readRetries(http: string): Promise<number | undefined> {
  try {
    const response = await fetch(`http://${http}/metrics`, {
      signal: AbortSignal.timeout(answerLimitMs)
    })
    const rows = (await response.text()).matchAll(/^heliostat_retried_batches_total\S* (\S+)$/gm)
    return [...rows].reduce((sum, [, value]) => sum + Number(value), 0)
  } catch {
    return undefined
  }
}

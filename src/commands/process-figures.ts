// What this process has used so far.

import { readFileSync } from 'node:fs'
import { packageVersion } from '../observe/package-version.ts'
import type { ProcessFigures } from '../observe/report.ts'

export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage()
  return {
    version: packageVersion,
    endedAt: Date.now(),
    cpuSeconds: (user + system) / 1e6,
    peakRssBytes: peakRssBytes()
  }
}

/** The kernel's other figure, `ru_maxrss`, begins with what the process had that started this one. */
function peakRssBytes(): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    if (kib !== undefined) return Number(kib) * 1_024
  } catch {
    // Not every system has /proc.
  }
  return process.resourceUsage().maxRSS * 1_024
}

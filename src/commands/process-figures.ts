// What this process has used so far.

import { packageVersion } from '../observe/package-version.ts'
import type { ProcessFigures } from '../observe/report.ts'

export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage()
  return {
    version: packageVersion,
    endedAt: Date.now(),
    cpuSeconds: (user + system) / 1e6,
    peakRssBytes: process.resourceUsage().maxRSS * 1_024
  }
}

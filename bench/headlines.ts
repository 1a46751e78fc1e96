// Owns the three figures that tables lead with, charts draw and comparisons compare, for each kind of ends.

import type { Figure } from './measurement.ts'
import type { Scenario } from './scenarios.ts'

export interface Headline {
  title: string
  figure: Figure
  digits: number
}

export type Subject = 'rate' | 'cpu' | 'memory'

const memory = { title: 'peak RSS MB', figure: 'peakRssMb', digits: 0 } as const

export const headlines: Readonly<Record<Scenario['ends'], Readonly<Record<Subject, Headline>>>> = {
  real: {
    rate: { title: 'MB/s of records', figure: 'recordMbPerSecond', digits: 0 },
    cpu: { title: 'CPU-s per GB of records', figure: 'cpuPerRecordGb', digits: 2 },
    memory
  },
  stub: {
    rate: { title: 'MB/s on the wire', figure: 'wireMbPerSecond', digits: 0 },
    cpu: { title: 'CPU-s per GB on the wire, moving', figure: 'movingCpuPerWireGb', digits: 3 },
    memory
  }
}

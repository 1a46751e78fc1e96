// Owns what the project claims of its own speed, as rows that the report checks against a result.
// Nothing fails when a claim is missed: the report says so.

import type { ContenderName } from './contender.ts'
import type { Figure } from './measurement.ts'

export interface Claim {
  cell: string
  figure: Figure
  /** The figure is divided by this contender's; without one it stands alone. */
  against?: ContenderName
  least?: number
  most?: number
}

export const claims: readonly Claim[] = [
  { cell: 'real-256k', figure: 'cpuPerRecordGb', against: 'mirror-maker-1', most: 1 / 10 },
  { cell: 'real-256k', figure: 'cpuPerRecordGb', against: 'mirror-maker-2', most: 1 / 10 },
  { cell: 'real-256k', figure: 'recordMbPerSecond', against: 'mirror-maker-1', least: 1.5 },
  { cell: 'real-256k', figure: 'recordMbPerSecond', against: 'mirror-maker-2', least: 1.5 },
  { cell: 'real-16k', figure: 'cpuPerRecordGb', against: 'mirror-maker-1', most: 1 / 10 },
  { cell: 'real-16k', figure: 'cpuPerRecordGb', against: 'mirror-maker-2', most: 1 / 10 },
  { cell: 'real-single-partition', figure: 'wireMbPerSecond', least: 100 },
  { cell: 'stub-256k', figure: 'wireMbPerSecond', against: 'raw-relay', least: 0.9 },
  { cell: 'stub-256k', figure: 'movingCpuPerWireGb', against: 'raw-relay', most: 1.8 },
  { cell: 'stub-16k', figure: 'wireMbPerSecond', against: 'raw-relay', least: 0.7 },
  { cell: 'stub-16k', figure: 'movingCpuPerWireGb', against: 'raw-relay', most: 2.2 },
  { cell: 'stub-backlog', figure: 'peakRssMb', most: 300 },
  { cell: 'stub-backlog', figure: 'mainThreadPercent', most: 2 }
]

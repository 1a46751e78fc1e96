// Owns what the project claims of its own speed, as rows that the report checks against a result.
// Nothing fails when a claim is missed: the report says so.

import type { ContenderName } from './contender.ts'
import type { Figure } from './measurement.ts'

export interface Claim {
  cell: string
  figure: Figure
  /** Whose figure it is; heliostat's unless given. */
  contender?: ContenderName
  /** The figure is divided by this contender's; without one, and without `againstCell`, it stands alone. */
  against?: ContenderName
  /** The figure is divided by heliostat's own in this cell. */
  againstCell?: string
  least?: number
  most?: number
}

const recordByRecord = ['mirror-maker-1', 'mirror-maker-2', 'node-rdkafka-loop'] as const

export const claims: readonly Claim[] = [
  ...recordByRecord.flatMap((against): Claim[] => [
    { cell: 'real-256k', figure: 'cpuPerRecordGb', against, most: 1 / 12 },
    { cell: 'real-16k', figure: 'cpuPerRecordGb', against, most: 1 / 12 }
  ]),
  { cell: 'real-256k', figure: 'recordMbPerSecond', against: 'mirror-maker-1', least: 1.5 },
  { cell: 'real-256k', figure: 'recordMbPerSecond', against: 'mirror-maker-2', least: 1.5 },
  {
    cell: 'real-256k',
    figure: 'cpuPerRecordGb',
    contender: 'heliostat-rewrite',
    against: 'mirror-maker-2',
    most: 1 / 2.5
  },
  {
    cell: 'real-256k',
    figure: 'cpuPerRecordGb',
    contender: 'heliostat-filter',
    against: 'mirror-maker-2',
    most: 1 / 4
  },
  { cell: 'real-256k', figure: 'mainThreadPercent', contender: 'heliostat-rewrite', most: 15 },
  { cell: 'real-16k-80ms', figure: 'recordMbPerSecond', against: 'mirror-maker-2', least: 5 },
  {
    cell: 'real-16k-80ms-target',
    figure: 'recordMbPerSecond',
    against: 'mirror-maker-2',
    least: 5
  },
  {
    cell: 'real-one-record-20ms-target',
    figure: 'recordMbPerSecond',
    against: 'heliostat-merge-off',
    least: 20
  },
  { cell: 'real-single-partition', figure: 'wireMbPerSecond', least: 100 },
  { cell: 'stub-256k', figure: 'wireMbPerSecond', against: 'raw-relay', least: 0.95 },
  { cell: 'stub-256k', figure: 'movingCpuPerWireGb', against: 'raw-relay', most: 1.5 },
  { cell: 'stub-16k', figure: 'wireMbPerSecond', against: 'raw-relay', least: 0.8 },
  { cell: 'stub-16k', figure: 'movingCpuPerWireGb', against: 'raw-relay', most: 2.2 },
  { cell: 'stub-4k', figure: 'wireMbPerSecond', against: 'raw-relay', least: 0.5 },
  {
    cell: 'stub-partitions-10000',
    figure: 'wireMbPerSecond',
    againstCell: 'stub-256k',
    least: 0.6
  },
  { cell: 'stub-backlog', figure: 'peakRssMb', most: 300 },
  { cell: 'stub-backlog', figure: 'mainThreadPercent', most: 2 }
]

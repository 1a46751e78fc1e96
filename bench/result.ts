// Owns the shape of a benchmark's result: what the JSON file holds and the reports are made from.

import type { Machine, Versions } from './machine.ts'
import type { CellResult } from './runner.ts'
import type { Verdict } from './verdict.ts'

export interface LeftOut {
  contender: string
  reason: string
}

export interface Result {
  startedAt: string
  /** The bench's own options. */
  settings: { argv: readonly string[] }
  units: string
  machine: Machine
  versions: Versions
  contenders: Readonly<Record<string, string>>
  leftOut: LeftOut[]
  cells: CellResult[]
  verdicts: Verdict[]
}

export const units =
  'MB = 10^6 bytes, GB = 10^9 bytes, KiB = 1,024 bytes; CPU is user plus system of the contender alone'

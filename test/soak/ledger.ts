// Owns the ledger of a soak: what was done, what came of it, and the verdict.

import type { Load } from './load.ts'
import type { Said } from './members.ts'

export type Healed = {
  /** Until every lane had committed what the source had when the last fault was over. */
  recoveryMs: number
  /** Of the mirror that is never killed. */
  rssBytes: number
  descriptors: number
}

export type Ledger = {
  seed: number
  versions: { source: string; target: string }
  minutes: number
  faults: ReadonlyMap<string, number>
  /** Exit codes of mirrors that were asked to end while faults went on. */
  exits: ReadonlyMap<string, number>
  healed: readonly Healed[]
  loads: readonly Load[]
  said: Said
  peakRssBytes: number
  differences: readonly string[]
}

/** Descriptors by which the witness may differ between heals: connections come and go with the brokers. */
const descriptorsLeeway = 40

/** All that is wrong, in sentences; a run without any has passed. */
export function findFaulty({ differences, said, healed }: Ledger): string[] {
  const [first, last] = [healed[0], healed.at(-1)]
  const grown = first && last ? last.descriptors - first.descriptors : 0
  const leak = grown > descriptorsLeeway ? [`descriptors grew by ${grown} between two heals`] : []
  return [...differences, ...said.wrong, ...leak]
}

export function showLedger(ledger: Ledger): string {
  const { seed, versions, minutes, faults, exits, healed, loads, said, peakRssBytes } = ledger
  const rows: [string, string][] = [
    ['seed', `${seed}`],
    ['brokers', `${versions.source} to ${versions.target}, three nodes`],
    ['time', `${minutes.toFixed(1)} minutes`],
    ['faults', counts(faults)],
    ['exit codes', exits.size === 0 ? 'none' : counts(exits)],
    ['mirrors', `${said.lives} lives`],
    ['records', loads.map(({ shape, records }) => `${shape.topic} ${records}`).join(', ')],
    ['behind commits', `${said.arrived} records found`],
    ['looked anew', `${said.resumes} lanes`],
    ['retried batches', `${said.retries}`],
    ['maybe doubled', `${said.maybeDoubled} records`],
    [
      'recovery',
      `${healed.map(({ recoveryMs }) => Math.round(recoveryMs)).join(' ')} ms after heals`
    ],
    ['memory', `${megabytes(peakRssBytes)} MB at most`],
    [
      'witness',
      healed
        .map(({ rssBytes, descriptors }) => `${megabytes(rssBytes)} MB/${descriptors} fds`)
        .join(', ')
    ]
  ]
  const wrong = findFaulty(ledger)
  const verdict = wrong.length === 0 ? ['no difference'] : ['DIFFERENCES', ...wrong]
  return [...rows.map(([name, text]) => `${name.padEnd(16)} ${text}`), ...verdict].join('\n')
}

function counts(of: ReadonlyMap<string, number>): string {
  return [...of]
    .sort()
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

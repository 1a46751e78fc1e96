// Source batches by the path that they took, and by the reason where that was not the shallow one.

import type { LaneCounts } from './lane-counts.ts'

/** Sent rebuilt. */
const resealed = {
  'head-trim': 'resealHeadTrim',
  holes: 'resealHoles',
  'old-format': 'resealOldFormat',
  'old-broker': 'resealOldBroker',
  'append-time': 'resealAppendTime',
  'too-large': 'resealTooLarge',
  refused: 'resealRefused',
  'codec-unsupported': 'resealCodecUnsupported',
  forced: 'resealForced'
} as const satisfies Record<string, keyof LaneCounts>

/** Not sent. */
const skipped = {
  control: 'skippedControl',
  aborted: 'skippedAborted',
  empty: 'skippedEmpty',
  'already-there': 'skippedArrived'
} as const satisfies Record<string, keyof LaneCounts>

const counters = {
  shallow: 'batchesShallow',
  'tiny-batches': 'batchesMerged',
  handler: 'transformed',
  ...resealed,
  ...skipped
} as const

export type BatchPath = keyof typeof counters

/** What has none is left out. */
export type BatchPaths = Readonly<Partial<Record<BatchPath, number>>>

const paths = Object.keys(counters) as BatchPath[]

export function batchPathsOf(counts: LaneCounts): BatchPaths {
  return collect(path => counts[counters[path]])
}

export function addBatchPaths(parts: readonly BatchPaths[]): BatchPaths {
  return collect(path => parts.reduce((sum, part) => sum + (part[path] ?? 0), 0))
}

function collect(count: (path: BatchPath) => number): BatchPaths {
  return Object.fromEntries(paths.map(path => [path, count(path)]).filter(([, n]) => n !== 0))
}

export function countResealed(counts: LaneCounts): number {
  return sum(counts, Object.values(resealed))
}

export function countSkipped(counts: LaneCounts): number {
  return sum(counts, Object.values(skipped))
}

function sum(counts: LaneCounts, names: readonly (keyof LaneCounts)[]): number {
  return names.reduce((total, name) => total + counts[name], 0)
}

/** `shallow:120,holes:3`: how it travels in the metadata of a commit. */
export function encodeBatchPaths(counts: BatchPaths): string {
  return Object.entries(counts)
    .map(([path, count]) => `${path}:${count}`)
    .join(',')
}

/** Paths that this version does not know are passed over. */
export function decodeBatchPaths(text: string): BatchPaths {
  const told = new Map(text.split(',').map(pair => pair.split(':') as [string, string]))
  return collect(path => {
    const count = Number(told.get(path) ?? 0)
    return Number.isSafeInteger(count) && count > 0 ? count : 0
  })
}

// Owns the table of cells (which data, between which ends, for which contenders), the default set, and the series
// that cells make up.

import type { Codec } from '../test/support/batch-header.ts'
import type { ContenderName } from './contender.ts'

interface Shape {
  name: string
  says: string
  codec: Codec
  /** Size of a record's value. */
  recordBytes: number
  /** Size of a batch as it travels, compressed. */
  batchBytes: number
  partitions: number
  contenders: readonly ContenderName[]
  repeats: number
  /** Where it spends its time is listed after the cell's runs. */
  profiled?: ContenderName
}

/** How far the sides are; without anything they are near. */
export interface Distance {
  /** To one of the sides, by a proxy that delays every byte. */
  roundTripMs?: number | undefined
  /** The side that is far; the source unless named, since a mirror is best run beside its target. */
  far?: 'target' | undefined
}

/** How mirrors reach real brokers; without anything it is plain text and near. */
export interface Way extends Distance {
  /** On both sides. */
  tls?: true | undefined
}

export interface RealScenario extends Shape, Way {
  ends: 'real'
  /** Size of all values before compression, and before compaction, which takes about half. */
  totalRecordBytes: number
  /** What is special about the source topic; a plain one is dense. */
  topicShape?: 'compacted' | 'transactional'
}

export interface StubScenario extends Shape, Distance {
  ends: 'stub'
  /** Over which the partitions are spread evenly; one unless given. */
  topics?: number
  /** Connections of the contender to each end; as many as it has by itself unless given. */
  streams?: number
  /** Size of all batches, compressed. */
  totalWireBytes: number
}

export type Scenario = RealScenario | StubScenario

export const mirrors = [
  'heliostat',
  'mirror-maker-1',
  'mirror-maker-2',
  'node-rdkafka-loop'
] as const
const allMirrors = [
  'heliostat',
  'heliostat-at-least-once',
  'heliostat-rewrite',
  'heliostat-filter',
  'mirror-maker-1',
  'mirror-maker-2',
  'mirror-maker-2-defaults',
  'node-rdkafka-loop'
] as const
const relays = ['heliostat', 'raw-relay', 'splice-relay'] as const
const kib = 1024

const real = { ends: 'real', codec: 'lz4', recordBytes: kib, repeats: 3 } as const
const stub = { ends: 'stub', codec: 'lz4', recordBytes: kib } as const

const far = {
  ...real,
  batchBytes: 16 * kib,
  partitions: 16,
  roundTripMs: 80,
  contenders: ['heliostat', 'mirror-maker-2']
} as const

// Cells of curves: the relay beside them shows how the machine was at that time.
const largeBatches = {
  ...stub,
  batchBytes: 256 * kib,
  contenders: ['heliostat', 'raw-relay'],
  repeats: 3
} as const

export const scenarios: readonly Scenario[] = [
  {
    ...real,
    name: 'real-256k',
    says: 'real brokers, 256 KiB batches',
    batchBytes: 256 * kib,
    partitions: 16,
    totalRecordBytes: 1.5e9,
    contenders: allMirrors
  },
  {
    ...real,
    name: 'real-16k',
    says: 'real brokers, 16 KiB batches',
    batchBytes: 16 * kib,
    partitions: 16,
    totalRecordBytes: 2e9,
    contenders: mirrors
  },
  {
    ...real,
    name: 'real-single-partition',
    says: 'real brokers, one partition, 256 KiB batches',
    batchBytes: 256 * kib,
    partitions: 1,
    totalRecordBytes: 3e9,
    contenders: ['heliostat']
  },
  {
    ...far,
    name: 'real-16k-80ms',
    says: 'real brokers, 16 KiB batches, 80 ms to the source and back',
    totalRecordBytes: 1e9
  },
  {
    // Little, since MirrorMaker 2 brings one batch of each partition a round trip.
    ...far,
    name: 'real-16k-80ms-target',
    says: 'real brokers, 16 KiB batches, 80 ms to the target and back',
    far: 'target',
    totalRecordBytes: 0.1e9
  },
  {
    // Little, since unmerged it brings 250 batches a second.
    ...real,
    name: 'real-one-record-20ms-target',
    says: 'real brokers, one partition, 100-byte batches of one record, 20 ms to the target and back',
    codec: 'none',
    recordBytes: 100,
    batchBytes: 1,
    partitions: 1,
    roundTripMs: 20,
    far: 'target',
    totalRecordBytes: 1e6,
    contenders: ['heliostat', 'heliostat-merge-off']
  },
  {
    ...stub,
    name: 'stub-256k',
    says: 'stub ends, 256 KiB batches: the mirror is the bound',
    batchBytes: 256 * kib,
    partitions: 16,
    totalWireBytes: 5.25e9,
    contenders: relays,
    repeats: 3,
    profiled: 'heliostat'
  },
  {
    ...stub,
    name: 'stub-16k',
    says: 'stub ends, 16 KiB batches',
    batchBytes: 16 * kib,
    partitions: 16,
    totalWireBytes: 5.25e9,
    contenders: relays,
    repeats: 3
  },
  {
    ...stub,
    name: 'stub-4k',
    says: 'stub ends, 4 KiB batches',
    batchBytes: 4 * kib,
    partitions: 16,
    totalWireBytes: 5.25e9,
    contenders: relays,
    repeats: 3
  },
  {
    ...stub,
    name: 'stub-one-record',
    says: 'stub ends, batches of one record',
    batchBytes: 890, // what one record of 1 KiB comes to
    partitions: 16,
    totalWireBytes: 1e9,
    contenders: ['heliostat', 'raw-relay'],
    repeats: 3
  },
  {
    ...stub,
    name: 'stub-1m',
    says: 'stub ends, 1 MiB batches',
    batchBytes: 1024 * kib,
    partitions: 16,
    totalWireBytes: 5.25e9,
    contenders: ['heliostat', 'raw-relay'],
    repeats: 3
  },
  {
    ...largeBatches,
    name: 'stub-partitions-1',
    says: 'stub ends, one partition',
    partitions: 1,
    totalWireBytes: 5.25e9
  },
  {
    ...largeBatches,
    name: 'stub-partitions-128',
    says: 'stub ends, 128 partitions',
    partitions: 128,
    totalWireBytes: 5.25e9
  },
  {
    ...largeBatches,
    name: 'stub-partitions-1000',
    says: 'stub ends, 1,000 partitions',
    partitions: 1_000,
    totalWireBytes: 5.25e9
  },
  ...[100, 1_000].map(
    (topics): StubScenario => ({
      ...largeBatches,
      name: `stub-topics-${topics}`,
      says: `stub ends, 1,000 partitions in ${topics.toLocaleString('en-US')} topics`,
      partitions: 1_000,
      topics,
      totalWireBytes: 5.25e9
    })
  ),
  ...[1, 2, 4, 8].map(
    (streams): StubScenario => ({
      ...largeBatches,
      name: `stub-streams-${streams}`,
      says: `stub ends, connections to each: ${streams}`,
      partitions: 16,
      streams,
      totalWireBytes: 5.25e9
    })
  ),
  {
    // Eight batches a partition: lanes are still being started while the first ones move.
    ...largeBatches,
    name: 'stub-partitions-10000',
    says: 'stub ends, 10,000 partitions',
    partitions: 10_000,
    totalWireBytes: 20.9e9
  },
  {
    // Long enough that ten seconds at full speed lie within it.
    ...stub,
    name: 'stub-backlog',
    says: 'stub ends, a backlog of more than 20 GB: peak memory and the main thread',
    batchBytes: 256 * kib,
    partitions: 16,
    totalWireBytes: 36e9,
    contenders: ['heliostat'],
    repeats: 3
  }
]

export const sets = ['default', 'full'] as const

/** Ten minutes at most on two cores; the full set is every cell above and a walk through the matrix of the others. */
export const defaultCells: readonly string[] = ['real-256k', 'stub-256k', 'stub-16k', 'stub-4k']

/** Cells of which each differs in the same one thing: a curve over it. */
export interface Series {
  name: string
  says: string
  x: 'partitions' | 'topics' | 'streams' | 'batchBytes'
  /** What the x axis counts: x divided by `per`. */
  unit: string
  per: number
  cells: readonly string[]
}

export const series: readonly Series[] = [
  {
    name: 'partitions',
    says: 'stub ends, 256 KiB batches, by number of partitions',
    x: 'partitions',
    unit: 'partitions',
    per: 1,
    cells: [
      'stub-partitions-1',
      'stub-256k',
      'stub-partitions-128',
      'stub-partitions-1000',
      'stub-partitions-10000'
    ]
  },
  {
    name: 'topics',
    says: 'stub ends, 256 KiB batches, 1,000 partitions, by number of topics',
    x: 'topics',
    unit: 'topics',
    per: 1,
    cells: ['stub-partitions-1000', 'stub-topics-100', 'stub-topics-1000']
  },
  {
    name: 'streams',
    says: 'stub ends, 256 KiB batches, 16 partitions, by connections to each end',
    x: 'streams',
    unit: 'connections to each end',
    per: 1,
    cells: ['stub-streams-1', 'stub-streams-2', 'stub-streams-4', 'stub-streams-8']
  },
  {
    name: 'batch-size',
    says: 'stub ends, 16 partitions, by size of a batch',
    x: 'batchBytes',
    unit: 'KiB a batch, compressed',
    per: kib,
    cells: ['stub-one-record', 'stub-4k', 'stub-16k', 'stub-256k', 'stub-1m']
  }
]

/** Where a cell stands on the x axis of a series. */
export function placeIn(scenario: Scenario, x: Series['x']): number {
  if (x === 'partitions' || x === 'batchBytes') return scenario[x]
  return (scenario.ends === 'stub' ? scenario[x] : undefined) ?? 1
}

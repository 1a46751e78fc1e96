// Owns the table of cells: which data, between which ends, for which contenders.

import type { ContenderName } from './contender.ts'

interface Shape {
  name: string
  says: string
  codec: 'lz4'
  /** Size of a record's value. */
  recordBytes: number
  /** Size of a batch as it travels, compressed. */
  batchBytes: number
  partitions: number
  contenders: readonly ContenderName[]
  repeats: number
}

export interface RealScenario extends Shape {
  ends: 'real'
  /** Size of all values before compression. */
  totalRecordBytes: number
}

export interface StubScenario extends Shape {
  ends: 'stub'
  /** Size of all batches, compressed. */
  totalWireBytes: number
}

export type Scenario = RealScenario | StubScenario

const mirrors = ['heliostat', 'mirror-maker-1', 'mirror-maker-2', 'node-rdkafka-loop'] as const
const relays = ['heliostat', 'raw-relay', 'splice-relay'] as const
const kib = 1024

export const scenarios: readonly Scenario[] = [
  {
    name: 'real-256k',
    says: 'real brokers, 256 KiB batches',
    ends: 'real',
    codec: 'lz4',
    recordBytes: kib,
    batchBytes: 256 * kib,
    partitions: 16,
    totalRecordBytes: 3e9,
    contenders: mirrors,
    repeats: 3
  },
  {
    name: 'real-16k',
    says: 'real brokers, 16 KiB batches',
    ends: 'real',
    codec: 'lz4',
    recordBytes: kib,
    batchBytes: 16 * kib,
    partitions: 16,
    totalRecordBytes: 2e9,
    contenders: mirrors,
    repeats: 3
  },
  {
    name: 'real-single-partition',
    says: 'real brokers, one partition, 256 KiB batches',
    ends: 'real',
    codec: 'lz4',
    recordBytes: kib,
    batchBytes: 256 * kib,
    partitions: 1,
    totalRecordBytes: 3e9,
    contenders: ['heliostat'],
    repeats: 3
  },
  {
    name: 'stub-256k',
    says: 'stub ends, 256 KiB batches: the mirror is the bound',
    ends: 'stub',
    codec: 'lz4',
    recordBytes: kib,
    batchBytes: 256 * kib,
    partitions: 16,
    totalWireBytes: 10.5e9,
    contenders: relays,
    repeats: 5
  },
  {
    name: 'stub-16k',
    says: 'stub ends, 16 KiB batches',
    ends: 'stub',
    codec: 'lz4',
    recordBytes: kib,
    batchBytes: 16 * kib,
    partitions: 16,
    totalWireBytes: 10.5e9,
    contenders: relays,
    repeats: 5
  },
  {
    name: 'stub-4k',
    says: 'stub ends, 4 KiB batches',
    ends: 'stub',
    codec: 'lz4',
    recordBytes: kib,
    batchBytes: 4 * kib,
    partitions: 16,
    totalWireBytes: 10.5e9,
    contenders: relays,
    repeats: 5
  },
  {
    // Long enough that ten seconds at full speed lie within it.
    name: 'stub-backlog',
    says: 'stub ends, a backlog of more than 20 GB: peak memory and the main thread',
    ends: 'stub',
    codec: 'lz4',
    recordBytes: kib,
    batchBytes: 256 * kib,
    partitions: 16,
    totalWireBytes: 36e9,
    contenders: ['heliostat'],
    repeats: 1
  }
]

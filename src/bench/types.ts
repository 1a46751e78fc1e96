// What the bench of a link is told, and what it finds. MB is 10^6 bytes.

import type { LinkConfig, TargetConfig } from '../mirror/types.ts'
import type { CodecSettings } from '../topics/codec-rules.ts'

/** Connections to each broker, one step for each. */
export const connectionCounts = [1, 2, 4] as const

/** What one step moves, and how it lies on the clusters. */
export interface Load {
  /** Bytes of records, before compression, that each step moves. */
  size: number
  recordBytes: number
  /** Of a batch, before compression. */
  batchBytes: number
  partitions: number
}

export interface Subject {
  own: LinkConfig
  target: TargetConfig
  codecs: CodecSettings
  load: Load
  /** Replicas of the scratch topics; never more than one a broker. */
  replicationFactor: number | undefined
  adminTimeoutMs: number
}

export type SideName = 'source' | 'target'

export type StepKind = 'fill' | 'fetch' | 'produce' | 'mirror'

export interface Latency {
  averageMs: number
  maxMs: number
}

/** What one step moved and how long that took. */
export interface Step {
  kind: StepKind
  /** To each broker of the sides that it uses. */
  connections: number
  records: number
  /** Before compression: the values of the records. */
  recordBytes: number
  /** Compressed batches as they cross the network; of producers with the heads of their requests. */
  wireBytes: number
  seconds: number
  recordsPerSecond: number
  recordMegabytesPerSecond: number
  wireMegabytesPerSecond: number
  /** From a request to its answer; the mirror does not tell. */
  latency: Latency | undefined
  /** User and system, of this process. */
  cpuSeconds: number
  /** How busy the main thread was, 0 to 1. */
  mainThread: number
}

/** Of a small request, in milliseconds. */
export interface RoundTrip {
  medianMs: number
  p99Ms: number
  samples: number
}

export interface ClusterFacts {
  side: SideName
  alias: string
  bootstrapServers: string
  clusterId: string
  brokers: number
  /** Of the scratch topic. */
  replicationFactor: number
}

export interface BenchResult {
  clusters: readonly ClusterFacts[]
  roundTrips: Readonly<Record<SideName, RoundTrip>>
  steps: readonly Step[]
}

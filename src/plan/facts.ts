// What a plan is decided from: the answers of both clusters, and what they would not tell.

import type { Codec } from '../batches/codec.ts'
import type { CreationPolicy, LinkConfig } from '../mirror/types.ts'
import type {
  BrokerMetadata,
  CommittedOffset,
  ConfigEntry,
  GroupDescription,
  KafkaFailure,
  PartitionHeaders,
  TopicMetadata
} from '../native/index.ts'
import type { SourceTopic } from '../topics/create.ts'
import type { LeftOut } from '../topics/select.ts'
import type { ProducerMemory } from './age.ts'

/** Something that a cluster refused to tell; the plan goes on without it. */
export interface Unknown {
  failure: KafkaFailure
}

export interface ConfigFacts {
  /** By topic. */
  entries: ReadonlyMap<string, readonly ConfigEntry[]>
  /** Topics whose configs could not be read. */
  refused: readonly { topic: string; failure: KafkaFailure }[]
}

/** Offsets by lane name; a lane that is missing has none that is known. */
export type Offsets = ReadonlyMap<string, number>

export interface ClusterFacts {
  alias: string
  /** Empty when its brokers have none. */
  clusterId: string
  bootstrapServers: string
  /** Whom ACLs are granted to, as far as the configuration says. */
  principal: string
  brokers: readonly BrokerMetadata[]
  configs: ConfigFacts
}

export interface SourceFacts extends ClusterFacts {
  own: LinkConfig
  /** As a `Cluster` tells it. */
  fetchVersion: number
  /** Those that would be mirrored. */
  topics: readonly SourceTopic[]
  leftOut: readonly LeftOut[]
  /** By topic, of those that are recompressed. */
  forcedCodecs?: ReadonlyMap<string, Codec>
  /** Whether handlers see the records of a topic. */
  isHandled(topic: string): boolean
  /** Topics of the cluster that the pattern does not match. */
  notMatched: number
  /** Leader by lane name; -1 while there is none. */
  leaders: ReadonlyMap<string, number>
  group: GroupDescription | Unknown
  /** By lane name. */
  committed: ReadonlyMap<string, CommittedOffset> | Unknown
  logStarts: Offsets
  /** Up to where records can be read: the last stable offset under read_committed. */
  readableEnds: Offsets
  logEnds: Offsets
  /** Of the first record that is younger than what the target remembers; -1 where there is none. */
  freshFrom: Offsets
  /** By lane name, of the lanes that were looked into. */
  headers: ReadonlyMap<string, PartitionHeaders> | Unknown
}

export interface TargetFacts extends ClusterFacts {
  /** Only those that the sources' topics would be mirrored to. */
  topics: ReadonlyMap<string, TopicMetadata>
  logStarts: Offsets
  logEnds: Offsets
  memory: ProducerMemory
}

export interface Facts {
  sources: readonly SourceFacts[]
  target: TargetFacts
  creation: CreationPolicy
  /** For times of records; ms since the epoch. */
  now: number
}

export function isKnown<Fact extends object>(fact: Fact | Unknown): fact is Fact {
  return !('failure' in fact)
}

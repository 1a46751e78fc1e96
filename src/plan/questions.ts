// Single questions to a cluster: what it refuses to tell is left open, and many topics are asked for in parts.

import { setTimeout as delay } from 'node:timers/promises'
import { describeFailure } from '../errors.ts'
import { laneName } from '../mirror/lane.ts'
import {
  type Cluster,
  type ConfigEntry,
  failureOf,
  type Isolation,
  type PartitionOffset,
  type TopicPartition
} from '../native/index.ts'
import { type ConfigFacts, isKnown, type Offsets, type SourceFacts, type Unknown } from './facts.ts'

/** Most time for one answer. */
export const timeoutMs = 20_000
const topicsPerRequest = 200
const requestsAtOnce = 3

/** Some requests at a time, so that many topics neither wait for each other nor crowd a broker. */
export async function readConfigs(
  cluster: Cluster,
  names: readonly string[]
): Promise<ConfigFacts> {
  const entries = new Map<string, readonly ConfigEntry[]>()
  const refused: ConfigFacts['refused'][number][] = []
  const chunks = Array.from({ length: Math.ceil(names.length / topicsPerRequest) }, (_, index) =>
    names.slice(index * topicsPerRequest, (index + 1) * topicsPerRequest)
  )
  const ask = async (): Promise<void> => {
    for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
      const found = await orUnknown(cluster.describeTopicConfigs(chunk, timeoutMs))
      if (!Array.isArray(found)) {
        refused.push(...chunk.map(topic => ({ topic, failure: found.failure })))
        continue
      }
      for (const { topic, entries: read, failure } of found) {
        if (failure) refused.push({ topic, failure })
        else entries.set(topic, read)
      }
    }
  }
  await Promise.all(Array.from({ length: requestsAtOnce }, ask))
  return { entries, refused }
}

export async function listOffsets(
  cluster: Cluster,
  side: string,
  partitions: readonly TopicPartition[],
  at: number,
  isolation: Isolation
): Promise<Offsets> {
  if (partitions.length === 0) return new Map()
  const found: PartitionOffset[] = await asking(`${side}: list offsets`, () =>
    cluster.listOffsets(partitions, at, isolation, timeoutMs)
  )
  return new Map(
    found.flatMap(({ topic, partition, offset, failure }) =>
      failure || offset < 0 ? [] : [[laneName(topic, partition), offset] as const]
    )
  )
}

/** Where records of that time and later begin; -1 in a lane that has none. */
export async function listSince(
  cluster: Cluster,
  side: string,
  partitions: readonly TopicPartition[],
  time: number,
  isolation: Isolation
): Promise<Offsets> {
  if (partitions.length === 0) return new Map()
  const found = await asking(`${side}: list offsets by time`, () =>
    cluster.listOffsets(partitions, time, isolation, timeoutMs)
  )
  return new Map(
    found.flatMap(({ topic, partition, offset, failure }) =>
      failure ? [] : [[laneName(topic, partition), offset] as const]
    )
  )
}

/** What a cluster refuses to tell is left open; an error of ours is not. */
export async function orUnknown<Fact>(work: Promise<Fact>): Promise<Fact | Unknown> {
  try {
    return await work
  } catch (error) {
    const failure = failureOf(error)
    if (!failure) throw error
    return { failure }
  }
}

// COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR: it is on its way.
const coordinatorMoves = new Set([14, 15, 16])
const coordinatorWithinMs = 10_000
const askAgainMs = 250

/** The group as it is now, and by lane name what is committed for it. */
export async function askGroup(
  cluster: Cluster,
  group: string
): Promise<Pick<SourceFacts, 'group' | 'committed'>> {
  const description = await onceSettled(() => cluster.describeGroup(group, timeoutMs))
  // First the one, then the other: a broker that is not the coordinator any more ends the process when it
  // answers the second request, for librdkafka then looks for a membership that this client does not have.
  if (!isKnown(description)) return { group: description, committed: description }
  const committed = await onceSettled(() => cluster.groupOffsets(group, timeoutMs))
  if (!Array.isArray(committed)) return { group: description, committed }
  return {
    group: description,
    committed: new Map(committed.map(row => [laneName(row.topic, row.partition), row]))
  }
}

/** A group that nobody has used before gets its coordinator only when it is asked for. */
async function onceSettled<Fact extends object>(ask: () => Promise<Fact>): Promise<Fact | Unknown> {
  const until = performance.now() + coordinatorWithinMs
  for (;;) {
    const fact = await orUnknown(ask())
    const isSettled = isKnown(fact) || !coordinatorMoves.has(fact.failure.code)
    if (isSettled || performance.now() >= until) return fact
    await delay(askAgainMs)
  }
}

/** Fails with a KafkaError that says what was asked. */
export async function asking<Fact>(what: string, ask: () => Promise<Fact>): Promise<Fact> {
  try {
    return await ask()
  } catch (error) {
    throw describeFailure(what, error)
  }
}

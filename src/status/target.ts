// Reads the target's side of links: where its logs end.

import { KafkaError } from '../errors.ts'
import type { Cluster, TopicPartition } from '../native/index.ts'
import { asked, causeOf } from './answers.ts'
import { withLeader } from './lanes.ts'
import type { TargetFacts } from './types.ts'

const logEnd = -1

export interface ReachedTarget {
  cluster: Cluster
  /** Never fails, so that it may be waited for late. */
  facts: Promise<TargetFacts>
}

/** One look for all links. */
export function reachTarget(target: Cluster, limitMs: number): ReachedTarget {
  const facts = orUnreached(async () => {
    const metadata = await asked(target, 'read metadata', target.metadata(undefined, limitMs))
    const clusterId = (await target.clusterId(limitMs)) ?? ''
    return { isReached: true, clusterId, metadata, ends: [] }
  })
  return { cluster: target, facts }
}

/** A target that does not answer costs its own columns alone. */
export async function readTargetEnds(
  { cluster, facts }: ReachedTarget,
  lanes: readonly TopicPartition[],
  limitMs: number
): Promise<TargetFacts> {
  const reached = await facts
  if (!reached.isReached) return reached
  const askable = withLeader(lanes, reached.metadata)
  if (askable.length === 0) return reached
  return orUnreached(async () => {
    const call = cluster.listOffsets(askable, logEnd, 'read_uncommitted', limitMs)
    return { ...reached, ends: await asked(cluster, 'read log ends', call) }
  })
}

async function orUnreached(read: () => Promise<TargetFacts>): Promise<TargetFacts> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof KafkaError) return { isReached: false, why: causeOf(error) }
    throw error
  }
}

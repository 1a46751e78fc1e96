// Reaches the clusters that a plan asks, within a time.

import { RunError } from '../errors.ts'
import { adviseOn } from '../mirror/connection-advice.ts'
import { lastError, lastFailure, textOf } from '../mirror/reach.ts'
import type { TargetConfig } from '../mirror/types.ts'
import type { Cluster, ClusterEvent } from '../native/index.ts'

const reachWithinMs = 10_000

/** Gives the cluster's id, empty when it has none. Fails with a RunError that says what was the matter. */
export async function reachWithin(
  cluster: Cluster,
  side: 'source' | 'target',
  { alias, connection }: TargetConfig
): Promise<string> {
  try {
    await cluster.metadata([], reachWithinMs)
    return (await cluster.clusterId(reachWithinMs)) ?? ''
  } catch (error) {
    const events: ClusterEvent[] = cluster.drainEvents()
    const advice = await adviseOn(lastFailure(events), connection).catch(() => undefined)
    if (advice?.isFinal) {
      throw new RunError(`${side} "${alias}": ${advice.cause}: ${advice.fix}`, { cause: error })
    }
    throw new RunError(
      `${side} "${alias}" (${connection['bootstrap.servers']}) cannot be reached within ` +
        `${reachWithinMs / 1_000} s: ${lastError(events) ?? textOf(error)}. ` +
        'Check bootstrap.servers and the security settings, and that a broker is up',
      { cause: error }
    )
  }
}

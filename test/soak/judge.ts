// Owns the verdict: whether all has arrived when nothing disturbs any more, and whether it is what was written.

import { compareTopics } from '../support/digest.ts'
import { groupLag } from '../support/group-lag.ts'
import { findMisnumbered } from '../support/numbered-once.ts'
import { withClient } from '../support/raw-client.ts'
import { waitFor } from '../support/wait.ts'
import type { SoakCluster } from './clusters.ts'
import type { Load } from './load.ts'
import { shapes } from './shapes.ts'

/** Far above what a healthy pair of clusters takes; a lane that stands still is a finding. */
const catchUpLimitMs = 300_000

const topics = shapes.map(({ topic }) => topic)

/** Every lane's commits pass the ends that the source has now; gives how long that took. */
export async function awaitProgress(source: SoakCluster, group: string): Promise<number> {
  const startedAt = performance.now()
  const wanted = await readEnds(source.bootstrap)
  await waitFor(
    'every lane to commit what the source had when all was healed',
    async () => {
      const committed = await readCommitted(source.bootstrap, group)
      return [...wanted].every(([lane, end]) => (committed.get(lane) ?? -1) >= end)
    },
    { limitMs: catchUpLimitMs, everyMs: 200, describe: () => describeLag(source, group, wanted) }
  )
  return performance.now() - startedAt
}

export async function awaitNoLag(source: SoakCluster, group: string): Promise<void> {
  const isDone = async () => (await groupLag(source.bootstrap, group, topics)) === 0
  await waitFor('lag 0', isDone, { limitMs: catchUpLimitMs, everyMs: 200 })
}

/** What is wrong with the target, in sentences; empty when nothing is. */
export async function findDifferences(
  source: SoakCluster,
  target: SoakCluster,
  loads: readonly Load[]
): Promise<string[]> {
  const isolation = 'read_committed'
  const differences = await compareTopics(source.bootstrap, target.bootstrap, topics, { isolation })
  const found = differences.map(
    ({ topic, partition, what, sourceOffset, targetOffset }) =>
      `${topic}-${partition}: ${what} (source ${sourceOffset}, target ${targetOffset})`
  )
  for (const { shape, records } of loads) {
    found.push(...(await findMisnumbered(target.bootstrap, shape.topic, records)))
  }
  return found
}

async function readEnds(bootstrap: string): Promise<Map<string, number>> {
  return withClient(bootstrap, async client => {
    const ends = new Map<string, number>()
    for (const topic of topics) {
      for (const [partition, { latest }] of await client.offsets(topic, 'read_committed')) {
        ends.set(`${topic}-${partition}`, latest)
      }
    }
    return ends
  })
}

async function readCommitted(bootstrap: string, group: string): Promise<Map<string, number>> {
  return withClient(bootstrap, async client => {
    const rows = await client.groups.offsetFetch(group)
    return new Map(rows.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]))
  })
}

async function describeLag(
  source: SoakCluster,
  group: string,
  wanted: ReadonlyMap<string, number>
): Promise<string> {
  const committed = await readCommitted(source.bootstrap, group)
  const late = [...wanted].filter(([lane, end]) => (committed.get(lane) ?? -1) < end)
  return late.map(([lane, end]) => `${lane}: ${committed.get(lane)} of ${end}`).join('\n')
}

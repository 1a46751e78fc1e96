// Looks at a few batch headers of each source partition, which tell of transactions and holes.

import type { PartitionHeaders } from '../native/index.ts'
import { orUnknown } from '../plan/questions.ts'
import type { CountFacts } from './counts.ts'
import { nameOf, type OpenSource } from './gather.ts'
import type { LaneTask, TargetTask } from './types.ts'

const timeoutMs = 20_000
const headerBytes = 4_096
const lanesAtOnce = 500

export async function readCountFacts(
  sources: readonly OpenSource[],
  targets: readonly TargetTask[]
): Promise<CountFacts> {
  const lanes = targets.flatMap(task => task.lanes)
  const headers = sources.map(({ cluster }, index) =>
    readHeaders(
      cluster,
      lanes.filter(lane => lane.source === index && lane.end > lane.from)
    )
  )
  return { headers: await Promise.all(headers) }
}

/** Of the first and of the last batch: markers stand at the end of transactions. */
async function readHeaders(
  cluster: OpenSource['cluster'],
  lanes: readonly LaneTask[]
): Promise<Map<string, PartitionHeaders[]>> {
  const found = new Map<string, PartitionHeaders[]>()
  for (const offsetOf of [(lane: LaneTask) => lane.from, (lane: LaneTask) => lane.end - 1]) {
    for (let from = 0; from < lanes.length; from += lanesAtOnce) {
      const asked = lanes
        .slice(from, from + lanesAtOnce)
        .map(lane => ({ topic: lane.topic, partition: lane.partition, offset: offsetOf(lane) }))
      const answer = await orUnknown(
        cluster.readHeaders(asked, headerBytes, 'read_uncommitted', timeoutMs)
      )
      if (!Array.isArray(answer)) continue
      for (const headers of answer) {
        const name = nameOf(headers)
        found.set(name, [...(found.get(name) ?? []), headers])
      }
    }
  }
  return found
}

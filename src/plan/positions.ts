// Chooses the lanes whose first batches are worth a look, few enough that the answer comes soon.

import { laneName } from '../mirror/lane.ts'
import type { TopicPartition } from '../native/index.ts'
import type { SourceTopic } from '../topics/create.ts'
import type { SourceFacts } from './facts.ts'
import { startOf } from './topic-plan.ts'

/** In all; at 16 KiB each that is about 10 MB from the source. */
const mostLooks = 600

interface Position extends TopicPartition {
  offset: number
  /** Offsets of other programs may lie inside a batch: those are looked at first. */
  isForeign: boolean
  records: number
}

export function choosePositions(
  source: Omit<SourceFacts, 'headers'>,
  targetClusterId: string,
  isFirstStart: boolean
): (TopicPartition & { offset: number })[] {
  const perTopic = Math.max(1, Math.floor(mostLooks / Math.max(1, source.topics.length)))
  return source.topics.flatMap(topic =>
    positionsOf(source, topic, targetClusterId, isFirstStart)
      .sort((a, b) => Number(b.isForeign) - Number(a.isForeign) || b.records - a.records)
      .slice(0, perTopic)
      .map(({ topic, partition, offset }) => ({ topic, partition, offset }))
  )
}

function positionsOf(
  source: Omit<SourceFacts, 'headers'>,
  { topic, partitions }: SourceTopic,
  targetClusterId: string,
  isFirstStart: boolean
): Position[] {
  return Array.from({ length: partitions }, (_, partition) => {
    const name = laneName(topic, partition)
    const { offset, by, refusal } = startOf(source, name, targetClusterId, isFirstStart)
    const end = source.readableEnds.get(name)
    const hasLeader = (source.leaders.get(name) ?? -1) >= 0
    if (offset === undefined || end === undefined || offset >= end || refusal || !hasLeader)
      return []
    return { topic, partition, offset, isForeign: by === 'other', records: end - offset }
  }).flat()
}

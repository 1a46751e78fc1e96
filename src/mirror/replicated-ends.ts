// How far the target's logs are replicated, and whether anything lies beyond that.

import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster, KafkaFailure, PartitionOffset, TopicPartition } from '../native/index.ts'

export type EndsSource = Pick<Cluster, 'listOffsets' | 'logEnds'>

export interface ReplicatedEnd {
  highWatermark: number
  /** The leader has more, which followers have not had within the time. */
  isBehind: boolean
  failure?: KafkaFailure
}

/** Followers fetch all the time: what they have not got by then hangs on one that is gone. */
const waits = 20
const waitMs = 50

/**
 * In the order asked. A client reads up to the high watermark only; what lies beyond may be the lane's own, sent before
 * the crash, and come to light when it is replicated. One request a leader where nothing does.
 */
export async function readReplicatedEnds(
  target: EndsSource,
  partitions: readonly TopicPartition[],
  timeoutMs: number
): Promise<ReplicatedEnd[]> {
  const read = (asked: readonly TopicPartition[]) =>
    target.listOffsets(asked, -1, 'read_uncommitted', timeoutMs)
  const ends = await read(partitions)
  const logEnds = await readLogEnds(target, ends, timeoutMs)
  const found = ends.map(end => describeEnd(end, logEnds.get(end)))
  for (let wait = 0; wait < waits; wait++) {
    const behind = found.flatMap(({ isBehind }, index) => (isBehind ? index : []))
    if (behind.length === 0) break
    await delay(waitMs)
    const newer = await read(behind.map(index => partitions[index] as TopicPartition))
    for (const [at, index] of behind.entries()) {
      const logEnd = logEnds.get(ends[index] as PartitionOffset)
      found[index] = describeEnd(newer[at] as PartitionOffset, logEnd)
    }
  }
  return found
}

/** Of those whose leaders told their epoch; brokers before 2.1 cannot be asked. */
async function readLogEnds(
  target: EndsSource,
  ends: readonly PartitionOffset[],
  timeoutMs: number
): Promise<Map<PartitionOffset, PartitionOffset>> {
  const asked = ends.filter(({ offset, leaderEpoch }) => offset >= 0 && leaderEpoch !== undefined)
  const found = await target.logEnds(
    asked.map(({ topic, partition, leaderEpoch = -1 }) => ({ topic, partition, leaderEpoch })),
    timeoutMs
  )
  return new Map(
    asked.flatMap((end, index) => {
      const logEnd = found[index] as PartitionOffset
      return logEnd.failure?.name === '_UNSUPPORTED_FEATURE' ? [] : [[end, logEnd] as const]
    })
  )
}

function describeEnd(end: PartitionOffset, logEnd: PartitionOffset | undefined): ReplicatedEnd {
  const failure = end.failure ?? logEnd?.failure
  return {
    highWatermark: end.offset,
    isBehind: logEnd !== undefined && end.offset >= 0 && logEnd.offset > end.offset,
    ...(failure && { failure })
  }
}

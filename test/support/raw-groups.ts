// Owns the raw requests about committed offsets of consumer groups.

import { check } from './kafka-error.ts'
import type { Routes } from './routes.ts'
import { Reader, Writer } from './wire.ts'

export type CommittedOffset = {
  topic: string
  partition: number
  /** -1: none committed. */
  offset: number
  leaderEpoch: number
  metadata: string | null
}

export type OffsetToCommit = {
  topic: string
  partition: number
  offset: number
  leaderEpoch?: number
  metadata?: string | null
}

export class RawGroups {
  readonly #routes: Routes

  constructor(routes: Routes) {
    this.#routes = routes
  }

  /** OffsetFetch v5: everything the group has committed, or the partitions named. */
  offsetFetch(
    group: string,
    partitions: { topic: string; partition: number }[] | null = null
  ): Promise<CommittedOffset[]> {
    // group_id, topics [name, partitions [i32]] or null for all
    const body = new Writer().string(group)
    body.array(partitions, ({ topic, partition }) => body.string(topic).int32(1).int32(partition))
    return this.#routes.retrying(async () => {
      const coordinator = await this.#routes.coordinator(group, 0)
      const reader = new Reader(await coordinator.request(9, 5, body.done()), 4)
      const offsets = reader.array(() => {
        const topic = reader.string()
        return reader.array(() => {
          const committed = {
            topic,
            partition: reader.int32(),
            offset: reader.int64(),
            leaderEpoch: reader.int32(),
            metadata: reader.nullableString()
          }
          check(reader.int16(), `offset of ${group} in ${topic}-${committed.partition}`)
          return committed
        })
      })
      check(reader.int16(), `offsets of ${group}`)
      return offsets.flat()
    })
  }

  /** OffsetCommit v6 from outside of the group, which has to be empty. */
  offsetCommit(group: string, offsets: OffsetToCommit[]): Promise<void> {
    // group_id, generation i32, member_id, topics [name, partitions [partition i32, offset i64, leader_epoch i32,
    // metadata]]
    const body = new Writer().string(group).int32(-1).string('')
    body.array(offsets, ({ topic, partition, offset, leaderEpoch = -1, metadata = '' }) => {
      body.string(topic).int32(1).int32(partition).int64(offset).int32(leaderEpoch).string(metadata)
    })
    return this.#routes.retrying(async () => {
      const coordinator = await this.#routes.coordinator(group, 0)
      const reader = new Reader(await coordinator.request(8, 6, body.done()), 4)
      reader.array(() => {
        const topic = reader.string()
        reader.array(() => {
          const partition = reader.int32()
          check(reader.int16(), `commit of ${group} in ${topic}-${partition}`)
        })
      })
    })
  }
}

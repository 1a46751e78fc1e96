// Gathers the records of a batch that handlers send to other partitions than its own, and those that they fail on.

import { DenseRecords } from '../batches/dense-records.ts'
import type { Int64 } from '../batches/int64.ts'
import { OffsetRuns } from '../batches/offset-runs.ts'
import type { RecordBody } from '../batches/record-tail.ts'
import type { RecordView } from '../batches/record-view.ts'
import type { ResealedBatch } from '../batches/reseal.ts'
import { partitionOfKey } from './key-partition.ts'

/** Records of a batch that are for a partition of the target that is not its lane's. */
export interface SentElsewhere {
  topic: string
  partition: number
  /** Where they came from: as in a ResealedBatch. */
  offsets: Float64Array<ArrayBuffer>
}

export interface ElsewhereBatch extends SentElsewhere {
  bytes: Uint8Array<ArrayBuffer>
}

/** So many records for this partition are there already, and are left out. */
export interface Passing {
  topic: string
  partition: number
  records: number
}

const roomBytes = 4_096

export class Elsewhere {
  readonly #partitions: Readonly<Record<string, number>>
  readonly #mostBytes: number
  readonly #records = new Map<string, Map<number, DenseRecords>>()
  readonly #passing: { topic: string; partition: number; left: number; runs: OffsetRuns }[]
  readonly #unknown = new Set<string>()

  /** `partitions`: of each topic of the target that is known. */
  constructor(
    partitions: Readonly<Record<string, number>>,
    mostBytes: number,
    passing: readonly Passing[]
  ) {
    this.#passing = passing.map(({ records, ...place }) => ({
      ...place,
      left: records,
      runs: new OffsetRuns()
    }))
    this.#partitions = partitions
    this.#mostBytes = mostBytes
  }

  /** Topics that have to be known first. */
  get unknown(): string[] {
    return [...this.#unknown]
  }

  /** Undefined for a topic that is not known; a RangeError for a partition that the topic has not. */
  locate(
    topic: string,
    wanted: number | 'by-key',
    key: Buffer | null,
    own: number
  ): number | undefined {
    const partitions = this.#partitions[topic]
    if (partitions === undefined) {
      this.#unknown.add(topic)
      return undefined
    }
    const isChosen = wanted !== 'by-key'
    if (!isChosen && key !== null) return partitionOfKey(key, partitions)
    const partition = isChosen ? wanted : own % partitions
    if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition
    throw new RangeError(`partition: there is no ${partition} of ${topic}, which has ${partitions}`)
  }

  add(
    place: { topic: string; partition: number },
    record: RecordView | RecordBody,
    offset: number,
    timestamp: Int64
  ): void {
    if (this.#pass(place, offset)) return
    const records = this.#at(place.topic, place.partition)
    if ('headersEnd' in record) records.add(record, offset, timestamp)
    else records.addMade(record, offset, timestamp)
  }

  /** In offset order for each partition. */
  seal(seal: (records: DenseRecords) => ResealedBatch[]): ElsewhereBatch[] {
    return [...this.#records].flatMap(([topic, byPartition]) =>
      [...byPartition].flatMap(([partition, records]) =>
        seal(records).map(({ bytes, offsets }) => ({ topic, partition, bytes, offsets }))
      )
    )
  }

  /** What was left out. */
  get passed(): SentElsewhere[] {
    return this.#passing.flatMap(({ topic, partition, runs }) => {
      const offsets = runs.rows()
      return offsets.length > 0 ? { topic, partition, offsets } : []
    })
  }

  #pass({ topic, partition }: { topic: string; partition: number }, offset: number): boolean {
    const passing = this.#passing.find(
      one => one.left > 0 && one.partition === partition && one.topic === topic
    )
    if (passing === undefined) return false
    passing.left--
    passing.runs.add(offset)
    return true
  }

  #at(topic: string, partition: number): DenseRecords {
    const byPartition = this.#records.get(topic) ?? new Map<number, DenseRecords>()
    this.#records.set(topic, byPartition)
    const records = byPartition.get(partition) ?? new DenseRecords(roomBytes, this.#mostBytes)
    byPartition.set(partition, records)
    return records
  }
}

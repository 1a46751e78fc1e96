// Finds the row of a lane among the answers of a cluster, whose order is the cluster's own.

import type { TopicPartition } from '../native/index.ts'

export class LaneIndex<Row> {
  readonly #topics = new Map<string, Map<number, Row>>()

  static of<Row extends TopicPartition>(rows: Iterable<Row>): LaneIndex<Row> {
    const index = new LaneIndex<Row>()
    for (const row of rows) index.set(row, row)
    return index
  }

  set({ topic, partition }: TopicPartition, row: Row): void {
    const rows = this.#topics.get(topic)
    if (rows) rows.set(partition, row)
    else this.#topics.set(topic, new Map([[partition, row]]))
  }

  get({ topic, partition }: TopicPartition): Row | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  topics(): string[] {
    return [...this.#topics.keys()]
  }

  partitions(topic: string): number[] {
    return [...(this.#topics.get(topic)?.keys() ?? [])]
  }
}

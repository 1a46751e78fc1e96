// Why a partition cannot be compared to its end.

import type { TopicPartition } from '../native/index.ts'

/** Batches that nobody can read: damaged on the broker's disk, or of an unknown form. */
export class UnreadableRecords extends Error {
  constructor(
    side: string,
    { topic, partition }: TopicPartition,
    last: number | undefined,
    fault: string
  ) {
    const where = last === undefined ? 'in the batches read last' : `behind offset ${last}`
    super(`${side}: ${topic}-${partition}: a batch ${where} cannot be read: ${fault}`)
    this.name = 'UnreadableRecords'
  }
}

/** Retention was quicker than the comparison, or a log was cut off: it has to begin anew. */
export class RangeGone extends Error {
  constructor({ topic, partition }: TopicPartition, offset: number) {
    super(`${topic}-${partition}: offset ${offset} is not in its log any more`)
    this.name = 'RangeGone'
  }
}

// Reads the scratch topic with one or several connections, whole batches at a time, and opens none.

import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { headerBytes, readHeader } from '../batches/batch-header.ts'
import { RunError } from '../errors.ts'
import { openCluster } from '../mirror/open-client.ts'
import type { Cluster, PartitionBatches, TopicPartition } from '../native/index.ts'
import type { Meter } from './meter.ts'
import { describeRefusal, describeStall } from './refusals.ts'
import type { OpenSide } from './scratch-topic.ts'
import { allSettled } from './settled.ts'

export interface FetchingOptions {
  side: OpenSide
  partitions: readonly TopicPartition[]
  /** In all of them. */
  records: number
  /** Of one partition in one answer. */
  partitionBytes: number
  /** Each is a client of its own, with one connection to each broker and one request on it. */
  connections: number
  meter: Meter
  stop: AbortSignal
}

const timeoutMs = 30_000
const stallMs = 60_000
const emptyPauseMs = 10

export async function fetch(options: FetchingOptions): Promise<void> {
  const { side, connections, meter } = options
  const clusters = Array.from({ length: connections }, () =>
    openCluster(`${side.side} "${side.alias}"`, side.connection)
  )
  try {
    // A connection is made before the first byte is timed.
    await allSettled(clusters.map(cluster => cluster.metadata([], timeoutMs)))
    meter.begin()
    const reading = new Reading(options)
    await allSettled(
      clusters.map((cluster, index) =>
        reading.read(
          cluster,
          options.partitions.filter((_, place) => place % connections === index)
        )
      )
    )
  } finally {
    meter.stop()
    await Promise.all(clusters.map(cluster => cluster.close()))
  }
}

interface Position extends TopicPartition {
  offset: number
}

/** What all connections have read together. */
class Reading {
  readonly #options: FetchingOptions
  #records = 0
  #wireBytes = 0
  #movedAt = performance.now()
  #isOver = false

  constructor(options: FetchingOptions) {
    this.#options = options
  }

  /** One request after the other, until all connections together have read all records. */
  async read(cluster: Cluster, partitions: readonly TopicPartition[]): Promise<void> {
    let positions: Position[] = partitions.map(partition => ({ ...partition, offset: 0 }))
    try {
      while (!this.#isOver && positions.length > 0) {
        this.#options.stop.throwIfAborted()
        positions = await this.#readOnce(cluster, positions)
      }
    } catch (error) {
      // The others need not go on.
      this.#isOver = true
      throw error
    }
  }

  /** Returns where to go on, without partitions that are read to their end. */
  async #readOnce(cluster: Cluster, positions: readonly Position[]): Promise<Position[]> {
    const { partitionBytes, meter } = this.#options
    const before = performance.now()
    const found = await cluster.readBatches(
      positions,
      partitionBytes,
      'read_uncommitted',
      timeoutMs
    )
    meter.took(performance.now() - before)
    const recordsBefore = this.#records
    const next = found.flatMap((batches, place) =>
      this.#take(batches, positions[place] as Position)
    )
    meter.reach(this.#records, this.#wireBytes)
    if (this.#records !== recordsBefore) this.#movedAt = performance.now()
    else await this.#pause()
    return next
  }

  #take(found: PartitionBatches, position: Position): Position[] {
    const { side } = this.#options
    const { failure, highWatermark } = found
    if (failure) {
      if (failure.retriable) return [position]
      const what = `read topic ${position.topic}`
      throw new RunError(describeRefusal(side, what, 'Read', failure))
    }
    const bytes = Buffer.from(found.bytes)
    this.#wireBytes += bytes.length
    const offset = this.#countRecords(bytes, position.offset)
    return offset < highWatermark ? [{ ...position, offset }] : []
  }

  /** Returns the offset behind the last batch. */
  #countRecords(bytes: Buffer, from: number): number {
    let offset = from
    for (let at = 0; at + headerBytes <= bytes.length; ) {
      const size = bytes.readInt32BE(at + 8) + 12
      const { baseOffset, lastOffsetDelta, recordCount } = readHeader(bytes.subarray(at, at + size))
      this.#records += recordCount
      offset = baseOffset + lastOffsetDelta + 1
      at += size
    }
    return offset
  }

  async #pause(): Promise<void> {
    const { side, stop } = this.#options
    if (this.#records >= this.#options.records) {
      this.#isOver = true
      return
    }
    if (performance.now() - this.#movedAt > stallMs) {
      throw new RunError(describeStall(side, 'read the scratch topic', stallMs, undefined))
    }
    await delay(emptyPauseMs, undefined, { signal: stop })
  }
}

// Tells lanes whose position the source refuses what its log holds: a refusal alone does not say it.

import type { Logger } from 'pino'
import { type Cluster, failureOf, type Link, type PartitionOffset } from '../native/index.ts'
import type { Lane } from './lane.ts'
import type { Repeats } from './repeats.ts'

const timeoutMs = 10_000

export interface SourceRangesOptions {
  source: Pick<Cluster, 'listOffsets'>
  link: Pick<Link, 'setRange'>
  log: Logger
  repeats: Repeats
}

export class SourceRanges {
  readonly #options: SourceRangesOptions
  readonly #waiting = new Set<Lane>()

  constructor(options: SourceRangesOptions) {
    this.#options = options
  }

  /** The core asks once: a lane is asked for again and again until the source has told it. */
  note(lane: Lane): void {
    this.#waiting.add(lane)
  }

  /** One look for all that wait. */
  async tell(): Promise<void> {
    const { source, link } = this.#options
    const asked = [...this.#waiting]
      .filter(({ id }) => id !== 0)
      .map(lane => ({ lane, id: lane.id }))
    this.#waiting.clear()
    if (asked.length === 0) return
    const partitions = asked.map(({ lane: { topic, partition } }) => ({ topic, partition }))
    try {
      // The start second: retention may move it on, and what it passes meanwhile is then known too.
      const ends = await source.listOffsets(partitions, -1, 'read_uncommitted', timeoutMs)
      const starts = await source.listOffsets(partitions, -2, 'read_uncommitted', timeoutMs)
      for (const [index, { lane, id }] of asked.entries()) {
        const [start, end] = [starts[index], ends[index]]
        if (isKnown(start) && isKnown(end)) link.setRange(id, start.offset, end.offset)
        else this.#again(lane, start?.failure?.message ?? end?.failure?.message ?? 'no offset')
      }
    } catch (error) {
      const failure = failureOf(error)
      if (!failure) throw error
      for (const { lane } of asked) this.#again(lane, failure.message)
    }
  }

  #again(lane: Lane, detail: string): void {
    const { repeats, log } = this.#options
    this.#waiting.add(lane)
    const { topic, partition } = lane
    repeats.write(`range ${topic}`, count =>
      log.warn(
        { topic, partition, detail, count },
        'the source does not tell what its log holds; asking again'
      )
    )
  }
}

function isKnown(found: PartitionOffset | undefined): found is PartitionOffset {
  return found !== undefined && !found.failure && found.offset >= 0
}

// Compares many partitions, so many at a time that memory stays bounded, and knows how far it is.

import { describeFailure, KafkaError } from '../errors.ts'
import type { Cluster, Isolation, TopicPartition } from '../native/index.ts'
import { BatchReader } from './batch-reader.ts'
import { compareTarget, type Sides } from './compare.ts'
import { DigestPool } from './digest-pool.ts'
import { narrowGate } from './gate.ts'
import type { StreamSource } from './record-stream.ts'
import { chooseRuns, type Sample } from './sample.ts'
import { compareSample } from './sampled.ts'
import type { LaneTask, LaneVerdict, TargetTask } from './types.ts'
import { RangeGone, UnreadableRecords } from './unreadable.ts'
import { notCompared } from './verdict.ts'

export interface NamedCluster {
  cluster: Cluster
  side: string
  isolation: Isolation
}

export interface ComparisonOptions {
  sources: readonly NamedCluster[]
  target: NamedCluster
  sample: Sample | undefined
  tasks: readonly TargetTask[]
}

/** Partitions that are compared at the same time. */
const mostOpen = 128
/** Of batches that are fetched or opened, over all streams. */
const budgetBytes = 128 * 1_048_576
/** Of each stream, while its first answer is compared. */
const chunksAhead = 2
/** What a stream may hold of the budget: what is ahead, what is on its way, and what is in a worker. */
const chunksHeld = chunksAhead + 2
const mostChunk = 8 * 1_048_576
const leastChunk = 64 * 1_024
/** Partitions out of step that may hold large windows at a time. */
const widePlaces = 2
/** Retention may overtake the comparison; each time it begins anew. */
const mostBeginnings = 3
const timeoutMs = 20_000

export interface ComparisonProgress {
  lanes: number
  lanesDone: number
  records: number
  recordBytes: number
  bytesRead: number
  different: number
}

export class Comparison {
  readonly #options: ComparisonOptions
  readonly #pool = new DigestPool()
  readonly #readers: readonly BatchReader[]
  readonly #sides: Sides
  readonly #verdicts: LaneVerdict[] = []
  readonly #lanes: number
  #open = 0
  readonly #read = { records: 0, bytes: 0, passed: 0 }

  constructor(options: ComparisonOptions) {
    this.#options = options
    const reader = ({ cluster, side, isolation }: NamedCluster) =>
      new BatchReader(cluster, side, isolation)
    const sources = options.sources.map(reader)
    const target = reader(options.target)
    this.#readers = [...sources, target]
    const streamOf = (own: BatchReader): StreamSource => ({
      reader: own,
      pool: this.#pool,
      chunkBytes: () => this.#chunkBytes(),
      chunksAhead,
      note: (records, bytes) => {
        this.#read.records += records
        this.#read.bytes += bytes
      },
      notePassed: records => {
        this.#read.records += records
        this.#read.passed += records
      }
    })
    this.#sides = {
      sources: sources.map(streamOf),
      target: streamOf(target),
      wide: narrowGate(widePlaces)
    }
    this.#lanes = options.tasks.reduce((sum, { lanes }) => sum + lanes.length, 0)
  }

  async run(): Promise<LaneVerdict[]> {
    const waiting = [...this.#options.tasks]
    const work = async () => {
      for (let task = waiting.shift(); task; task = waiting.shift()) {
        this.#open++
        try {
          this.#verdicts.push(...(await this.#compare(task)))
        } finally {
          this.#open--
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(mostOpen, waiting.length) }, work))
    return this.#verdicts
  }

  progress(): ComparisonProgress {
    return {
      lanes: this.#lanes,
      lanesDone: this.#verdicts.length,
      records: this.#read.records,
      recordBytes: this.#read.bytes,
      bytesRead: this.#readers.reduce((sum, { bytes }) => sum + bytes, 0),
      different: this.#verdicts.filter(({ state }) => state === 'different').length
    }
  }

  figures() {
    const { records, recordBytes, bytesRead } = this.progress()
    const { threads, workedMs } = this.#pool
    return { records, passedRecords: this.#read.passed, recordBytes, bytesRead, threads, workedMs }
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }

  async #compare(task: TargetTask): Promise<LaneVerdict[]> {
    let current = task
    for (let beginning = 1; ; beginning++) {
      try {
        return await this.#compareOnce(current)
      } catch (error) {
        if (!(error instanceof RangeGone) || beginning === mostBeginnings) {
          return task.lanes.map(lane => notCompared(lane, whyNot(error)))
        }
        current = await this.#beginAnew(current)
      }
    }
  }

  async #compareOnce(task: TargetTask): Promise<LaneVerdict[]> {
    const { sample } = this.#options
    const [lane, ...others] = task.lanes as [LaneTask]
    if (!sample) return compareTarget(task, this.#sides)
    if (others.length > 0) {
      const verdicts = await compareTarget(task, this.#sides)
      const text =
        'several sources come together in the target partition: compared as a whole, not as a sample'
      for (const { remarks } of verdicts) remarks.push({ kind: 'sample', text })
      return verdicts
    }
    const end = Math.max(lane.from, Math.min(lane.end, lane.committed))
    return [await compareSample(task, lane, chooseRuns(lane.from, end, sample), this.#sides)]
  }

  /** Where the logs begin now. */
  async #beginAnew(task: TargetTask): Promise<TargetTask> {
    const { sources, target } = this.#options
    const targetStart = await logStart(target, task)
    const lanes = task.lanes.map(async lane => {
      const start = await logStart(sources[lane.source] as NamedCluster, lane)
      return { ...lane, logStart: start, from: Math.min(lane.end, Math.max(lane.from, start)) }
    })
    const from = Math.min(task.end, Math.max(task.from, targetStart))
    return { ...task, logStart: targetStart, from, lanes: await Promise.all(lanes) }
  }

  #chunkBytes(): number {
    const share = budgetBytes / Math.max(1, this.#open) / (2 * chunksHeld)
    return Math.floor(Math.max(leastChunk, Math.min(mostChunk, share)))
  }
}

async function logStart({ cluster, side }: NamedCluster, place: TopicPartition): Promise<number> {
  const { topic, partition } = place
  const [found] = await cluster
    .listOffsets([{ topic, partition }], -2, 'read_uncommitted', timeoutMs)
    .catch(error => {
      throw describeFailure(`${side}: list offsets`, error)
    })
  if (found?.failure)
    throw new KafkaError(`${side}: list offsets of ${topic}-${partition}`, found.failure)
  return found?.offset ?? 0
}

function whyNot(error: unknown): string {
  const isExpected =
    error instanceof KafkaError || error instanceof RangeGone || error instanceof UnreadableRecords
  if (!isExpected) throw error
  return error.message
}

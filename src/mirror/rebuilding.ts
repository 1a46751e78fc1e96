// Has workers rebuild batches whose records stay what they are.

import type { BatchPool } from '../batches/pool.ts'
import type { ResealTask } from '../batches/reseal.ts'
import type { BatchToReseal } from '../native/index.ts'
import type { CodecRule, CodecRules } from '../topics/codec-rules.ts'
import type { Lane } from './lane.ts'
import type { Opened, Workshop } from './reseals.ts'

export interface RebuildingOptions {
  pool: Pick<BatchPool, 'reseal' | 'resealAlone' | 'room'>
  codecs: Pick<CodecRules, 'ruleFor'>
  lanes: { byId(id: number): Pick<Lane, 'topic'> | undefined }
}

export class Rebuilding implements Workshop {
  readonly #options: RebuildingOptions

  constructor(options: RebuildingOptions) {
    this.#options = options
  }

  get room(): number {
    return this.#options.pool.room
  }

  open(batch: BatchToReseal, bytes: ArrayBuffer): Promise<Opened> {
    const { pool } = this.#options
    return this.#do(batch, bytes, task => pool.reseal(task))
  }

  openAlone(batch: BatchToReseal, bytes: ArrayBuffer): Promise<Opened> {
    const { pool } = this.#options
    return this.#do(batch, bytes, task => pool.resealAlone(task))
  }

  async giveUp(
    _batch: BatchToReseal,
    _bytes: ArrayBuffer,
    _turn: Promise<boolean>,
    error: unknown
  ): Promise<Opened> {
    return { failure: 'worker-failed', detail: String(error) }
  }

  async #do(
    batch: BatchToReseal,
    bytes: ArrayBuffer,
    reseal: (task: ResealTask) => Promise<Opened>
  ): Promise<Opened> {
    const { lanes, codecs } = this.#options
    const lane = lanes.byId(batch.lane)
    return lane ? reseal(taskOf(batch, bytes, codecs.ruleFor(lane.topic))) : nothing
  }
}

/** Of a lane that was taken away meanwhile: nobody waits for it. */
export const nothing: Opened = { batches: [], skipped: 0 }

export function taskOf(
  batch: BatchToReseal,
  bytes: ArrayBuffer,
  { codec, levels }: CodecRule
): ResealTask {
  return {
    ...(codec && { codec }),
    levels,
    bytes: new Uint8Array(bytes),
    merges: batch.reason === 'tiny-batches',
    fromOffset: batch.fromOffset,
    skipRecords: batch.skipRecords,
    appendTime: batch.targetAppendTime ? 'as-is' : 'keep',
    maxBytes: batch.targetMaxBatchBytes,
    aimBytes: batch.aimBytes,
    avoidsZstd: batch.avoidsZstd
  }
}

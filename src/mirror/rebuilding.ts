// Has workers rebuild batches whose records stay what they are.

import type { BatchPool } from '../batches/pool.ts'
import type { ResealTask } from '../batches/reseal.ts'
import type { BatchToReseal } from '../native/index.ts'
import type { Opened, Workshop } from './reseals.ts'

export class Rebuilding implements Workshop {
  readonly #pool: Pick<BatchPool, 'reseal' | 'resealAlone' | 'room'>

  constructor(pool: Pick<BatchPool, 'reseal' | 'resealAlone' | 'room'>) {
    this.#pool = pool
  }

  get room(): number {
    return this.#pool.room
  }

  open(batch: BatchToReseal, bytes: ArrayBuffer): Promise<Opened> {
    return this.#pool.reseal(taskOf(batch, bytes))
  }

  openAlone(batch: BatchToReseal, bytes: ArrayBuffer): Promise<Opened> {
    return this.#pool.resealAlone(taskOf(batch, bytes))
  }

  async giveUp(
    _batch: BatchToReseal,
    _bytes: ArrayBuffer,
    _turn: Promise<boolean>,
    error: unknown
  ): Promise<Opened> {
    return { failure: 'worker-failed', detail: String(error) }
  }
}

export function taskOf(batch: BatchToReseal, bytes: ArrayBuffer): ResealTask {
  return {
    bytes: new Uint8Array(bytes),
    fromOffset: batch.fromOffset,
    skipRecords: batch.skipRecords,
    appendTime: batch.targetAppendTime ? 'as-is' : 'keep',
    maxBytes: batch.targetMaxBatchBytes,
    aimBytes: batch.aimBytes,
    avoidsZstd: batch.avoidsZstd
  }
}

// Has workers take batches through handlers, and judges what goes wrong there by the link's policy.

import type { Logger } from 'pino'
import type { BatchToReseal } from '../native/index.ts'
import type { TransformPool } from '../transform/pool.ts'
import type { TransformRule, Transforms } from '../transform/rules.ts'
import type { RecordErrors, TransformTask } from '../transform/transform.ts'
import type { SentTransform } from '../transform/transform-worker.ts'
import type { Lane } from './lane.ts'
import type { Lanes } from './lanes.ts'
import { taskOf } from './rebuilding.ts'
import type { Repeats } from './repeats.ts'
import type { Opened, Workshop } from './reseals.ts'

export interface HandlingOptions {
  pool: Pick<TransformPool, 'transform' | 'transformAlone' | 'room'>
  transforms: Transforms
  /** The source cluster's name. */
  source: string
  lanes: Pick<Lanes, 'byId'>
  log: Logger
  repeats: Repeats
}

export class Handling implements Workshop {
  readonly #options: HandlingOptions
  #errors = 0

  constructor(options: HandlingOptions) {
    this.#options = options
  }

  get room(): number {
    return this.#options.pool.room
  }

  /** Records that were left out because a handler failed on them. */
  get errors(): number {
    return this.#errors
  }

  open(batch: BatchToReseal, bytes: ArrayBuffer): Promise<Opened> {
    const { pool } = this.#options
    return this.#do(batch, bytes, task => pool.transform(task))
  }

  openAlone(batch: BatchToReseal, bytes: ArrayBuffer): Promise<Opened> {
    const { pool } = this.#options
    return this.#do(batch, bytes, task => pool.transformAlone(task))
  }

  /** Which record it was cannot be known: the policy holds for all of the batch. */
  giveUp(batch: BatchToReseal, bytes: ArrayBuffer, error: unknown): Promise<Opened> {
    const { pool } = this.#options
    const failing = error instanceof Error ? error.message : String(error)
    return this.#do(batch, bytes, task => pool.transformAlone({ ...task, failing }))
  }

  async #do(
    batch: BatchToReseal,
    bytes: ArrayBuffer,
    transform: (task: TransformTask) => Promise<SentTransform>
  ): Promise<Opened> {
    const { lanes, transforms, source } = this.#options
    const lane = lanes.byId(batch.lane)
    const rule = lane && transforms.ruleFor(lane.topic)
    // Taken away meanwhile: nobody waits for the answer.
    if (lane === undefined || rule === undefined) return { batches: [], skipped: 0 }
    const { topic, partition } = lane
    const result = await transform({
      ...taskOf(batch, bytes),
      chain: rule.chain,
      place: { source, topic, partition },
      targetTopic: topic,
      targetPartition: partition,
      onError: rule.onError
    })
    const errors = 'errors' in result ? result.errors : undefined
    return errors ? this.#admit(lane, rule, errors, result as Opened) : (result as Opened)
  }

  #admit(lane: Lane, { maxErrors }: TransformRule, errors: RecordErrors, result: Opened): Opened {
    const { log, repeats } = this.#options
    this.#errors += errors.count
    const { topic, partition } = lane
    repeats.write(`handler ${lane.name}`, count =>
      log.error(
        { topic, partition, ...errors, errors: this.#errors, count },
        'handler failed; records are left out'
      )
    )
    if (this.#errors <= maxErrors) return result
    const detail = `${this.#errors} records failed and --max-handler-errors is ${maxErrors}; the last: ${errors.message}`
    return { failure: 'handler-failed', detail }
  }
}

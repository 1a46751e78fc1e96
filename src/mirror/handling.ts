// Has workers take batches through handlers, and judges what goes wrong there by the link's policy.

import type { Logger } from 'pino'
import type { ResealTask } from '../batches/reseal.ts'
import type { BatchToReseal } from '../native/index.ts'
import type { CodecRules } from '../topics/codec-rules.ts'
import { deadLetterTopic } from '../transform/dead-letter.ts'
import type { ElsewhereBatch } from '../transform/elsewhere.ts'
import type { TransformPool } from '../transform/pool.ts'
import type { TransformRule, Transforms } from '../transform/rules.ts'
import type { RecordErrors, TransformTask } from '../transform/transform.ts'
import type { SentTransform } from '../transform/transform-worker.ts'
import type { FanOutWriter } from './fan-out-writer.ts'
import type { Lane } from './lane.ts'
import type { Lanes } from './lanes.ts'
import { type OtherPartitions, Refused, type Stamps } from './other-partitions.ts'
import { nothing, taskOf } from './rebuilding.ts'
import type { Repeats } from './repeats.ts'
import type { Opened, Workshop } from './reseals.ts'

export interface HandlingOptions {
  pool: Pick<TransformPool, 'transform' | 'transformAlone' | 'room'>
  transforms: Transforms
  codecs: Pick<CodecRules, 'ruleFor'>
  /** The source cluster's name. */
  source: string
  lanes: Pick<Lanes, 'byId'>
  others: Pick<OtherPartitions, 'counts' | 'learn' | 'write'>
  fanOut: Pick<FanOutWriter, 'write'>
  log: Logger
  repeats: Repeats
}

export class Handling implements Workshop {
  readonly #options: HandlingOptions
  /** Records on which a handler failed, by whatever rule. */
  #errors = 0
  readonly #errorsOfRule = new Map<TransformRule, number>()

  constructor(options: HandlingOptions) {
    this.#options = options
  }

  get room(): number {
    return this.#options.pool.room
  }

  open(batch: BatchToReseal, bytes: ArrayBuffer, turn: Promise<boolean>): Promise<Opened> {
    const { pool } = this.#options
    return this.#do(batch, bytes, turn, task => pool.transform(task))
  }

  openAlone(batch: BatchToReseal, bytes: ArrayBuffer, turn: Promise<boolean>): Promise<Opened> {
    const { pool } = this.#options
    return this.#do(batch, bytes, turn, task => pool.transformAlone(task))
  }

  /** Which record it was cannot be known: the policy holds for all of the batch. */
  giveUp(
    batch: BatchToReseal,
    bytes: ArrayBuffer,
    turn: Promise<boolean>,
    error: unknown
  ): Promise<Opened> {
    const { pool } = this.#options
    const failing = error instanceof Error ? error.message : String(error)
    return this.#do(batch, bytes, turn, task => pool.transformAlone({ ...task, failing }))
  }

  async #do(
    batch: BatchToReseal,
    bytes: ArrayBuffer,
    turn: Promise<boolean>,
    transform: (task: TransformTask) => Promise<SentTransform>
  ): Promise<Opened> {
    const { lanes, transforms, codecs } = this.#options
    const lane = lanes.byId(batch.lane)
    const rule = lane && transforms.ruleFor(lane.topic)
    if (lane === undefined || rule === undefined) return nothing
    try {
      const codecRule = codecs.ruleFor(lane.topic)
      // How much there is to pass depends on the batches before.
      if (lane.fanOut?.isPassing && !(await turn)) return nothing
      const task = {
        ...taskOf(batch, bytes, codecRule),
        forcesCodec: codecRule.isForced,
        passing: lane.fanOut?.toPass ?? []
      }
      const result = await this.#transform(lane, rule, task, transform)
      if (!('batches' in result)) return result
      if (!(await turn) || lanes.byId(batch.lane) === undefined) return nothing
      return await this.#settle(lane, rule, result)
    } catch (error) {
      if (error instanceof Refused) return { failure: 'handler-failed', detail: error.message }
      throw error
    }
  }

  async #transform(
    lane: Lane,
    rule: TransformRule,
    task: ResealTask & Pick<TransformTask, 'forcesCodec' | 'passing'>,
    transform: (task: TransformTask) => Promise<SentTransform>
  ): Promise<Exclude<SentTransform, { needs: unknown }>> {
    const { source, others } = this.#options
    const { topic, partition } = lane
    let { bytes } = task
    for (;;) {
      const result = await transform({
        ...task,
        bytes,
        chain: rule.chain,
        place: { source, topic, partition },
        targetTopic: topic,
        targetPartition: partition,
        partitions: others.counts,
        onError: rule.onError
      })
      if (!('needs' in result)) return result
      await others.learn(result.needs, lane.targetPartitions)
      bytes = result.bytes
    }
  }

  /** What goes to other partitions is there before the lane goes on; what has failed is counted. */
  async #settle(lane: Lane, rule: TransformRule, result: Sent): Promise<Opened> {
    const { others, fanOut } = this.#options
    const { elsewhere, passed, errors } = result
    const letters = deadLetterTopic(lane.topic)
    const isLetter = ({ topic }: ElsewhereBatch) => topic === letters
    await others.write(elsewhere.filter(isLetter), unstamped)
    const sent = elsewhere.filter(batch => !isLetter(batch))
    if (!(await fanOut.write(lane, sent, passed))) return nothing
    return errors ? this.#admit(lane, rule, errors, result) : result
  }

  #admit(lane: Lane, rule: TransformRule, errors: RecordErrors, result: Opened): Opened {
    const { log, repeats } = this.#options
    const { maxErrors, onError } = rule
    this.#errors += errors.count
    const ofRule = (this.#errorsOfRule.get(rule) ?? 0) + errors.count
    this.#errorsOfRule.set(rule, ofRule)
    const { topic, partition } = lane
    const what = onError === 'skip' ? 'left out' : `sent to ${deadLetterTopic(topic)}`
    repeats.write(`handler ${lane.name}`, count =>
      log.error(
        { topic, partition, ...errors, errors: this.#errors, count },
        `handler failed; its records are ${what}`
      )
    )
    if (ofRule <= maxErrors) return result
    const detail = `${ofRule} records failed and at most ${maxErrors} may; the last: ${errors.message}`
    return { failure: 'handler-failed', detail }
  }
}

/** A record on which a handler fails once may pass the next time: no count tells which letters are there. */
const unstamped: Stamps = { stampOf: () => undefined, noteWritten: () => undefined }

type Sent = Extract<SentTransform, { batches: unknown }>

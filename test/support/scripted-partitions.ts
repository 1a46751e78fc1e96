// Owns the logs behind a scripted broker: a source's that is read, and a target's that takes batches by the rules of a
// real one, so that a batch that is lost, doubled or overtaken is seen.

import { type Codec, isIntact, readBatchHeader } from './batch-header.ts'
import { decodeBatch, encodeBatch } from './records.ts'

export class SourcePartition {
  readonly batches: Buffer[] = []
  /** What its records hold, in order. */
  readonly values: string[] = []
  readonly #ends: number[] = []

  /** Batches of a few records each, all different. */
  append(name: string, batches: number, recordsEach = 3): this {
    for (let batch = 0; batch < batches; batch++) {
      const values = Array.from({ length: recordsEach }, (_, at) => `${name}:${this.end + at}`)
      this.appendBatch(
        encodeBatch(
          values.map(value => ({ value })),
          { baseOffset: this.end }
        ),
        values
      )
    }
    return this
  }

  appendBatch(batch: Buffer, values: string[]): void {
    this.appendMessage(batch, values, endOf(batch))
  }

  /** In any format; `end` is the offset behind it. */
  appendMessage(message: Buffer, values: string[], end: number): void {
    this.batches.push(message)
    this.values.push(...values)
    this.#ends.push(end)
  }

  get end(): number {
    return this.#ends.at(-1) ?? 0
  }

  /**
   * Whole batches from the one that holds the offset on. The first comes however large it is, but from brokers before
   * 0.10.1: those cut off at the limit, wherever that is.
   */
  read(offset: number, maxBytes: number, isCut = false): Buffer {
    const first = this.#ends.findIndex(end => end > offset)
    if (first < 0) return Buffer.alloc(0)
    if (isCut) return Buffer.concat(this.batches.slice(first)).subarray(0, maxBytes)
    let size = 0
    const fitting = this.batches.slice(first).filter((batch, index) => {
      size += batch.length
      return index === 0 || size <= maxBytes
    })
    return Buffer.concat(fitting)
  }
}

function endOf(batch: Buffer): number {
  const { baseOffset, lastOffsetDelta } = readBatchHeader(batch)
  return baseOffset + lastOffsetDelta + 1
}

export type Received = {
  sequence: number
  codec: Codec
  values: string[]
  error: number
  isRepeat: boolean
}
export type Taken = { error: number; baseOffset: number }

type Written = { first: number; last: number; baseOffset: number }
type Producer = { epoch: number; newest: Written[] }

const sequenceMask = 0x7fffffff
const rememberedBatches = 5

export const refusal = {
  unreadable: -1,
  corrupt: 2,
  outOfOrder: 45,
  oldEpoch: 47,
  invalidRecord: 87
} as const

export class TargetPartition {
  /** What the appended records hold, in order. */
  readonly values: string[] = []
  /** Every batch that came, appended or not. */
  readonly received: Received[] = []
  readonly #producers = new Map<number, Producer>()

  append(batch: Buffer): Taken {
    const header = readBatchHeader(batch)
    const values = recordValues(batch)
    const broken = this.#judgeBytes(batch) || (values === undefined ? refusal.unreadable : 0)
    const repeat = broken === 0 ? this.#repeatOf(header) : undefined
    const error = broken || (repeat ? 0 : this.#judgeSequence(header))
    const { baseSequence: sequence } = header
    const isRepeat = repeat !== undefined
    this.received.push({ sequence, codec: header.codec, values: values ?? [], error, isRepeat })
    if (error !== 0 || values === undefined) return { error, baseOffset: -1 }
    if (repeat) return { error, baseOffset: repeat.baseOffset }
    const baseOffset = this.values.length
    this.values.push(...values)
    this.#remember(header, baseOffset)
    return { error, baseOffset }
  }

  /** As after a restart that took the producers' state along. */
  forgetProducers(): void {
    this.#producers.clear()
  }

  /** Epoch and last sequence by producer id. */
  producers(): { producerId: number; epoch: number; lastSequence: number }[] {
    return [...this.#producers].map(([producerId, { epoch, newest }]) => {
      return { producerId, epoch, lastSequence: newest.at(-1)?.last ?? -1 }
    })
  }

  #judgeBytes(batch: Buffer): number {
    const { magic, baseOffset, recordCount, lastOffsetDelta } = readBatchHeader(batch)
    if (!isIntact(batch)) return refusal.corrupt
    const isDense = recordCount > 0 && recordCount === lastOffsetDelta + 1
    return magic === 2 && baseOffset === 0 && isDense ? 0 : refusal.invalidRecord
  }

  #repeatOf(header: ReturnType<typeof readBatchHeader>): Written | undefined {
    const state = this.#producers.get(header.producerId)
    if (header.producerId < 0 || state?.epoch !== header.producerEpoch) return undefined
    const last = lastSequence(header)
    return state.newest.find(known => known.first === header.baseSequence && known.last === last)
  }

  #judgeSequence({ producerId, producerEpoch, baseSequence }: Header): number {
    if (producerId < 0) return 0
    if (producerEpoch < 0 || baseSequence < 0) return refusal.invalidRecord
    const state = this.#producers.get(producerId)
    if (state === undefined) return 0
    if (producerEpoch < state.epoch) return refusal.oldEpoch
    const last = state.newest.at(-1)?.last ?? -1
    const expected = producerEpoch > state.epoch ? 0 : (last + 1) & sequenceMask
    return baseSequence === expected ? 0 : refusal.outOfOrder
  }

  #remember(header: Header, baseOffset: number): void {
    if (header.producerId < 0) return
    const known = this.#producers.get(header.producerId)
    const newest = known?.epoch === header.producerEpoch ? known.newest : []
    newest.push({ first: header.baseSequence, last: lastSequence(header), baseOffset })
    this.#producers.set(header.producerId, {
      epoch: header.producerEpoch,
      newest: newest.slice(-rememberedBatches)
    })
  }
}

type Header = ReturnType<typeof readBatchHeader>

/** Undefined where the bytes are not what the header says. */
function recordValues(batch: Buffer): string[] | undefined {
  try {
    return decodeBatch(batch).records.map(({ value }) => `${value}`)
  } catch {
    return undefined
  }
}

function lastSequence({ baseSequence, lastOffsetDelta }: Header): number {
  return (baseSequence + lastOffsetDelta) & sequenceMask
}

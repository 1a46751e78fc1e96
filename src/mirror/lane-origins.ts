// How a lane takes up its work on the target: under which producer, from which sequence, and what it can promise.

import type { Logger } from 'pino'
import type { Cluster, Link, PartitionOffset } from '../native/index.ts'
import type { Checkpoint, DecodedCheckpoint } from './checkpoint.ts'
import {
  atLeastOnce,
  type DeliveryLevel,
  type DeliveryReason,
  type DeliveryWish,
  exactlyOnce,
  expectDelivery
} from './delivery.ts'
import { type Lane, laneName, type Refusal } from './lane.ts'
import { askResumes, type ResumeAnswer } from './resumes.ts'

const timeoutMs = 10_000

export interface LaneOrigin {
  /** -1: the core gets a fresh one. */
  producerId: number
  producerEpoch: number
  sequence: number
  arrived: number
  targetEnd: number
  resumes: boolean
  level: DeliveryLevel
  /** Nothing that is committed holds for it: its start is committed before it begins. */
  isFirst: boolean
}

export type OriginAnswer =
  | { kind: 'go'; origin: LaneOrigin }
  | { kind: 'later'; detail: string }
  | { kind: 'refused'; refusal: Refusal }

export interface OriginsOptions {
  target: Cluster
  link: Pick<Link, 'claimProducers'>
  targetClusterId: string
  idempotent: boolean
  wish: DeliveryWish
  log: Logger
}

export interface Arrival {
  lane: Lane
  decoded: DecodedCheckpoint
  /** -1 when nothing is committed. */
  committed: number
}

export class LaneOrigins {
  readonly #options: OriginsOptions

  constructor(options: OriginsOptions) {
    this.#options = options
  }

  /** In the order of the lanes. Fails when the target cannot be asked. */
  async find(arrivals: readonly Arrival[]): Promise<OriginAnswer[]> {
    const answers = new Map<Arrival, OriginAnswer>()
    const resuming: { arrival: Arrival; checkpoint: Checkpoint }[] = []
    const first: { arrival: Arrival; level: DeliveryLevel }[] = []
    for (const arrival of arrivals) {
      const verdict = this.#judge(arrival)
      if (verdict.kind === 'resume') resuming.push({ arrival, checkpoint: verdict.checkpoint })
      else if (verdict.kind === 'first') first.push({ arrival, level: verdict.level })
      else answers.set(arrival, verdict)
    }
    const found = await askResumes(
      this.#options.target,
      resuming.map(({ arrival: { lane }, checkpoint }) => ({ ...partitionOf(lane), checkpoint })),
      timeoutMs
    )
    for (const [index, { arrival, checkpoint }] of resuming.entries()) {
      const answer = this.#conclude(checkpoint, found[index] as ResumeAnswer)
      if (answer.kind === 'first') first.push({ arrival, level: answer.level })
      else answers.set(arrival, answer)
    }
    const origins = await this.#begin(first.map(({ arrival }) => arrival.lane))
    for (const [index, { arrival, level }] of first.entries()) {
      answers.set(arrival, { kind: 'go', origin: { ...(origins[index] as LaneOrigin), level } })
    }
    return arrivals.map(arrival => answers.get(arrival) as OriginAnswer)
  }

  #judge({ decoded, committed }: Arrival): Judgement {
    const { wish, idempotent, targetClusterId } = this.#options
    const level = expectDelivery({ decoded, committed, idempotent, wish })
    if (level.deliveryReason === 'asked-for') return { kind: 'first', level }
    const refusal = whyNotOurs(decoded, targetClusterId)
    if (refusal) return { kind: 'refused', refusal }
    if (level.deliveryReason !== '') return this.#unproved(level.deliveryReason)
    return decoded.kind === 'own'
      ? { kind: 'resume', checkpoint: decoded.checkpoint }
      : { kind: 'first', level }
  }

  #conclude(checkpoint: Checkpoint, answer: ResumeAnswer): OriginAnswer | First {
    switch (answer.kind) {
      case 'exact':
        return { kind: 'go', origin: resumed(checkpoint, answer.arrived) }
      case 'fresh':
        return { kind: 'first', level: exactlyOnce }
      case 'later': {
        const { failure } = answer
        const why = failure ? `${failure.name}: ${failure.message}` : 'its end is not replicated'
        return { kind: 'later', detail: `the target does not tell what has arrived yet: ${why}` }
      }
      case 'unproved':
        return this.#unproved(answer.reason)
      case 'went-back':
        return wentBack(
          `the target lost records that it had acknowledged: its log ends at ${answer.highWatermark}, ` +
            `and what was acknowledged ended at ${checkpoint.targetEnd}`
        )
      case 'replaced':
        return wentBack(
          `at offset ${checkpoint.targetEnd - 1} the target has another record than the one that it ` +
            'acknowledged there: the topic was deleted and made anew, or its log was cut and others wrote on'
        )
    }
  }

  #unproved(reason: DeliveryReason): Refused | First {
    const level = atLeastOnce(reason)
    const refusal = whyUnproved(level, this.#options.wish)
    return refusal ? { kind: 'refused', refusal } : { kind: 'first', level }
  }

  /** New work under the link's own producer, where that has not written yet. */
  async #begin(lanes: readonly Lane[]): Promise<LaneOrigin[]> {
    if (lanes.length === 0) return []
    const { target, link, idempotent, wish } = this.#options
    const partitions = lanes.map(partitionOf)
    const ends = await target.listOffsets(partitions, -1, 'read_uncommitted', timeoutMs)
    const endOf = new Map(ends.map((end: PartitionOffset) => [nameOf(end), end.offset]))
    const producers = idempotent ? link.claimProducers(partitions) : []
    return lanes.map((lane, index) => ({
      producerId: producers[index]?.producerId ?? -1,
      producerEpoch: producers[index]?.producerEpoch ?? -1,
      sequence: 0,
      arrived: 0,
      targetEnd: endOf.get(lane.name) ?? -1,
      resumes: idempotent && wish !== 'at-least-once',
      level: exactlyOnce,
      isFirst: true
    }))
  }
}

type First = { kind: 'first'; level: DeliveryLevel }
type Refused = Extract<OriginAnswer, { kind: 'refused' }>
type Judgement = First | Refused | { kind: 'resume'; checkpoint: Checkpoint }

const decideYourself =
  'Compare both sides, then set the offset of the group with kafka-consumer-groups --reset-offsets: ' +
  'the mirror goes on there, and says which records it may double'

function wentBack(what: string): Refused {
  return {
    kind: 'refused',
    refusal: { reason: 'target-went-back', detail: `${what}. ${decideYourself}` }
  }
}

/** Who asks for exactly once gets no less without saying so. */
export function whyUnproved(
  { delivery, deliveryReason }: DeliveryLevel,
  wish: DeliveryWish
): Refusal | undefined {
  if (wish !== 'exactly-once' || delivery === 'exactly-once') return undefined
  const detail = `--delivery exactly-once, and it cannot be proved: ${deliveryReason}. ${decideYourself}`
  return { reason: 'delivery-unproved', detail }
}

/** Why a commit with our metadata is none to go on from. */
export function whyNotOurs(
  decoded: DecodedCheckpoint,
  targetClusterId: string
): Refusal | undefined {
  const refuse = (what: string): Refusal => ({
    reason: 'identity-mismatch',
    detail: `${what}. ${decideYourself}`
  })
  if (decoded.kind === 'newer') {
    return refuse(`its commit has form ${decoded.version}, which a newer heliostat wrote`)
  }
  if (decoded.kind !== 'own' || decoded.checkpoint.targetClusterId === targetClusterId) {
    return undefined
  }
  return refuse(
    `its commit was made for target cluster ${decoded.checkpoint.targetClusterId}, and this one is ` +
      `${targetClusterId}: earlier records may be missing here`
  )
}

function resumed(checkpoint: Checkpoint, arrived: number): LaneOrigin {
  const { producerId, producerEpoch, nextSequence, targetEnd } = checkpoint
  return {
    producerId,
    producerEpoch,
    sequence: nextSequence,
    arrived,
    targetEnd,
    resumes: true,
    level: exactlyOnce,
    isFirst: false
  }
}

function partitionOf({ topic, partition }: Lane): { topic: string; partition: number } {
  return { topic, partition }
}

function nameOf({ topic, partition }: PartitionOffset): string {
  return laneName(topic, partition)
}

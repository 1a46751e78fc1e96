// How safe a lane is from doubling records when a process or a connection dies, and why not more.

import type { DecodedCheckpoint } from './checkpoint.ts'

export type DeliveryReason =
  /** Exactly once. */
  | ''
  /** --delivery at-least-once. */
  | 'asked-for'
  /** enable.idempotence=false. */
  | 'not-idempotent'
  /** The committed offset is another program's. */
  | 'foreign-commit'
  /** The commit was made before the lane had a producer id. */
  | 'no-producer-id'
  /** Records have arrived behind a commit, and their order or number may differ from what this version or handler makes. */
  | 'algorithm-changed'
  /** A handler says that it may make other records of the same. */
  | 'handler'
  /** Handlers send records to more partitions beside the lane's than a checkpoint can tell of. */
  | 'fan-out'
  /** What arrived after the commit cannot be read from the target any more. */
  | 'resync-unknown'
  /** The target's log may not be read: READ is missing. */
  | 'no-read-right'

export interface DeliveryLevel {
  delivery: 'exactly-once' | 'at-least-once'
  deliveryReason: DeliveryReason
}

export const exactlyOnce: DeliveryLevel = Object.freeze({
  delivery: 'exactly-once',
  deliveryReason: ''
})

export function atLeastOnce(deliveryReason: DeliveryReason): DeliveryLevel {
  return { delivery: 'at-least-once', deliveryReason }
}

/** What the user asked for; undefined: exactly once wherever it can be proved. */
export type DeliveryWish = DeliveryLevel['delivery'] | undefined

export interface DeliveryFacts {
  decoded: DecodedCheckpoint
  /** -1 when nothing is committed. */
  committed: number
  idempotent: boolean
  wish: DeliveryWish
}

/** What a lane promises that begins at its commit, as far as that can be told without asking the target. */
export function expectDelivery({
  decoded,
  committed,
  idempotent,
  wish
}: DeliveryFacts): DeliveryLevel {
  if (!idempotent) return atLeastOnce('not-idempotent')
  if (wish === 'at-least-once') return atLeastOnce('asked-for')
  const isForeign = decoded.kind === 'foreign' || (decoded.kind === 'none' && committed >= 0)
  return isForeign ? atLeastOnce('foreign-commit') : exactlyOnce
}

// What the metadata of a commit says about how its lane is delivered.

import { decodeCheckpoint, type LaneDeeds } from '../mirror/checkpoint.ts'
import type { DeliveryLevel } from '../mirror/delivery.ts'
import type { LaneTrouble } from './types.ts'

export interface CommitDelivery {
  delivery: DeliveryLevel['delivery']
  /** Why it is not more: a name that the run's report uses too where both know it. */
  deliveryReason: string
  trouble: LaneTrouble | undefined
  /** Undefined where the commit does not tell. */
  deeds?: LaneDeeds | undefined
}

/** `targetClusterId` is undefined when the target is not known. */
export function describeDelivery(
  metadata: string,
  targetClusterId: string | undefined
): CommitDelivery {
  const decoded = decodeCheckpoint(metadata)
  switch (decoded.kind) {
    case 'none':
      return lowered('no-metadata')
    case 'foreign':
      return lowered('foreign-commit')
    case 'newer':
      return lowered('newer-format', 'newer-format')
    case 'own': {
      const isOther = targetClusterId && decoded.checkpoint.targetClusterId !== targetClusterId
      if (isOther) return lowered('other-target', 'other-target')
      const { level, keptStop, deeds } = decoded.checkpoint
      return { ...level, trouble: keptStop && 'still-stopped', deeds }
    }
  }
}

function lowered(deliveryReason: string, trouble?: LaneTrouble): CommitDelivery {
  return { delivery: 'at-least-once', deliveryReason, trouble }
}

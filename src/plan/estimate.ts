// Estimates bytes and time of a copy from the few batches that were looked at.

import type { BatchSample } from './batch-sample.ts'
import type { LanePlan } from './lane-plan.ts'

/** Gives each lane its bytes: by its own batches, else by those of its topic. Unknown ones stay null. */
export function estimateBytes(
  lanes: readonly LanePlan[],
  samples: ReadonlyMap<number, BatchSample>
): LanePlan[] {
  const all = [...samples.values()]
  const ofTopic = bytesPerOffset(
    all.reduce((sum, { bytes }) => sum + bytes, 0),
    all.reduce((sum, { offsets }) => sum + offsets, 0)
  )
  return lanes.map(lane => {
    const own = samples.get(lane.partition)
    const density = (own && bytesPerOffset(own.bytes, own.offsets)) ?? ofTopic
    if (lane.records === 0) return { ...lane, bytes: 0 }
    if (lane.records === null || density === undefined) return lane
    return { ...lane, bytes: Math.round(lane.records * density) }
  })
}

function bytesPerOffset(bytes: number, offsets: number): number | undefined {
  return offsets === 0 ? undefined : bytes / offsets
}

/** Null when one of them is. */
export function sumKnown(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (sum, value) => (sum === null || value === null ? null : sum + value),
    0
  )
}

export function estimateSeconds(bytes: number | null, megabytesPerSecond: number): number | null {
  return bytes === null ? null : bytes / (megabytesPerSecond * 1e6)
}

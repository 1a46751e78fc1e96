// Stops that outlive the process: what they were about may not be seen on the target any more at the next start.

import { laneStates } from '../native/index.ts'
import type { DecodedCheckpoint } from './checkpoint.ts'
import { column, reasonIndex } from './columns.ts'
import type { Refusal } from './lane.ts'

/** Why a lane stays stopped until somebody decides; it travels in the metadata of its commit. */
export type KeptStop = 'target-went-back'

export const decideYourself =
  'Compare both sides, then set the offset of the group with kafka-consumer-groups --reset-offsets: ' +
  'the mirror goes on there, and says which records it may double'

const stopped = laneStates.indexOf('stopped')

/** Of a lane's row in a snapshot. */
export function keptStopOf(rows: Float64Array, at: number): KeptStop | undefined {
  if (rows[at + column.state] !== stopped) return undefined
  return rows[at + column.reason] === reasonIndex['target-went-back']
    ? 'target-went-back'
    : undefined
}

/** An offset that somebody sets takes the place of the commit, and with it of what it keeps. */
export function whyStillStopped(decoded: DecodedCheckpoint): Refusal | undefined {
  if (decoded.kind !== 'own' || !decoded.checkpoint.keptStop) return undefined
  const { keptStop, targetEnd } = decoded.checkpoint
  const detail =
    `it was stopped by ${keptStop}, which stands in its commit: the target wrote new records below ` +
    `offset ${targetEnd}, where it had acknowledged others. ${decideYourself}`
  return { reason: keptStop, detail }
}

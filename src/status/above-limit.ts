// The answer to --max-lag: which lanes are above it.

import { laneName } from '../mirror/lane.ts'
import { nameLanes } from './notes.ts'
import { lanesAbove } from './totals.ts'
import type { LinkFailure, LinkStatus } from './types.ts'

const mostLanesNamed = 20

export interface AboveLimit {
  source: string
  topic: string
  partition: number
  /** Undefined when it is not known. */
  lag: number | undefined
}

export function findAbove(
  answers: readonly (LinkStatus | LinkFailure)[],
  maxLag: number
): AboveLimit[] {
  return answers.flatMap(answer =>
    'error' in answer
      ? []
      : lanesAbove(answer.lanes, maxLag).map(({ topic, partition, lag }) => ({
          source: answer.source,
          topic,
          partition,
          lag
        }))
  )
}

/** `above --max-lag 100: orders-3 (120), orders-4 (not known)`; undefined when there is none. */
export function describeAbove(
  above: readonly AboveLimit[],
  maxLag: number,
  isOneLink: boolean
): string | undefined {
  if (above.length === 0) return undefined
  const names = above.map(({ source, topic, partition, lag }) => {
    const lane = `${isOneLink ? '' : `${source}: `}${laneName(topic, partition)}`
    return `${lane} (${lag ?? 'not known'})`
  })
  return `above --max-lag ${maxLag}: ${nameLanes(names, mostLanesNamed)}`
}

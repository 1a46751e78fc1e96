// What a link shows of itself: conditions of readiness, and the figures behind metrics and report.

import type { Assignment } from './assignment.ts'
import type { Discovery } from './discovery.ts'
import { readTotals, sumLanes, viewLanes } from './lane-view.ts'
import type { LinkParts } from './link-parts.ts'
import type { Check, LinkConfig, LinkState, MirrorConfig } from './types.ts'

export function checkLink(
  { discovery, assignment }: { discovery: Discovery; assignment: Assignment },
  groupId: string,
  areTargetsChecked: boolean
): Check[] {
  if (discovery.lastAt !== undefined && discovery.topics.size === 0) {
    const detail = 'no topic is selected'
    return [
      { name: 'group', ok: true, detail },
      { name: 'topics', ok: true, detail }
    ]
  }
  const { hasJoined } = assignment
  return [
    { name: 'group', ok: hasJoined, detail: `${hasJoined ? 'joined' : 'joining'} ${groupId}` },
    {
      name: 'topics',
      ok: areTargetsChecked,
      detail: `target topics ${areTargetsChecked ? 'were' : 'are being'} checked`
    }
  ]
}

export function viewLink(parts: LinkParts, own: LinkConfig, config: MirrorConfig): LinkState {
  const { lanes, discovery, commits, assignment } = parts
  const { lanesByState, lag, goal } = sumLanes(lanes)
  const { ok, failed, lastOkAt } = commits
  return {
    source: own.source.alias,
    target: config.target.alias,
    totals: readTotals(lanes.snapshot().link),
    lanesByState,
    topics: discovery.topics.size,
    lag,
    ...(config.untilCaughtUp ? { goal } : {}),
    commits: { ok, failed, ...(lastOkAt === undefined ? {} : { lastOkAt }) },
    rebalances: { ...assignment.rebalances },
    ...(discovery.lastAt === undefined ? {} : { lastDiscoveryAt: discovery.lastAt }),
    lanes: () => viewLanes(lanes)
  }
}

// Makes the status of a link from what was read for it.

import { describeLanes, isDescribed } from './lanes.ts'
import { isUnknownGroup, writeNotes } from './notes.ts'
import { sumLanes } from './totals.ts'
import type { GroupStatus, LinkFacts, LinkStatus } from './types.ts'

export interface LinkNames {
  source: string
  target: string | undefined
  /** Topics that were asked for by name. */
  askedTopics: readonly string[]
}

export function describeLink(
  facts: LinkFacts,
  { source, target, askedTopics }: LinkNames
): LinkStatus {
  const lanes = describeLanes(facts)
  return {
    source,
    target,
    group: facts.group,
    isolation: facts.isolation,
    groupStatus: describeGroup(facts.description),
    lanes,
    totals: sumLanes(lanes),
    notes: writeNotes(facts, lanes, askedTopics),
    isIncomplete: isUnknownGroup(facts) || facts.target?.isReached === false
  }
}

function describeGroup(description: LinkFacts['description']): GroupStatus {
  if (!isDescribed(description)) {
    return { state: undefined, assignor: undefined, members: undefined, coordinator: undefined }
  }
  const { state, assignor, members, coordinator } = description
  return {
    state,
    assignor: assignor === '' ? undefined : assignor,
    members: members.length,
    coordinator
  }
}

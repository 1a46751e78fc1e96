// Says in sentences what the figures cannot: the group's state, missing rights, lanes out of order.

import { laneName } from '../mirror/lane.ts'
import type { KafkaFailure } from '../native/index.ts'
import { isDescribed } from './lanes.ts'
import type { LaneStatus, LaneTrouble, LinkFacts } from './types.ts'

const groupAuthorizationFailed = 30
const mostLanesNamed = 5

export function writeNotes(
  facts: LinkFacts,
  lanes: readonly LaneStatus[],
  askedTopics: readonly string[]
): string[] {
  return [
    ...groupNotes(facts),
    ...missingTopics(facts, askedTopics),
    ...targetNotes(facts),
    ...laneNotes(lanes),
    ...lossNotes(lanes)
  ]
}

/** What the right is called in Kafka, and the command that grants it. */
export function missingAcl(
  operation: 'Describe' | 'Read',
  resource: 'group' | 'topic',
  name: string
): string {
  const what = `--operation ${operation} --${resource} '${name}'`
  return (
    `the user of this connection has no ${operation} on ${resource} "${name}". ` +
    `Grant it: kafka-acls --add --allow-principal User:NAME ${what}`
  )
}

export function isUnknownGroup({ description, committed }: LinkFacts): boolean {
  const hasMembers = isDescribed(description) && description.members.length > 0
  return committed.length === 0 && !hasMembers
}

function groupNotes(facts: LinkFacts): string[] {
  const { group, description } = facts
  if (!isDescribed(description)) return [undescribed(group, description)]
  const { state, members } = description
  if (isUnknownGroup(facts)) {
    return state === 'Dead'
      ? [
          `group "${group}" is not known to the source: it has no members and no commits. Check its name`
        ]
      : [`group "${group}" has committed nothing yet (${state})`]
  }
  if (members.length === 0) return [`no member is in group "${group}" (${state}): nobody mirrors`]
  if (state !== 'Stable') {
    return [`group "${group}" is sharing out its partitions (${state}): owners may be missing`]
  }
  return []
}

function undescribed(group: string, failure: KafkaFailure): string {
  const why =
    failure.code === groupAuthorizationFailed
      ? missingAcl('Describe', 'group', group)
      : `${failure.name} (${failure.code}): ${failure.message}`
  return `owners are not known: ${why}`
}

function missingTopics({ metadata, committed }: LinkFacts, asked: readonly string[]): string[] {
  const there = new Set([...metadata.topics, ...committed].map(({ topic }) => topic))
  return asked
    .filter(topic => !there.has(topic))
    .map(
      topic => `topic "${topic}" is not on the source, or its user has no Describe on that topic`
    )
}

function targetNotes({ target }: LinkFacts): string[] {
  return target && !target.isReached ? [`the target's offsets are not known: ${target.why}`] : []
}

type Sentence = (lanes: string) => string

const sentences: Readonly<Record<LaneTrouble, Sentence>> = {
  'not-committed': lanes => `nothing is committed for ${lanes}`,
  'commit-unreadable': lanes => `the commit could not be read for ${lanes}: try again`,
  'topic-missing': lanes =>
    `the topic is not on the source any more, or its user has no Describe on it: ${lanes}`,
  'partition-missing': lanes =>
    `committed, and not a partition of the topic any more (it was made anew with fewer): ${lanes}`,
  'no-leader': lanes => `no leader, so neither end nor lag are known: ${lanes}`,
  'end-unknown': lanes => `the leader did not tell the end of the log: ${lanes}`,
  'beyond-end': lanes =>
    `committed beyond the end of the log (the topic was made anew, or lost records): ${lanes}`,
  'records-gone': lanes =>
    `the source has deleted records that were not mirrored yet; the lag counts them: ${lanes}`,
  'not-readable': lanes =>
    `time lag: not measured, the source does not let us read (Read on the topic is needed): ${lanes}`,
  'age-unknown': lanes =>
    `time lag: not measured, no batch with a timestamp came in time: ${lanes}`,
  'open-transaction': lanes =>
    `an open transaction holds records back that LOG-END-OFFSET and LAG do not count: ${lanes}`,
  'target-missing': lanes => `not on the target: ${lanes}`,
  'target-end-unknown': lanes => `the target did not tell the end of the log: ${lanes}`,
  'other-target': lanes => `committed by a mirror to another target cluster: ${lanes}`,
  'newer-format': lanes => `committed by a newer heliostat, which knows more of it: ${lanes}`,
  'still-stopped': lanes =>
    `stopped until somebody sets an offset, since the target lost records that it had acknowledged: ${lanes}`
}

function laneNotes(lanes: readonly LaneStatus[]): string[] {
  return (Object.keys(sentences) as LaneTrouble[]).flatMap(trouble => {
    const names = lanes
      .filter(({ troubles }) => troubles.includes(trouble))
      .map(({ topic, partition }) => laneName(topic, partition))
    return names.length === 0 ? [] : [sentences[trouble](nameLanes(names))]
  })
}

function lossNotes(lanes: readonly LaneStatus[]): string[] {
  const losers = lanes.filter(({ lost }) => (lost ?? 0) > 0)
  if (losers.length === 0) return []
  const names = losers.map(lane => `${laneName(lane.topic, lane.partition)} (${lane.lost})`)
  return [`source offsets deleted before they were mirrored: ${nameLanes(names)}`]
}

/** `orders-0, orders-1 and 3 more`. */
export function nameLanes(names: readonly string[], most: number = mostLanesNamed): string {
  if (names.length <= most + 1) return names.join(', ')
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`
}

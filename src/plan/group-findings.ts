// What the consumer group's present members mean for a mirror that would join it.

import type { GroupDescription } from '../native/index.ts'
import type { Finding } from './findings.ts'

export interface GroupFacts {
  group: string
  description: GroupDescription
  /** Of the mirror that would join, when it is a static member. */
  instanceId: string | undefined
  /** With group.protocol=consumer the brokers decide who gets what, and any member can share with any other. */
  isAssignedByBroker: boolean
  /** Connections to each source broker. */
  streams: number
  /** Partitions of the topics that would be mirrored, by the broker that leads them. */
  lanesByLeader: ReadonlyMap<number, number>
}

export function inspectGroup(facts: GroupFacts): Finding[] {
  return [...inspectMembers(facts), ...inspectStreams(facts)]
}

// Kafka's other built-in assignors are eager; a group that is just forming has named none yet.
const joinable = new Set(['cooperative-sticky', ''])

function inspectMembers(facts: GroupFacts): Finding[] {
  const { group, description, instanceId, lanesByLeader } = facts
  const { members, assignor } = description
  if (members.length === 0) return []
  const findings: Finding[] = []
  const clients = [...new Set(members.map(({ clientId, host }) => `${clientId} at ${trim(host)}`))]
  const who = `${clients.slice(0, 5).join(', ')}${clients.length > 5 ? ', …' : ''}`
  if (!facts.isAssignedByBroker && !joinable.has(assignor)) {
    findings.push({
      kind: 'eager-member',
      text: `group "${group}" has ${count(members.length, 'member')} that share partitions by "${assignor}" (${who}): the mirror cannot join them`,
      fix: 'stop them first, such as a MirrorMaker that uses this group; the mirror goes on at the offsets they committed'
    })
  } else {
    findings.push({
      kind: 'members-present',
      text: `group "${group}" has ${count(members.length, 'member')} now (${who}): a run would share the partitions with them`
    })
  }
  if (instanceId !== undefined && members.some(member => member.instanceId === instanceId)) {
    findings.push({
      kind: 'instance-id-taken',
      text: `group.instance.id "${instanceId}" is a member of group "${group}" now: a run would fence it off`,
      fix: 'stop that process first, or set another group.instance.id'
    })
  }
  const partitions = sum(lanesByLeader.values())
  if (partitions > 0 && members.length + 1 > partitions) {
    findings.push({
      kind: 'members-beyond-partitions',
      text: `with this one group "${group}" would have ${members.length + 1} members for ${count(partitions, 'partition')}: some get nothing`,
      fix: 'run fewer processes, or give the topics more partitions'
    })
  }
  return findings
}

function inspectStreams({ streams, lanesByLeader }: GroupFacts): Finding[] {
  const most = Math.max(0, ...lanesByLeader.values())
  if (most === 0 || streams <= most) return []
  return [
    {
      kind: 'streams-beyond-partitions',
      text: `--num.streams ${streams} makes ${streams} connections to each source broker, and no broker leads more than ${count(most, 'partition')} of these topics: the rest have nothing to do`,
      fix: `give --num.streams ${most}`
    }
  ]
}

/** A broker writes hosts as `/10.0.0.7`. */
function trim(host: string): string {
  return host.replace(/^\//, '')
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0)
}

// Names the rights that a cluster did not grant, as the command that grants them.

import { isUnsupported, type KafkaFailure } from '../native/index.ts'
import { type Finding, someNames } from './findings.ts'

export interface RightsSide {
  side: 'source' | 'target'
  alias: string
  bootstrapServers: string
  principal: string
}

const topicAuthorizationFailed = 29
const groupAuthorizationFailed = 30
const clusterAuthorizationFailed = 31

export function isRefusedRight({ code }: Pick<KafkaFailure, 'code'>): boolean {
  return (
    code === topicAuthorizationFailed ||
    code === groupAuthorizationFailed ||
    code === clusterAuthorizationFailed
  )
}

const topicsInCommand = 10

/** One finding for all topics of a side whose configs could not be read. */
export function explainConfigs(
  side: RightsSide,
  refused: readonly { topic: string; failure: KafkaFailure }[]
): Finding[] {
  const [first] = refused
  if (!first) return []
  const topics = refused.map(({ topic }) => topic)
  const what = `configs of ${topics.length} topic${topics.length === 1 ? '' : 's'} on the ${side.side} "${side.alias}" cannot be read`
  const { failure } = first
  // What brokers of that age do not tell is said elsewhere.
  if (isUnsupported(failure)) return []
  const text = `${what} (${someNames(topics)}): ${failure.name}; the plan goes on without them`
  if (!isRefusedRight(failure)) return [{ kind: 'configs-not-readable', text }]
  return [{ kind: 'configs-not-readable', text, fix: grant(side, 'DescribeConfigs', topics) }]
}

export function explainGroup(side: RightsSide, group: string, failure: KafkaFailure): Finding {
  const text = `group "${group}" on the source "${side.alias}" cannot be read: ${failure.name}; where lanes would begin is not known`
  if (!isRefusedRight(failure)) return { kind: 'group-not-readable', text }
  const fix = `${command(side)} --operation Read --group ${quote(group)}`
  return { kind: 'group-not-readable', text, fix }
}

export function explainReading(side: RightsSide, topics: readonly string[]): Finding[] {
  if (topics.length === 0) return []
  const text = `${topics.length} topic${topics.length === 1 ? '' : 's'} on the ${side.side} "${side.alias}" cannot be read (${someNames(topics)})`
  return [{ kind: 'topics-not-readable', text, fix: grant(side, 'Read', topics) }]
}

function grant(side: RightsSide, operation: string, topics: readonly string[]): string {
  const named = topics.slice(0, topicsInCommand).map(topic => `--topic ${quote(topic)}`)
  const rest = topics.length - named.length
  const more = rest > 0 ? ` (and for ${rest} more topics)` : ''
  return `${command(side)} --operation ${operation} ${named.join(' ')}${more}`
}

function command({ bootstrapServers, principal }: RightsSide): string {
  return `kafka-acls --bootstrap-server ${bootstrapServers} --add --allow-principal ${quote(principal)}`
}

function quote(text: string): string {
  return /^[\w.:,/@-]+$/.test(text) ? text : `'${text}'`
}

// All rules together, and how a name finds its own.

import { commonRules } from './common.ts'
import { consumerRules } from './consumer.ts'
import { librdkafkaRules } from './librdkafka.ts'
import { oldRules } from './old-names.ts'
import { producerRules } from './producer.ts'
import type { Rule, Side } from './rule.ts'
import { saslRules } from './sasl.ts'
import { securityRules } from './security.ts'

export const rules: readonly Rule[] = [
  ...commonRules,
  ...consumerRules,
  ...producerRules,
  ...securityRules,
  ...saslRules,
  ...oldRules,
  ...librdkafkaRules
]

const exact = new Map<string, Rule[]>()
for (const rule of rules) exact.set(rule.name, [...(exact.get(rule.name) ?? []), rule])
const prefixes = rules.filter(rule => rule.name.endsWith('*'))

/** A setting that only the other side's file has comes with that side. */
export function findRule(name: string, side: Side): Rule | undefined {
  const rows = exact.get(name)
  if (rows) return rows.find(rule => rule.side === undefined || rule.side === side) ?? rows[0]
  return prefixes.find(rule => name.startsWith(rule.name.slice(0, -1)))
}

export function knownNames(side: Side): string[] {
  return [...exact.entries()]
    .filter(([, rows]) => rows.some(rule => rule.side === undefined || rule.side === side))
    .map(([name]) => name)
    .filter(name => !name.endsWith('*'))
}

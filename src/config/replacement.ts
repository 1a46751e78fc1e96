// Files to go on with for those that only know ZooKeeper: what could be kept, and what has to be filled in.

import { redactValue } from './redact.ts'
import { oldProducerName } from './rules/old-names.ts'
import type { Draft, Given } from './rules/rule.ts'

interface Cluster {
  draft: Draft
  file: string
}

/** One text with a whole file for each cluster. Secrets are masked. */
export function replacementFiles(clusters: readonly Cluster[]): string {
  const files = clusters.map(({ draft, file }) => replacement(draft, file))
  return ['put files like these in their place:', ...files].join('\n')
}

function replacement(draft: Draft, file: string): string {
  const kept = [...draft.given.values()].filter(given => isKept(given) && !isBroken(given, draft))
  const values = new Map(kept.flatMap(given => rewritten(given, draft)))
  const required = new Map([
    ['bootstrap.servers', values.get('bootstrap.servers') ?? 'BROKER1:9092,BROKER2:9092']
  ])
  if (draft.side === 'source') {
    required.set('group.id', values.get('group.id') ?? 'NAME_OF_THE_GROUP')
    required.set('auto.offset.reset', draft.autoOffsetReset ?? 'earliest')
  }
  const lines = [...new Map([...required, ...values, ...required])]
  const title = `# ${draft.side}, in place of ${file}`
  return [title, ...lines.map(([name, value]) => `${name}=${escaped(value)}`)]
    .map(line => `    ${line}`)
    .join('\n')
}

/** Settings that would only be said again to have no effect. */
const idle: ReadonlySet<string> = new Set([
  'enable.auto.commit',
  'shallowiterator.enable',
  'partition.assignment.strategy',
  'exclude.internal.topics',
  'allow.auto.create.topics',
  'enable.metrics.push',
  'check.crcs'
])

function rewritten({ name, value }: Given, draft: Draft): [name: string, value: string][] {
  if (name === 'acks') return [[name, 'all']]
  // Under its old name it would count bytes in a new file.
  if (name === 'batch.size' && oldProducerName(draft) !== undefined)
    return [['batch.num.messages', value]]
  return [[name, redactValue(name, value)]]
}

function isKept({ rule, name, value }: Given): boolean {
  if (value === '' || idle.has(name)) return false
  return rule.action === 'pass' || rule.action === 'translate' || rule.action === 'rename'
}

/** What was refused is no good in a new file either. */
function isBroken({ written }: Given, draft: Draft): boolean {
  return draft.problems.some(problem => problem.startsWith(`${written.origin}: `))
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

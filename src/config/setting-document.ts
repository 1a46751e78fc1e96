// The chapter of CONFIGURATION.md on the settings of the files, from the rules.

import { code, markdownTable } from './markdown.ts'
import type { Check } from './rules/check.ts'
import type { Rule, Side } from './rules/rule.ts'
import { rules } from './rules/table.ts'
import { settingNotes } from './setting-notes.ts'

const preface = `## Settings of the files

The files are Java properties: the consumer file describes a source, the producer file the target. Names of Java's
clients from Kafka 0.7 on and of librdkafka are read. A name that is in no table is refused, with the one that was
probably meant.

| what happens | to the setting |
| --- | --- |
| used | the value counts as it is |
| read as | it counts under another name |
| translated | the value or its meaning is converted; a promise may get stronger, never weaker |
| ignored | nothing relies on it here; one warning at the start names all of them, and \`--strict-config\` refuses them |
| refused | the mirror would do something else than the file says: exit code 2, with what to set instead |
`

const titles: readonly [title: string, side: Side | undefined][] = [
  ['Both files', undefined],
  ['The consumer file (source)', 'source'],
  ['The producer file (target)', 'target']
]

const actions: Readonly<Record<Rule['action'], string>> = {
  pass: 'used',
  rename: 'read as',
  translate: 'translated',
  ignore: 'ignored',
  refuse: 'refused'
}

export function settingsChapter(): string {
  return [preface, ...titles.map(([title, side]) => `### ${title}\n\n${settingTable(side)}`)].join(
    '\n'
  )
}

function settingTable(side: Side | undefined): string {
  const rows = rules
    .filter(rule => rule.side === side)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(rule => [code(rule.name), actions[rule.action], rangeOfRule(rule), describeRule(rule)])
  return markdownTable(['setting', 'what happens', 'value', 'meaning'], rows)
}

/** Whether the rule itself tells a reader what becomes of the value. */
export function explainsItself(rule: Rule): boolean {
  return rule.action !== 'translate' || 'to' in rule
}

function describeRule(rule: Rule): string {
  const target = 'to' in rule ? code(rule.to) : ''
  const note = 'note' in rule && typeof rule.note === 'string' ? rule.note : ''
  const sentence = Object.hasOwn(settingNotes, rule.name) ? settingNotes[rule.name] : note
  return [target, sentence].filter(text => text !== '').join('; ')
}

function rangeOfRule(rule: Rule): string {
  return 'check' in rule && rule.check !== undefined ? rangeOf(rule.check) : ''
}

function rangeOf(check: Check): string {
  if ('readable' in check) return `the path of a ${check.readable}`
  if ('form' in check) return check.expected
  if ('oneOf' in check)
    return check.expected ?? check.oneOf.filter(word => word !== '').join(' or ')
  return `${check.min} to ${check.max}`
}

// What people read of an option: its placeholder, range and default, for the help and for CONFIGURATION.md.

import type { Option, OptionGroup, OptionTable } from './options.ts'

/** In the order of the help. */
export const groupTitles: Readonly<Record<OptionGroup, string>> = {
  MirrorMaker: "MirrorMaker's flags",
  Clusters: 'Clusters',
  Topics: 'Topics',
  Mirror: 'Mirror',
  Bench: 'Bench',
  Observe: 'Observe'
}

/** What stands behind the flag; empty for a flag that is only there or not. */
export function placeholderOf(option: Option): string {
  if (option.placeholder !== undefined) return option.placeholder
  if (option.type === 'string' && option.choices) return option.choices.join('|')
  if (option.type === 'boolean') return ''
  return option.type === 'number' ? 'N' : 'TEXT'
}

/** The values that are taken, as the message of a refusal says it too. */
export function rangeOf(option: Option): string {
  if (option.refuse) return 'refused'
  switch (option.type) {
    case 'number':
      return `a whole number from ${option.min} to ${option.max}`
    case 'boolean':
      return 'true or false'
    case 'strings':
      return 'text'
    case 'string':
      return option.choices?.join(' or ') ?? option.expected ?? 'text'
  }
}

/** Empty when there is none. A flag that is off by default needs no words in the help. */
export function defaultOf(option: Option): string {
  return 'default' in option && option.default !== undefined ? String(option.default) : ''
}

export function groupsOf(table: OptionTable): [title: string, names: string[]][] {
  return Object.entries(groupTitles)
    .map(([group, title]): [string, string[]] => [
      title,
      Object.keys(table).filter(name => table[name]?.group === group)
    ])
    .filter(([, names]) => names.length > 0)
}

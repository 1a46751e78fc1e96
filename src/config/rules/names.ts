// Finds the rule of each setting: unknown names, the other side's names, and two names for one thing.

import type { Setting } from '../properties-file.ts'
import { isSecret } from '../redact.ts'
import { refusePlace } from './places.ts'
import { addProblem, type Draft, type Given, type Rule } from './rule.ts'
import { findRule } from './table.ts'
import { describeUnknown, findTypography } from './typography.ts'

const fileOf = { source: '--consumer.config', target: '--producer.config' } as const

/** Fills `given`. Later settings are stronger than earlier ones, by whichever name they come. */
export function resolveNames(settings: readonly Setting[], draft: Draft): void {
  const byName = new Map<string, Setting>()
  for (const setting of settings) {
    const wrong = describeWrong(setting, draft)
    if (wrong !== undefined) {
      draft.problems.push(`${setting.origin}: ${wrong}`)
      continue
    }
    // To be taken out first, or the map would keep the place of the weaker one.
    byName.delete(setting.name)
    byName.set(setting.name, setting)
  }
  const strayed: Setting[] = []
  for (const setting of byName.values()) {
    const given = resolve(setting, draft, strayed)
    if (given) keepStronger(given, draft)
  }
  if (strayed.length > 0) refuseStrayed(strayed, draft)
}

/** Why the line is no setting that may stand there. */
function describeWrong(setting: Setting, { side }: Draft): string | undefined {
  const wrong = findTypography(setting, side) ?? refusePlace(setting)
  if (wrong !== undefined || findRule(setting.name, side)) return wrong
  return describeUnknown(setting, side)
}

function resolve(written: Setting, draft: Draft, strayed: Setting[]): Given | undefined {
  let setting = written
  for (;;) {
    const rule = findRule(setting.name, draft.side) as Rule
    if (rule.side !== undefined && rule.side !== draft.side) {
      strayed.push(written)
      return undefined
    }
    const next = renamed(rule, setting, written, draft)
    if (next === 'refused') return undefined
    if (next === undefined) return { ...setting, rule, written }
    setting = next
  }
}

/** The same under its next name; undefined when this is its last one. */
function renamed(
  rule: Rule,
  setting: Setting,
  written: Setting,
  draft: Draft
): Setting | 'refused' | undefined {
  if (!('to' in rule)) return undefined
  if (rule.action === 'rename') {
    const shown = isSecret(setting.name) ? '' : `=${setting.value}`
    noteReading(draft, written, `${written.name}${shown} read as ${rule.to}${shown}`)
    return rule.to.startsWith('--') ? undefined : { ...setting, name: rule.to }
  }
  const value = rule.read(setting.value)
  if (value === undefined) {
    addProblem(draft, written, `"${setting.value}" is not understood. Set ${rule.to} instead`)
    return 'refused'
  }
  noteReading(draft, written, `${written.name}=${written.value} read as ${rule.to}=${value}`)
  return { ...setting, name: rule.to, value }
}

function noteReading(draft: Draft, { origin }: Setting, what: string): void {
  draft.notes.push({ level: 'info', text: `${origin}: ${what}` })
}

/** Of two names from one place neither counts more; a flag counts more than a file. */
function keepStronger(given: Given, draft: Draft): void {
  const other = draft.given.get(given.name)
  if (other && other.from === given.from && !isSame(other.value, given.value)) {
    const what = `says something else than ${other.written.name} at ${other.origin}. Set one of the two`
    return addProblem(draft, given.written, what)
  }
  draft.given.delete(given.name)
  draft.given.set(given.name, given)
}

function isSame(left: string, right: string): boolean {
  return left === right || normal(left) === normal(right)
}

function normal(value: string): string {
  return value.trim().toLowerCase()
}

function refuseStrayed(strayed: readonly Setting[], draft: Draft): void {
  const other = draft.side === 'source' ? 'target' : 'source'
  const ownNames = [...draft.given.values()].filter(({ rule }) => rule.side === draft.side)
  if (strayed.length > 1 && ownNames.length === 0) {
    const names = strayed.map(({ name }) => name).join(', ')
    const what = `this looks like the file of the ${other}: ${names}. Give it with ${fileOf[other]}`
    const { origin } = strayed[0] as Setting
    draft.problems.push(`${origin.replace(/:\d+$/, '')}: ${what}`)
  }
  for (const setting of strayed) {
    addProblem(draft, setting, `it belongs to the file of ${fileOf[other]}. Move it there`)
  }
}

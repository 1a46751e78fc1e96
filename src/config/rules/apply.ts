// Applies the rules to the settings of one side: every problem is found in one run.

import type { Setting } from '../properties-file.ts'
import { isSecret } from '../redact.ts'
import { didYouMean } from '../suggest.ts'
import {
  addNote,
  addProblem,
  type Check,
  type Draft,
  newDraft,
  type Rule,
  type Side
} from './rule.ts'
import { readKeyStore, readTrustStore } from './stores.ts'
import { findRule, knownNames } from './table.ts'

const fileOf = { source: '--consumer.config', target: '--producer.config' } as const

/** Later settings of the same name are stronger than earlier ones. */
export function applyRules(side: Side, settings: readonly Setting[]): Draft {
  const draft = newDraft(side)
  const byName = new Map(settings.map(setting => [setting.name, setting]))
  draft.insecure = byName.get('insecure')?.value === 'true'
  const renamed = new Map<string, Setting>()
  for (const setting of byName.values()) applyRule(setting, setting, draft, renamed)
  applyStores(byName, draft)
  return draft
}

/** `written` is the setting as the user wrote it, `setting` what it is called after renames. */
function applyRule(
  setting: Setting,
  written: Setting,
  draft: Draft,
  renamed: Map<string, Setting>
): void {
  const rule = findRule(setting.name, draft.side)
  if (!rule) return addUnknown(setting, draft)
  if (rule.side !== undefined && rule.side !== draft.side) {
    return addProblem(
      draft,
      written,
      `it belongs to the file of ${fileOf[rule.side]}. Move it there`
    )
  }
  if (rule.action === 'rename') {
    const shown = isSecret(setting.name) ? '' : `=${setting.value}`
    addNote(draft, 'info', written, `${written.name}${shown} read as ${rule.to}${shown}`)
    return applyRule({ ...setting, name: rule.to }, written, draft, renamed)
  }
  const other = renamed.get(setting.name)
  if (other && other.value !== setting.value) {
    const what = `says something else than ${other.name} at ${other.origin}. Set one of the two`
    return addProblem(draft, written, what)
  }
  renamed.set(setting.name, written)
  act(rule, setting, draft)
}

function act(rule: Rule, setting: Setting, draft: Draft): void {
  switch (rule.action) {
    case 'pass':
      return withChecked(rule.check, setting, draft, ({ name, value }) => {
        draft[rule.part ?? 'connection'].set(name, value)
      })
    case 'translate':
      return withChecked(rule.check, setting, draft, checked => rule.translate(checked, draft))
    case 'ignore': {
      const refused = rule.refuseWhen?.(setting.value)
      if (refused !== undefined) return addProblem(draft, setting, refused)
      draft.ignored.push(rule.note === undefined ? setting.name : `${setting.name} (${rule.note})`)
      return
    }
    case 'refuse':
      return addProblem(draft, setting, rule.note)
  }
}

function withChecked(
  check: Check | undefined,
  setting: Setting,
  draft: Draft,
  use: (checked: Setting) => void
): void {
  if (!check) return use(setting)
  if ('oneOf' in check) {
    const value = check.oneOf.find(word => word === setting.value.toLowerCase())
    if (value !== undefined) return use({ ...setting, value })
    const words = check.oneOf.filter(word => word !== '').join(' or ')
    return addProblem(draft, setting, `expected ${words}, got "${setting.value}". Set one of them`)
  }
  const number = /^[+-]?\d+$/.test(setting.value) ? Number(setting.value) : Number.NaN
  if (number > check.max) {
    addNote(draft, 'warn', setting, `${setting.value} cut to ${check.max}, the limit`)
    return use({ ...setting, value: String(check.max) })
  }
  if (number >= check.min) return use({ ...setting, value: String(number) })
  const range = `a whole number from ${check.min} to ${check.max}`
  addProblem(draft, setting, `expected ${range}, got "${setting.value}". Set one`)
}

function addUnknown(setting: Setting, draft: Draft): void {
  addProblem(draft, setting, `unknown setting${didYouMean(setting.name, knownNames(draft.side))}`)
}

function applyStores(byName: ReadonlyMap<string, Setting>, draft: Draft): void {
  const trust = byName.get('ssl.truststore.location')
  if (trust) readTrustStore(trust, draft)
  const keys = byName.get('ssl.keystore.location')
  if (keys) readKeyStore(keys, byName.get('ssl.keystore.password')?.value, draft)
}

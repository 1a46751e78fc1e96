// Applies the rules to the settings of one side: every problem is found in one run.

import type { Setting } from '../properties-file.ts'
import { type Check, checkValue } from './check.ts'
import { checkTogether } from './combinations.ts'
import { resolveNames } from './names.ts'
import {
  addNote,
  addProblem,
  type Draft,
  type FlagName,
  type Given,
  ignore,
  lenient,
  newDraft,
  type Rule,
  type Side,
  type Strictness,
  setConnection,
  setGroup
} from './rule.ts'
import { applyStores } from './stores.ts'

/** Later settings of the same name are stronger than earlier ones. */
export function applyRules(
  side: Side,
  settings: readonly Setting[],
  strictness: Strictness = lenient
): Draft {
  const draft = newDraft(side, strictness)
  resolveNames(settings, draft)
  draft.insecure = draft.given.get('insecure')?.value === 'true'
  for (const setting of draft.given.values()) act(setting, draft)
  applyStores(draft)
  checkTogether(draft)
  return draft
}

function act(given: Given, draft: Draft): void {
  const { rule, written, ...rest } = given
  const setting = { ...rest, writtenName: written.name }
  switch (rule.action) {
    case 'pass':
      return withChecked(rule.check, setting, draft, checked => pass(rule, checked, draft))
    case 'translate':
      if ('use' in rule)
        withChecked(rule.check, setting, draft, checked => rule.use(checked, draft))
      return
    case 'rename':
      return withChecked(flagChecks[rule.to], setting, draft, checked => {
        draft.flags.set(rule.to.slice('--'.length) as FlagName, checked)
      })
    case 'ignore':
      return actIgnored(rule, setting, draft)
    case 'refuse':
      if (rule.use) return rule.use(setting, draft)
      return addProblem(draft, setting, rule.note)
  }
}

/** Patterns are read where the topics are chosen. */
const flagChecks: Readonly<Record<string, Check | undefined>> = {
  '--num.streams': { min: 1, max: 64 }
}

function pass(rule: Rule & { action: 'pass' }, setting: Setting, draft: Draft): void {
  if (rule.use) rule.use(setting, draft)
  else if (rule.part === 'group') setGroup(draft, setting, setting.name, setting.value)
  else setConnection(draft, setting, setting.name, setting.value)
}

function actIgnored(rule: Rule & { action: 'ignore' }, setting: Setting, draft: Draft): void {
  if (rule.use) return rule.use(setting, draft)
  const refused = rule.refuseWhen?.(setting.value)
  if (refused !== undefined) return addProblem(draft, setting, refused)
  if (rule.silentWhen?.(setting.value) && !draft.strictness.strict) return
  const note = typeof rule.note === 'function' ? rule.note(setting.value) : rule.note
  ignore(draft, setting, note)
}

function withChecked(
  check: Check | undefined,
  setting: Setting,
  draft: Draft,
  use: (checked: Setting) => void
): void {
  if (!check) return use(setting)
  const { value, cut, problem } = checkValue(check, setting)
  if (problem !== undefined) return addProblem(draft, setting, problem)
  if (cut) addNote(draft, 'warn', setting, `${setting.value} cut to ${value}, the limit`)
  use({ ...setting, value })
}

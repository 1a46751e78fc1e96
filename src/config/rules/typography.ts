// Tells lines that are no setting at all: prose, and signs that a web page puts in place of plain ones.

import { dashes, findLookAlike, nameLookAlike, quotes } from '../look-alikes.ts'
import { isSentence, type Setting } from '../properties-file.ts'
import { isSecret } from '../redact.ts'
import { nearestName } from '../suggest.ts'
import type { Side } from './rule.ts'
import { findRule, knownNames } from './table.ts'

/** How names of settings look; what does not is not shown either, as it could be a part of a secret. */
const plainName = /^[A-Za-z][\w.-]{0,99}$/

/** What is wrong with the line as such, and how it would be right. */
export function findTypography(setting: Setting, side: Side): string | undefined {
  if (isPolluting(setting.name)) return `${setting.name}: it is no setting. Remove it`
  const sign = findLookAlike(setting.name)
  if (sign !== undefined) return describeSign(setting, sign.name, side)
  const quote = quoteAround(setting)
  if (quote !== undefined) {
    return `${setting.name}: the value stands in ${nameLookAlike(quote)}. Set it without quotes`
  }
  if (isProse(setting)) return describeProse()
  return undefined
}

/** One end is enough, but for a password, which may well end in any sign. */
function quoteAround({ name, value }: Setting): string | undefined {
  const ends = [value.at(0), value.at(-1)].filter(char => char !== undefined && char in quotes)
  return ends.length < (isSecret(name) ? 2 : 1) ? undefined : ends[0]
}

/** For a name that has no rule. */
export function describeUnknown(setting: Setting, side: Side): string {
  const { name } = setting
  if (!plainName.test(name)) return describeProse()
  const nearest = nearestName(name, knownNames(side))
  if (nearest !== undefined) return `${name}: unknown setting, did you mean "${nearest}"?`
  const isAssigned = setting.separator === undefined || /[=:]/.test(setting.separator)
  if (!isAssigned || (!name.includes('.') && /\s/.test(setting.value))) return describeProse()
  return `${name}: unknown setting. Remove it, or correct its name`
}

function describeProse(): string {
  return 'this line looks like prose, not like a setting. Put a # in front of it, or remove it'
}

function describeSign(setting: Setting, sign: string, side: Side): string {
  const name = [...setting.name]
    .map(char => (char in dashes ? '-' : char))
    .filter(char => findLookAlike(char) === undefined)
    .join('')
  const meant = findRule(name, side) ? name : nearestName(name, knownNames(side))
  if (meant === undefined) return describeProse()
  return `${meant}: its name is written with ${sign}. Set ${meant}=…`
}

// "group.id is the name of the group" begins with a known name. What takes words by itself is not told apart.
function isProse(setting: Setting): boolean {
  if (isSecret(setting.name) || /cmd$|certificates$|chain$/.test(setting.name)) return false
  return isSentence(setting) && setting.value.split(/\s+/).length >= 3
}

/** Names that would reach into every object of the process. */
function isPolluting(name: string): boolean {
  return name.split('.').some(part => /^(?:__proto__|constructor|prototype)$/.test(part))
}

// What a value has to be, and how one that is not is told.

import { accessSync, constants, statSync } from 'node:fs'
import type { Setting } from '../properties-file.ts'
import { isSecret } from '../redact.ts'

/** `set`: what to write instead, when "one" would not help. A number that is only too large is cut to `max`. */
export type Check = { set?: string } & (
  | { min: number; max: number }
  | { oneOf: readonly string[]; expected?: string }
  | { form: RegExp; expected: string }
  /** The path of something that can be read; `words` are values that are no path. */
  | { readable: 'file' | 'file or folder'; words?: readonly string[] }
)

export interface Checked {
  value: string
  /** The number was too large and is now the limit. */
  cut?: boolean
  problem?: string
}

export const milliseconds = { min: 0, max: 2_147_483_647 }
export const trueOrFalse = { oneOf: ['true', 'false'] } as const

/** Limits that Java files name by a word. The second is rounded, and cut wherever it is used. */
const words: ReadonlyMap<string, string> = new Map([
  ['Integer.MAX_VALUE', '2147483647'],
  ['Long.MAX_VALUE', '9223372036854775807']
])

export function checkValue(check: Check, setting: Setting): Checked {
  if ('readable' in check) return checkPath(check, setting)
  if ('form' in check) {
    if (check.form.test(setting.value)) return { value: setting.value }
    return wrong(check, setting, check.expected)
  }
  if ('oneOf' in check) {
    const given = setting.value.toLowerCase()
    const value = check.oneOf.find(word => word.toLowerCase() === given)
    if (value !== undefined) return { value }
    const expected = check.expected ?? check.oneOf.filter(word => word !== '').join(' or ')
    return wrong(check, setting, expected, check.oneOf.length === 1 ? expected : 'one of them')
  }
  return checkNumber(check, setting)
}

function checkNumber(check: Check & { min: number; max: number }, setting: Setting): Checked {
  const text = words.get(setting.value.replace(/^java\.lang\./, '')) ?? setting.value
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (number > check.max) return { value: String(check.max), cut: true }
  if (number >= check.min) return { value: String(number) }
  return wrong(check, setting, `a whole number from ${check.min} to ${check.max}`)
}

function checkPath(check: Check & { readable: string }, setting: Setting): Checked {
  const { name, value } = setting
  if ('words' in check && check.words?.includes(value)) return { value }
  // Somebody may have put the key itself in the place of its path.
  const shown = isSecret(name) ? 'it' : value
  const set = `Set the path of a ${check.readable} that this user may read`
  try {
    accessSync(value, constants.R_OK)
    if (check.readable === 'file' && statSync(value).isDirectory())
      return { value, problem: `${shown} is a folder. ${set}` }
    return { value }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const why = code === 'ENOENT' ? 'there is no such file' : code
    return { value, problem: `${shown} cannot be read: ${why}. ${set}` }
  }
}

function wrong(check: Check, { name, value }: Setting, expected: string, set = 'one'): Checked {
  const got = isSecret(name) ? 'something else' : `"${value}"`
  return { value, problem: `expected ${expected}, got ${got}. Set ${check.set ?? set}` }
}

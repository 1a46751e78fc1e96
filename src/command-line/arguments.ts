// Reads the arguments of one command by its option table: which flags, with which values, and which words.
//
// yargs splits them up. Every flag is a text to it, so that flags and variables get the same checks later: with
// types it reads --flag=maybe as false. What it would take for a flag of its own or stumble over (--constructor,
// --$0) is refused before.

import yargs from 'yargs'
import type { Option, OptionTable } from '../config/options.ts'
import { UsageError } from '../errors.ts'
import { unknownFlag } from './unknown-flag.ts'

/** Flags that every command takes. */
export const generalFlags: OptionTable = {
  help: { group: 'Observe', type: 'boolean', default: false, describe: 'Show this help.' },
  version: { group: 'Observe', type: 'boolean', default: false, describe: 'Show the version.' },
  debug: {
    group: 'Observe',
    type: 'boolean',
    default: false,
    describe: 'Show the stack of an error.'
  }
}

export interface Arguments {
  /** Under the names of the table; a list for a flag that is given several times. */
  flags: Record<string, string | string[]>
  words: string[]
}

/** `ownersOf` names the commands that have a flag which this one lacks. */
export function readArguments(
  options: OptionTable,
  args: readonly string[],
  ownersOf: (flag: string) => readonly string[]
): Arguments {
  const table = { ...options, ...generalFlags }
  checkFlags(table, args, ownersOf)
  const { _: words, $0: _, ...flags } = parser(table).parseSync([...args])
  return { flags: flags as Arguments['flags'], words: words.map(String) }
}

function parser(table: OptionTable): ReturnType<typeof yargs> {
  return yargs()
    .parserConfiguration({
      'dot-notation': false,
      'camel-case-expansion': false,
      'boolean-negation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': false
    })
    .version(false)
    .help(false)
    .exitProcess(false)
    .option(
      Object.fromEntries(
        Object.keys(table).map(flag => [flag, { string: true, coerce: textOf(table, flag) }])
      )
    )
}

/** A flag that is only there or not has no value behind it and is then true. */
function textOf(table: OptionTable, flag: string): (value: unknown) => unknown {
  const isSwitch = ownRow(table, flag)?.type === 'boolean'
  return value => (isSwitch && value === '' ? 'true' : value)
}

function checkFlags(
  table: OptionTable,
  args: readonly string[],
  ownersOf: (flag: string) => readonly string[]
): void {
  const end = args.indexOf('--')
  let before = ''
  for (const arg of end === -1 ? args : args.slice(0, end)) {
    const [name = ''] = arg.split('=', 1)
    if (isFlag(name)) {
      const option = name.startsWith('--') ? ownRow(table, name.slice(2)) : undefined
      if (!option && isValueMissing(table, before, name)) throw new UsageError(missing(before, arg))
      if (!option) throw new UsageError(unknownFlag(name, Object.keys(table), ownersOf))
    }
    before = arg
  }
}

/** A negative number is a value. */
function isFlag(arg: string): boolean {
  return /^-[^\d]/.test(arg) && arg !== '-'
}

function isValueMissing(table: OptionTable, before: string, name: string): boolean {
  const option = before.startsWith('--') ? ownRow(table, before.slice(2)) : undefined
  return option !== undefined && option.type !== 'boolean' && /^-[a-z]/i.test(name)
}

function missing(name: string, next: string): string {
  const form = `A value that begins with a dash is written ${name}=${next}, and a flag with two dashes`
  return `${name}: the value is missing before ${next}. ${form}`
}

export function ownRow(table: OptionTable, flag: string): Option | undefined {
  return Object.hasOwn(table, flag) ? table[flag] : undefined
}

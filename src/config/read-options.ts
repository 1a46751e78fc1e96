// Turns flags and environment into checked options: flag before environment before default.

import { UsageError } from '../errors.ts'
import {
  demoOptions,
  environmentName,
  type Option,
  type OptionTable,
  type OptionValues,
  runOptions,
  versionOptions
} from './options.ts'
import { didYouMean } from './suggest.ts'

export type Environment = Readonly<Record<string, string | undefined>>
const tables: readonly OptionTable[] = [runOptions, demoOptions, versionOptions]

type Given = string | number | boolean | readonly unknown[] | undefined

/** `flags` is what the parser of the command line found, under the names of the table. */
export function readOptions<Table extends OptionTable>(
  table: Table,
  flags: Readonly<Record<string, unknown>>,
  environment: Environment
): OptionValues<Table> {
  const options = Object.entries(table).map(([name, option]) => {
    const flag = flags[name] as Given
    if (flag !== undefined) return [name, check(`--${name}`, option, flag)]
    const variable = environmentName(name)
    const value = environment[variable]
    return [name, check(variable, option, value === '' ? undefined : value)]
  })
  return Object.freeze(Object.fromEntries(options)) as OptionValues<Table>
}

/** Variables that belong to us by prefix and to no option. Those of the clusters are read elsewhere. */
export function refuseUnknownVariables(environment: Environment): void {
  const known = new Set(tables.flatMap(table => Object.keys(table).map(environmentName)))
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('HELIOSTAT_') || known.has(name)) continue
    if (/^HELIOSTAT_(?:SOURCE|TARGET)_/.test(name)) continue
    throw new UsageError(`environment: unknown variable ${name}${didYouMean(name, known)}`)
  }
}

function check(name: string, option: Option, given: Given): unknown {
  if (option.type === 'strings') return readList(name, given)
  if (Array.isArray(given))
    throw new UsageError(`${name}: it is given ${given.length} times; give it once`)
  if (given === undefined) return 'default' in option ? option.default : undefined
  if (option.type === 'number') return readNumber(name, option, String(given))
  if (option.type === 'boolean') return readBoolean(name, String(given))
  return readText(name, option, String(given))
}

function readList(name: string, given: Given): readonly string[] {
  const list = given === undefined ? [] : Array.isArray(given) ? given.map(String) : [String(given)]
  if (list.includes('')) throw new UsageError(`${name}: the value is missing`)
  return list
}

function readNumber(
  name: string,
  { min, max }: { min: number; max: number },
  text: string
): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`${name}: expected a whole number from ${min} to ${max}, got "${text}"`)
}

function readBoolean(name: string, text: string): boolean {
  if (text === 'true') return true
  if (text === 'false') return false
  throw new UsageError(`${name}: expected true or false, got "${text}"`)
}

function readText(name: string, option: Option & { type: 'string' }, text: string): string {
  if (text === '') throw new UsageError(`${name}: the value is missing`)
  if (option.choices && !option.choices.includes(text)) {
    throw new UsageError(`${name}: expected ${option.choices.join(' or ')}, got "${text}"`)
  }
  if (option.pattern && !option.pattern.test(text)) {
    throw new UsageError(`${name}: expected ${option.expected}, got "${text}"`)
  }
  return text
}

// Turns flags and environment into checked options: flag before environment before default.

import { UsageError } from '../errors.ts'
import {
  benchOptions,
  demoOptions,
  environmentName,
  healthOptions,
  type Option,
  type OptionTable,
  type OptionValues,
  planOptions,
  printOptions,
  runOptions,
  statusOptions,
  transformTestOptions,
  verifyOptions,
  versionOptions
} from './options.ts'
import { didYouMean, nearestName } from './suggest.ts'

export type Environment = Readonly<Record<string, string | undefined>>
const tables: readonly OptionTable[] = [
  runOptions,
  demoOptions,
  planOptions,
  printOptions,
  statusOptions,
  verifyOptions,
  benchOptions,
  transformTestOptions,
  healthOptions,
  versionOptions
]

type Given = string | number | boolean | readonly unknown[] | undefined

/**
 * `flags` is what the parser of the command line found, under the names of the table. Everything
 * wrong is found in one run.
 */
export function readOptions<Table extends OptionTable>(
  table: Table,
  flags: Readonly<Record<string, unknown>>,
  environment: Environment
): OptionValues<Table> {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(table)) {
    const [origin, given] = findGiven(name, flags, environment)
    try {
      values[name] = check(origin, option, given)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      problems.push(...error.problems)
    }
  }
  if (problems.length > 0) throw new UsageError(problems)
  return Object.freeze(values) as OptionValues<Table>
}

/** Where an option has its value from: its flag, its variable, or `default`. */
export function originOf(
  name: string,
  flags: Readonly<Record<string, unknown>>,
  environment: Environment
): string {
  const [origin, given] = findGiven(name, flags, environment)
  return given === undefined ? 'default' : origin
}

function findGiven(
  name: string,
  flags: Readonly<Record<string, unknown>>,
  environment: Environment
): [origin: string, given: Given] {
  const flag = flags[name] as Given
  if (flag !== undefined) return [`--${name}`, flag]
  const variable = environmentName(name)
  return [variable, environment[variable] === '' ? undefined : environment[variable]]
}

/** Variables that belong to us by prefix and to no option. Those of the clusters are read elsewhere. */
export function refuseUnknownVariables(environment: Environment): void {
  const known = new Set(tables.flatMap(table => Object.keys(table).map(environmentName)))
  const problems = Object.keys(environment)
    .filter(name => name.startsWith('HELIOSTAT_') && !known.has(name) && !clusterPrefix.test(name))
    .map(name => `environment: unknown variable ${name}${meantVariable(name, known)}`)
  if (problems.length > 0) throw new UsageError(problems)
}

// The second source is HELIOSTAT_SOURCE2_, and the first has no number.
const clusterPrefix = /^HELIOSTAT_(?:SOURCE(?:[2-9]|[1-9]\d)?|TARGET)_./

/** Variables of a source that has no file: nobody would read them. */
export function variablesWithoutSource(environment: Environment, sources: number): string[] {
  return Object.keys(environment).flatMap(name => {
    const number = /^HELIOSTAT_SOURCE(\d+)_./.exec(name)?.[1]
    if (number === undefined || Number(number) <= sources) return []
    const given = sources === 1 ? 'one --consumer.config' : `${sources} times --consumer.config`
    return [`${name}: there is no source ${number}, with ${given}. Give its file, or remove it`]
  })
}

function meantVariable(name: string, known: ReadonlySet<string>): string {
  const [, cluster = '', setting = ''] = /^HELIOSTAT_([A-Z]+)\d*_(.+)$/i.exec(name) ?? []
  const side = nearestName(cluster, ['SOURCE', 'TARGET'])
  if (side !== undefined) return `, did you mean "HELIOSTAT_${side}_${setting}"?`
  return didYouMean(name, known)
}

function check(name: string, option: Option, given: Given): unknown {
  if (option.type === 'strings') return readList(name, option, given)
  if (Array.isArray(given)) refuseRepeated(name, option, given)
  if (given === undefined) return 'default' in option ? option.default : undefined
  const text = String(given)
  if (option.refuse) throw new UsageError(`${name}: ${option.refuse(text)}`)
  if (option.type === 'number') return readNumber(name, option, text)
  if (option.type === 'boolean') return readBoolean(name, text)
  return readText(name, option, text)
}

function refuseRepeated(name: string, option: Option, given: readonly unknown[]): never {
  const values = given.map(value => `"${value}"`).join(', ')
  const instead = option.once === undefined ? 'Give it once' : `Give it once. ${option.once}`
  throw new UsageError(`${name}: it is given ${given.length} times, with ${values}. ${instead}`)
}

function readList(
  name: string,
  option: Option & { type: 'strings' },
  given: Given
): readonly string[] {
  const list = given === undefined ? [] : Array.isArray(given) ? given.map(String) : [String(given)]
  if (list.includes('')) throw new UsageError(`${name}: the value is missing`)
  const twice =
    option.once === undefined ? undefined : list.find((text, at) => list.indexOf(text) < at)
  if (twice === undefined) return list
  throw new UsageError(`${name}: "${twice}" is given twice. ${option.once}`)
}

function readNumber(
  name: string,
  { min, max }: { min: number; max: number },
  text: string
): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  if (text === '') throw new UsageError(`${name}: the value is missing`)
  const hint = /^\d/.test(text) && Number.isNaN(value) ? '. Write it in digits alone' : ''
  throw new UsageError(
    `${name}: expected a whole number from ${min} to ${max}, got "${text}"${hint}`
  )
}

function readBoolean(name: string, text: string): boolean {
  const word = text.toLowerCase()
  if (word === 'true') return true
  if (word === 'false') return false
  throw new UsageError(`${name}: expected true or false, got "${text}"`)
}

function readText(name: string, option: Option & { type: 'string' }, text: string): string {
  if (text === '') throw new UsageError(`${name}: the value is missing`)
  if (option.choices && !option.choices.includes(text)) {
    throw new UsageError(
      `${name}: expected ${option.choices.join(' or ')}, got "${text}"${didYouMean(text, option.choices)}`
    )
  }
  if (option.pattern && !option.pattern.test(text)) {
    throw new UsageError(`${name}: expected ${option.expected}, got "${text}"`)
  }
  return text
}

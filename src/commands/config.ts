// `heliostat config`: what a run would use and why, and whether it could start, without connecting.

import { type ExplainedValue, type LoadedConfig, loadConfig } from '../config/load.ts'
import {
  type Option,
  type OptionName,
  printOptions,
  type RunOptions,
  runOptions
} from '../config/options.ts'
import { originOf, readOptions, refuseUnknownVariables } from '../config/read-options.ts'
import { redactAssignment } from '../config/redact.ts'
import type { Note } from '../config/rules/rule.ts'
import { ConfigError, NoTopicsError, UsageError } from '../errors.ts'
import { nativeVersion } from '../native/index.ts'
import { formatTable } from '../observe/table.ts'
import { readTopicPattern } from '../topics/pattern.ts'

type Flags = Readonly<Record<string, unknown>>

interface OptionValue {
  name: string
  /** Null: not set, and without a default. */
  value: unknown
  /** A flag, a variable, `file:line` or `default`. */
  origin: string
}

export async function print(flags: Flags): Promise<number> {
  const { format } = readOptions(printOptions, flags, process.env)
  const { config } = read(flags)
  const { explained, rules } = config
  const options = optionValues(flags, explained)
  if (format === 'json') {
    const document = { options, clusters: explained, ...(rules.length > 0 && { rules }) }
    console.log(JSON.stringify(document, null, 2))
  } else {
    const tables = [optionTable(options), clusterTable(explained), ruleTable(rules)]
    const shown = tables.filter(table => table.length > 0)
    console.log(shown.map(table => table.join('\n')).join('\n\n'))
  }
  return 0
}

export async function validate(flags: Flags): Promise<number> {
  const { config, isTopicChosen } = read(flags)
  for (const note of config.notes) process.stderr.write(`${describeNote(note)}\n`)
  if (!isTopicChosen) {
    const text =
      "no topics chosen: a run needs --whitelist or --blacklist too, such as --whitelist '.*'"
    process.stderr.write(`${describeNote({ level: 'warn', text })}\n`)
  }
  console.log('ok')
  return 0
}

interface Read {
  config: LoadedConfig
  isTopicChosen: boolean
}

/** As `run` does, but for topics: files can be looked at before anybody has chosen some. */
function read(flags: Flags): Read {
  refuseUnknownVariables(process.env)
  const options = readOptions(runOptions, flags, process.env)
  try {
    const config = load(options, flags)
    const problems = patternProblems([config.topics.include, config.topics.exclude])
    if (problems.length > 0) throw new UsageError(problems)
    return { config, isTopicChosen: true }
  } catch (error) {
    if (error instanceof NoTopicsError)
      return { config: load({ ...options, whitelist: '.*' }, flags), isTopicChosen: false }
    if (!(error instanceof ConfigError)) throw error
    const patterns = patternFlags.map(name => options[name])
    throw new ConfigError([...patternProblems(patterns), ...error.problems])
  }
}

function load(options: RunOptions, flags: Flags): LoadedConfig {
  const isGiven = (name: OptionName) => originOf(name, flags, process.env) !== 'default'
  return loadConfig(options, process.env, isGiven, nativeVersion().features)
}

const patternFlags = ['whitelist', 'include', 'blacklist', 'exclude'] as const

function patternProblems(patterns: readonly (string | undefined)[]): string[] {
  return patterns.flatMap(pattern => {
    if (pattern === undefined) return []
    try {
      readTopicPattern(pattern)
      return []
    } catch (error) {
      if (error instanceof UsageError) return error.problems
      throw error
    }
  })
}

function optionValues(flags: Flags, explained: readonly ExplainedValue[]): OptionValue[] {
  const values: Readonly<Record<string, unknown>> = readOptions(runOptions, flags, process.env)
  return Object.entries(runOptions)
    .filter(([, option]: [string, Option]) => !option.refuse)
    .map(([name]) => {
      const origin = originOf(name, flags, process.env)
      const given = { name, value: masked(values[name]) ?? null, origin }
      return origin === 'default' ? (fromFiles(name, explained) ?? given) : given
    })
}

/** Some options have a setting in the files, which counts when neither flag nor variable is given. */
function fromFiles(name: string, explained: readonly ExplainedValue[]): OptionValue | undefined {
  const rows = explained.filter(row => row.part === 'engine' && row.name === name)
  if (rows.every(row => row.origin === 'default')) return undefined
  const distinct = (texts: readonly string[]) => [...new Set(texts)].join(', ')
  return {
    name,
    value: distinct(rows.map(row => row.value)),
    origin: distinct(rows.map(row => row.origin))
  }
}

/** Secrets are refused in overrides; this is the second line of defence. */
function masked(value: unknown): unknown {
  return Array.isArray(value) ? value.map(redactAssignment) : value
}

function optionTable(options: readonly OptionValue[]): string[] {
  const columns = [{ title: 'OPTION' }, { title: 'VALUE' }, { title: 'ORIGIN' }]
  const rows = options.map(({ name, value, origin }) => [`--${name}`, showValue(value), origin])
  return formatTable(columns, rows, Number.POSITIVE_INFINITY)
}

function showValue(value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return '-'
  return Array.isArray(value) ? value.join(', ') : String(value)
}

function clusterTable(values: readonly ExplainedValue[]): string[] {
  const titles = ['CLUSTER', 'SIDE', 'PART', 'SETTING', 'VALUE', 'ORIGIN']
  const rows = values.map(({ cluster, side, part, name, value, origin }) => [
    cluster,
    side,
    part,
    name,
    // A certificate in PEM form has many lines; a table has one a row.
    value === '' ? '-' : value.replaceAll(/\s*\n\s*/g, ' '),
    origin
  ])
  const columns = titles.map(title => ({ title }))
  return formatTable(columns, rows, Number.POSITIVE_INFINITY)
}

/** Empty without rules. Arguments may be secret: only names are shown. */
function ruleTable(rules: LoadedConfig['rules']): string[] {
  if (rules.length === 0) return []
  const titles = ['TOPICS', 'HANDLERS', 'ON ERROR', 'MAX ERRORS', 'ORIGIN']
  const rows = rules.map(({ topics, handlers, onError, maxErrors, origin }) => [
    topics,
    handlers.join(', '),
    onError,
    String(maxErrors),
    origin
  ])
  const columns = titles.map(title => ({ title }))
  return formatTable(columns, rows, Number.POSITIVE_INFINITY)
}

function describeNote({ level, text }: Note): string {
  return `${level === 'warn' ? 'warning' : 'note'}: ${text}`
}

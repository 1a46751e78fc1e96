// Which links `status` looks at: those of a run's files, or one group of one cluster.

import { connectionOf, linkOptions } from '../config/complete.ts'
import { loadConfig } from '../config/load.ts'
import {
  type OptionTable,
  type OptionValues,
  runOptions,
  type statusOptions
} from '../config/options.ts'
import { readPropertiesFile } from '../config/properties-file.ts'
import { resolveProviders } from '../config/providers.ts'
import { type Environment, readOptions } from '../config/read-options.ts'
import { applyRules } from '../config/rules/apply.ts'
import { newDraft } from '../config/rules/rule.ts'
import { ConfigError, UsageError } from '../errors.ts'
import type { Isolation, Properties } from '../native/index.ts'

export type StatusOptions = OptionValues<typeof statusOptions>

export interface WatchedLink {
  source: string
  sourceConnection: Properties
  target: string | undefined
  group: string
  isolation: Isolation
}

export interface WatchedLinks {
  links: readonly WatchedLink[]
  targetConnection: Properties | undefined
  /** As `run` chooses topics; undefined: those of the group. */
  pattern: { include: string | undefined; exclude: string | undefined } | undefined
}

const patternFlags = ['whitelist', 'include', 'blacklist', 'exclude'] as const
const fileFlags = [
  'consumer.config',
  'producer.config',
  'consumer.config.override',
  'producer.config.override'
] as const
const aloneFlags = ['bootstrap-server', 'group', 'command-config'] as const

export function findLinks(options: StatusOptions, environment: Environment): WatchedLinks {
  const alone = aloneFlags.filter(name => options[name] !== undefined)
  const files = fileFlags.filter(name => options[name].length > 0)
  if (alone[0] !== undefined && files[0] !== undefined) {
    throw new UsageError(
      `--${alone[0]} and --${files[0]} exclude each other: give the files of a run, or a cluster and a group`
    )
  }
  if (alone.length > 0) return readAlone(options, environment)
  if (files.length > 0) return readFiles(options, environment)
  throw new UsageError(
    'nothing to look at: give --consumer.config FILE and --producer.config FILE as to run, ' +
      'or --bootstrap-server HOST:PORT and --group GROUP'
  )
}

function readFiles(options: StatusOptions, environment: Environment): WatchedLinks {
  const pattern = readPattern(options)
  const config = loadConfig(
    // Here every topic may be left out, and no topic has to be chosen.
    { ...runDefaults(), ...options, ...(pattern ? {} : { include: '.*' }) },
    environment,
    () => false
  )
  const links = config.links.map(({ source, link }) => ({
    source: source.alias,
    sourceConnection: source.connection,
    target: config.target.alias,
    group: source.group['group.id'] as string,
    isolation: link.isolation
  }))
  return { links, targetConnection: config.target.connection, pattern: pattern && config.topics }
}

function readAlone(options: StatusOptions, environment: Environment): WatchedLinks {
  const { 'bootstrap-server': servers, group, 'command-config': file } = options
  if (servers === undefined) {
    throw new UsageError('--bootstrap-server HOST:PORT is missing: it names the cluster of --group')
  }
  if (group === undefined) {
    throw new UsageError('--group GROUP is missing: it names the group to look at')
  }
  const include = options.include ?? options.whitelist
  const exclude = options.exclude ?? options.blacklist
  if (include !== undefined && exclude !== undefined) {
    throw new UsageError('--whitelist and --blacklist exclude each other: give one of them')
  }
  const { sourceConnection, isolation } = readConnection(servers, file, options, environment)
  return {
    links: [{ source: 'source', sourceConnection, target: undefined, group, isolation }],
    targetConnection: undefined,
    pattern: readPattern(options) && { include, exclude }
  }
}

/** The file is one of those that Kafka's own tools take with --command-config. */
function readConnection(
  servers: string,
  file: string | undefined,
  options: StatusOptions,
  environment: Environment
): Pick<WatchedLink, 'sourceConnection' | 'isolation'> {
  const read = file === undefined ? nothingRead : readPropertiesFile(file)
  const resolved = resolveProviders(read.settings, environment)
  const draft = applyRules('source', [
    ...resolved.settings.filter(({ name }) => !adminSettings.has(name)),
    { name: 'bootstrap.servers', value: servers, origin: '--bootstrap-server' }
  ])
  const problems = [...read.problems, ...resolved.problems, ...draft.problems]
  if (problems.length > 0) throw new ConfigError(problems)
  const link = linkOptions(draft, newDraft('target'), { ...runDefaults(), ...options })
  return { sourceConnection: connectionOf(draft, link, 'info'), isolation: link.isolation }
}

/** Of Kafka's admin client and not of its consumer. Here each question is asked once, within --timeout-ms. */
const adminSettings = new Set(['retries'])

const nothingRead: ReturnType<typeof readPropertiesFile> = {
  settings: [],
  warnings: [],
  problems: []
}

function readPattern(options: StatusOptions): true | undefined {
  return patternFlags.some(name => options[name] !== undefined) || undefined
}

function runDefaults(): OptionValues<typeof runOptions> {
  return readOptions(runOptions satisfies OptionTable, {}, {})
}

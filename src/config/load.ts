// Makes the configuration of a run from checked options: everything wrong is found before anything starts.

import { ConfigError, UsageError } from '../errors.ts'
import type { AutoOffsetReset } from '../mirror/types.ts'
import type { LinkOptions, Properties } from '../native/index.ts'
import { gatherSettings } from './cluster-settings.ts'
import { connectionOf, groupOf, linkOptions } from './complete.ts'
import type { RunOptions } from './options.ts'
import type { Environment } from './read-options.ts'
import { applyRules } from './rules/apply.ts'
import { type Draft, type Note, newDraft, type Side } from './rules/rule.ts'
import { insecureNotes } from './transport.ts'

export interface LoadedConfig {
  source: { alias: string; connection: Properties; group: Properties }
  target: { alias: string; connection: Properties }
  link: LinkOptions
  topics: { include: string | undefined; exclude: string | undefined }
  autoOffsetReset: AutoOffsetReset
  commitIntervalMs: number
  /** What was translated, ignored or loosened: to be logged at every start. */
  notes: Note[]
}

/** `isGiven` tells a flag from a default: --offset.commit.interval.ms is stronger than the file. */
export function loadConfig(
  options: RunOptions,
  environment: Environment,
  isGiven: (name: keyof RunOptions) => boolean
): LoadedConfig {
  const notes: Note[] = []
  const topics = chooseTopics(options, notes)
  const files = { source: oneFile(options, 'source'), target: oneFile(options, 'target') }
  const source = readCluster('source', files.source, options, environment)
  const target = readCluster('target', files.target, options, environment)
  checkRequired(source, files.source)
  checkRequired(target, files.target)
  const problems = [...source.problems, ...target.problems]
  if (problems.length > 0) throw new ConfigError(problems)
  const link = linkOptions(source, target, options)
  const commitFlag = options['offset.commit.interval.ms']
  const config = {
    source: {
      alias: source.alias ?? 'source',
      connection: connectionOf(source, link, options['log-level']),
      group: groupOf(source, link.isolation)
    },
    target: {
      alias: target.alias ?? 'target',
      connection: connectionOf(target, link, options['log-level'])
    },
    link,
    topics,
    autoOffsetReset: source.autoOffsetReset ?? 'earliest',
    commitIntervalMs: isGiven('offset.commit.interval.ms')
      ? commitFlag
      : (source.commitIntervalMs ?? commitFlag)
  }
  notes.push(...clusterNotes(source, config.source.connection))
  notes.push(...clusterNotes(target, config.target.connection))
  if (link.isolation === 'read_uncommitted') {
    const text =
      'isolation read_uncommitted: records of aborted transactions become visible at the target'
    notes.push({ level: 'warn', text })
  }
  return { ...config, notes }
}

function chooseTopics(options: RunOptions, notes: Note[]): LoadedConfig['topics'] {
  const include = chooseOne(options, 'include', 'whitelist', notes)
  const exclude = chooseOne(options, 'exclude', 'blacklist', notes)
  if (include === undefined && exclude === undefined) {
    throw new UsageError(
      'no topics chosen: give --whitelist REGEX (for every topic ".*") or --blacklist REGEX'
    )
  }
  if (include !== undefined && exclude !== undefined) {
    throw new UsageError('--whitelist and --blacklist exclude each other: give one of them')
  }
  return { include, exclude }
}

function chooseOne(
  options: RunOptions,
  name: 'include' | 'exclude',
  older: 'whitelist' | 'blacklist',
  notes: Note[]
): string | undefined {
  if (options[name] !== undefined && options[older] !== undefined) {
    notes.push({ level: 'warn', text: `--${name} and --${older} are both given: --${name} counts` })
  }
  return options[name] ?? options[older]
}

function oneFile(options: RunOptions, side: Side): string {
  const name = side === 'source' ? 'consumer.config' : 'producer.config'
  const [file, second] = options[name]
  if (file === undefined)
    throw new UsageError(`--${name} FILE is missing: it describes the ${side}`)
  if (second === undefined) return file
  throw new UsageError(
    side === 'target'
      ? '--producer.config is given twice: there is one target'
      : '--consumer.config is given twice: one source a process for now. Start one process for each'
  )
}

function readCluster(
  side: Side,
  file: string,
  options: RunOptions,
  environment: Environment
): Draft {
  const name = side === 'source' ? 'consumer.config.override' : 'producer.config.override'
  const gathered = gatherSettings({ side, file, overrides: options[name], environment })
  // A file that cannot be read has no settings, and naming what they lack would hide the cause.
  const isRead = gathered.settings.length > 0 || gathered.problems.length === 0
  const draft = isRead ? applyRules(side, gathered.settings) : newDraft(side)
  draft.problems.unshift(...gathered.problems)
  draft.notes.unshift(...gathered.warnings.map((text): Note => ({ level: 'warn', text })))
  return draft
}

function checkRequired(draft: Draft, file: string): void {
  if (draft.problems.length > 0) return
  if (!draft.connection.get('bootstrap.servers')) {
    draft.problems.push(`${file}: bootstrap.servers is missing. Set bootstrap.servers=host:port,…`)
  }
  if (draft.side === 'source' && !draft.group.get('group.id')) {
    draft.problems.push(
      `${file}: group.id is missing. Set group.id to the group that keeps the offsets`
    )
  }
}

function clusterNotes(draft: Draft, connection: Properties): Note[] {
  const notes = [...draft.notes, ...insecureNotes(draft.side, connection)]
  if (draft.ignored.length > 0) {
    notes.push({
      level: 'warn',
      text: `${draft.side}: ignored, without effect here: ${draft.ignored.join(', ')}`
    })
  }
  return notes
}

// Makes the configuration of a run from checked options: everything wrong is found before anything starts.

import { ConfigError } from '../errors.ts'
import type { CreationPolicy, LinkConfig, TargetConfig } from '../mirror/types.ts'
import type { Properties } from '../native/index.ts'
import type { CodecSettings } from '../topics/codec-rules.ts'
import type { Transforms } from '../transform/rules.ts'
import { readClusters, refuseProblems } from './clusters.ts'
import { compressionOf, connectionOf, groupOf, linkOptions } from './complete.ts'
import { describeDifferences } from './differences.ts'
import { type ExplainedValue, explain } from './explain.ts'
import { flagNotes } from './flag-notes.ts'
import { readTransforms } from './message-handler.ts'
import { environmentName, type RunOptions, runOptions } from './options.ts'
import { type Environment, variablesWithoutSource } from './read-options.ts'
import { readRecompress } from './recompress.ts'
import type { Draft, Note } from './rules/rule.ts'
import { chooseTopics, type TopicChoice } from './topic-choice.ts'
import type { DescribedRule } from './transforms-file.ts'
import { insecureNotes } from './transport.ts'

export type { ExplainedValue } from './explain.ts'

export interface LoadedConfig {
  /** One a consumer file, in their order. */
  links: LinkConfig[]
  target: TargetConfig
  topics: TopicChoice
  creation: CreationPolicy
  /** What was translated, ignored or loosened: to be logged at every start. */
  notes: Note[]
  /** Undefined: every batch passes as it is, or is rebuilt for reasons of its own. */
  transforms: Transforms | undefined
  codecs: CodecSettings
  /** The same for `config print`, in their order. */
  rules: readonly DescribedRule[]
  /** Every value of every client, for `config print`. */
  explained: ExplainedValue[]
  /** What is otherwise than with MirrorMaker, a sentence each: to be logged as one block. */
  differences: string[]
  /** Longest time that a file grants to admin requests (default.api.timeout.ms), if one says so. */
  adminTimeoutMs: number | undefined
}

/**
 * `isGiven` tells a flag from a default: --offset.commit.interval.ms is stronger than the file.
 * `built` are the features of librdkafka as built; without them none is asked for.
 */
export function loadConfig(
  options: RunOptions,
  environment: Environment,
  isGiven: (name: keyof RunOptions) => boolean,
  built?: readonly string[]
): LoadedConfig {
  const notes: Note[] = flagNotes(runOptions, options)
  const recompress = readRecompress(options.recompress)
  const clusters = readClusters(options, environment)
  const read = attempt(() => readTransforms(options), clusters.target.draft.problems)
  const { sources, target } = clusters
  const drafts = sources.map(({ draft }) => draft)
  target.draft.problems.push(...variablesWithoutSource(environment, sources.length))
  const topics = chooseTopics(options, drafts, notes)
  refuseProblems(clusters, built)
  const links = drafts.map(draft => makeLink(draft, target.draft, options, isGiven))
  const [{ link }] = links as [LinkConfig]
  const targetConfig: TargetConfig = {
    alias: target.draft.alias ?? 'target',
    connection: connectionOf(target.draft, link, options['log-level'])
  }
  const creation = {
    create: !options['no-create-topics'],
    replicationFactor: options['replication-factor'],
    grow: options['grow-partitions']
  }
  for (const [index, { source }] of links.entries())
    notes.push(...clusterNotes(drafts[index] as Draft, source.connection))
  notes.push(...clusterNotes(target.draft, targetConfig.connection), ...isolationNotes(links))
  const codecs = { recompress, compression: compressionOf(target.draft) }
  const explained = {
    codecs,
    links: links.map((config, index) => ({ config, draft: drafts[index] as Draft })),
    target: { draft: target.draft, config: targetConfig },
    originOf: (name: keyof RunOptions) => originOf(name, options, environment, isGiven)
  }
  return {
    links,
    target: targetConfig,
    topics,
    creation,
    codecs,
    transforms: read?.transforms,
    rules: read?.rules ?? [],
    notes,
    explained: explain(explained),
    differences: describeDifferences({ ...explained, creation, options }),
    adminTimeoutMs: longestAdminTimeout([...drafts, target.draft])
  }
}

/** What is wrong with one file is told beside what is wrong with the others. */
function attempt<Value>(read: () => Value, problems: string[]): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems)
    return undefined
  }
}

function makeLink(
  source: Draft,
  target: Draft,
  options: RunOptions,
  isGiven: (name: keyof RunOptions) => boolean
): LinkConfig {
  const fromFile = isGiven('num.streams') ? undefined : source.flags.get('num.streams')?.value
  const link = linkOptions(source, target, options, fromFile ? Number(fromFile) : undefined)
  const commitFlag = options['offset.commit.interval.ms']
  return {
    source: {
      alias: source.alias as string,
      connection: connectionOf(source, link, options['log-level']),
      group: groupOf(source, link.isolation)
    },
    link,
    autoOffsetReset: source.autoOffsetReset ?? 'earliest',
    delivery: options.delivery,
    commitIntervalMs: isGiven('offset.commit.interval.ms')
      ? commitFlag
      : (source.commitIntervalMs ?? commitFlag)
  }
}

function isolationNotes(links: readonly LinkConfig[]): Note[] {
  if (links.every(({ link }) => link.isolation === 'read_committed')) return []
  const text =
    'isolation read_uncommitted: records of aborted transactions become visible at the target'
  return [{ level: 'warn', text }]
}

/** A flag is stronger than its variable, so the variable counts when the value is its own. */
function originOf(
  name: keyof RunOptions,
  options: RunOptions,
  environment: Environment,
  isGiven: (name: keyof RunOptions) => boolean
): string | undefined {
  if (!isGiven(name)) return undefined
  const variable = environmentName(name)
  return environment[variable] === String(options[name]) ? variable : `--${name}`
}

function longestAdminTimeout(drafts: readonly Draft[]): number | undefined {
  const timeouts = drafts.flatMap(({ adminTimeoutMs }) => adminTimeoutMs ?? [])
  return timeouts.length === 0 ? undefined : Math.max(...timeouts)
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

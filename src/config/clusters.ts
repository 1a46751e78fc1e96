// Reads the files of all clusters of a run, and refuses what is wrong with any of them at once.

import { ConfigError, UsageError } from '../errors.ts'
import { gatherSettings } from './cluster-settings.ts'
import { missingFeatures } from './features.ts'
import type { RunOptions } from './options.ts'
import type { Environment } from './read-options.ts'
import { replacementFiles } from './replacement.ts'
import { applyRules } from './rules/apply.ts'
import { type Draft, type Note, newDraft, type Side } from './rules/rule.ts'
import { isZooKeeperOnly } from './rules/zookeeper.ts'

export interface Cluster {
  draft: Draft
  file: string
}

export interface Clusters {
  sources: readonly Cluster[]
  target: Cluster
}

export function readClusters(options: RunOptions, environment: Environment): Clusters {
  const sources = sourceFiles(options).map((file, index) => ({
    file,
    draft: readCluster({ side: 'source', index, file, options, environment })
  }))
  const file = oneTargetFile(options)
  const draft = readCluster({ side: 'target', index: 0, file, options, environment })
  for (const cluster of [...sources, { draft, file }]) checkRequired(cluster.draft, cluster.file)
  nameSources(
    sources.map(source => source.draft),
    sources.map(source => source.file)
  )
  return { sources, target: { draft, file } }
}

/** A source alone, for commands that know no target. A ConfigError has all that is wrong with its file. */
export function readSource(options: RunOptions, environment: Environment): Draft {
  const [file, second] = sourceFiles(options)
  if (second !== undefined) {
    throw new UsageError('--consumer.config is given twice: this command looks at one source')
  }
  const source = { side: 'source', index: 0, options, environment } as const
  const draft = readCluster({ ...source, file: file as string })
  checkAddress(draft, file as string)
  if (draft.problems.length > 0) throw new ConfigError(inLineOrder(draft.problems))
  return draft
}

/** Everything at once; for files that only know ZooKeeper with files to go on with. */
export function refuseProblems({ sources, target }: Clusters, built?: readonly string[]): void {
  const clusters = [...sources, target]
  if (built) {
    for (const { draft } of clusters) draft.problems.push(...missingFeatures(draft, built))
  }
  const problems = new Set(clusters.flatMap(({ draft }) => inLineOrder(draft.problems)))
  if (problems.size === 0) return
  if (clusters.some(({ draft }) => isZooKeeperOnly(draft))) problems.add(replacementFiles(clusters))
  throw new ConfigError([...problems])
}

/** Those without a line, about the file as a whole, come first. */
function inLineOrder(problems: readonly string[]): string[] {
  const line = (problem: string) => Number(/:(\d+): /.exec(problem)?.[1] ?? 0)
  return [...problems].sort((left, right) => line(left) - line(right))
}

/** Names for logs, metrics and the report: from the file, else source, source2, and so on. */
function nameSources(sources: readonly Draft[], files: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const [index, source] of sources.entries()) {
    source.alias ??= index === 0 ? 'source' : `source${index + 1}`
    const file = files[index] as string
    const other = seen.get(source.alias)
    if (other !== undefined) {
      const what = `${other} is called "${source.alias}" too. Set source.cluster.alias to another name`
      source.problems.push(`${file}: ${what}`)
    }
    seen.set(source.alias, file)
  }
}

function sourceFiles(options: RunOptions): readonly string[] {
  const files = options['consumer.config']
  if (files.length === 0)
    throw new UsageError('--consumer.config FILE is missing: it describes the source')
  return files
}

function oneTargetFile(options: RunOptions): string {
  const [file, second] = options['producer.config']
  if (file === undefined)
    throw new UsageError('--producer.config FILE is missing: it describes the target')
  if (second === undefined) return file
  throw new UsageError('--producer.config is given twice: there is one target')
}

interface ClusterFile {
  side: Side
  /** Counts the sources from 0. */
  index: number
  file: string
  options: RunOptions
  environment: Environment
}

function readCluster({ side, index, file, options, environment }: ClusterFile): Draft {
  const name = side === 'source' ? 'consumer.config.override' : 'producer.config.override'
  const gathered = gatherSettings({ side, index, file, overrides: options[name], environment })
  // A file that cannot be read has no settings, and naming what they lack would hide the cause.
  const isRead = gathered.settings.length > 0 || gathered.problems.length === 0
  const strictness = {
    strict: options['strict-config'],
    ignoreInterceptors: options['ignore-interceptors']
  }
  const draft = isRead ? applyRules(side, gathered.settings, strictness) : newDraft(side)
  draft.problems.unshift(...gathered.problems)
  draft.notes.unshift(...gathered.warnings.map((text): Note => ({ level: 'warn', text })))
  return draft
}

function checkRequired(draft: Draft, file: string): void {
  if (draft.problems.length > 0) return
  checkAddress(draft, file)
  if (draft.side === 'source' && !draft.group.get('group.id')) {
    draft.problems.push(
      `${file}: group.id is missing. Set group.id to the group that keeps the offsets`
    )
  }
}

function checkAddress(draft: Draft, file: string): void {
  if (draft.problems.length > 0 || draft.connection.get('bootstrap.servers')) return
  draft.problems.push(`${file}: bootstrap.servers is missing. Set bootstrap.servers=host:port,…`)
}

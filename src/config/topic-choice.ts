// Which topics a run is to mirror: flags first, then what a file of Kafka 0.7 says.

import { NoTopicsError, UsageError } from '../errors.ts'
import type { RunOptions } from './options.ts'
import { addNote, addProblem, type Draft, type Note } from './rules/rule.ts'

export interface TopicChoice {
  include: string | undefined
  exclude: string | undefined
}

const everyTopic = "--whitelist '.*'"

export function chooseTopics(
  options: RunOptions,
  sources: readonly Draft[],
  notes: Note[]
): TopicChoice {
  const flags = readFlags(options, notes)
  const files = readFiles(sources)
  if (flags.include !== undefined && flags.exclude !== undefined) {
    throw new UsageError(
      `--whitelist (--include) and --blacklist (--exclude) exclude each other: give one of them. For every topic: ${everyTopic}`
    )
  }
  if (flags.include !== undefined || flags.exclude !== undefined) {
    for (const source of sources) noteStronger(source)
    return flags
  }
  if (files.include === undefined && files.exclude === undefined) {
    throw new NoTopicsError(
      `no topics chosen: give --whitelist REGEX or --blacklist REGEX. For every topic: ${everyTopic}`
    )
  }
  return files
}

function readFlags(options: RunOptions, notes: Note[]): TopicChoice {
  return {
    include: chooseOne(options, 'include', 'whitelist', notes),
    exclude: chooseOne(options, 'exclude', 'blacklist', notes)
  }
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

/** All sources are mirrored by one choice, so files that differ cannot both be right. */
function readFiles(sources: readonly Draft[]): TopicChoice {
  const choice: TopicChoice = { include: undefined, exclude: undefined }
  for (const source of sources) {
    const whitelist = source.flags.get('whitelist')
    const blacklist = source.flags.get('blacklist')
    if (whitelist && blacklist) {
      const what = `mirror.topics.whitelist is set at ${whitelist.origin} too. Set one of the two`
      addProblem(source, blacklist, what)
    }
    for (const [kind, setting] of [
      ['include', whitelist],
      ['exclude', blacklist]
    ] as const) {
      if (!setting) continue
      if (choice[kind] !== undefined && choice[kind] !== setting.value)
        addProblem(source, setting, 'another file says something else. Set the same in both')
      choice[kind] ??= setting.value
    }
  }
  return choice
}

function noteStronger(source: Draft): void {
  for (const name of ['whitelist', 'blacklist'] as const) {
    const setting = source.flags.get(name)
    if (setting) addNote(source, 'info', setting, 'the flags of the command line count')
  }
}

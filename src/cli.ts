// The command line: arguments to a command, errors to an exit code.

import { ownRow, readArguments } from './command-line/arguments.ts'
import type { Command, CommandTable } from './command-line/command.ts'
import { commandHelp, overviewHelp } from './command-line/help.ts'
import { isFlagLike, refuseLookAlikes } from './command-line/typed.ts'
import {
  benchOptions,
  demoOptions,
  healthOptions,
  planOptions,
  printOptions,
  runOptions,
  statusOptions,
  transformTestOptions,
  verifyOptions,
  versionOptions
} from './config/options.ts'
import { readOptions } from './config/read-options.ts'
import { redactAssignment } from './config/redact.ts'
import { didYouMean } from './config/suggest.ts'
import { ConfigError, exitCodeOf, UsageError } from './errors.ts'

export const commands: CommandTable = {
  run: {
    describe: 'Mirror topics from one cluster to another',
    options: runOptions,
    examples: [
      "$0 run --consumer.config source.properties --producer.config target.properties --whitelist 'orders|log.*'",
      "$0 run --consumer.config source.properties --producer.config target.properties --whitelist '.*' --until-caught-up --report run.json"
    ],
    run: async flags => (await import('./commands/run.ts')).run(flags)
  },
  demo: {
    describe:
      'Two clusters in this process, a load, the mirror between them, and a check of every record',
    options: demoOptions,
    examples: ['$0 demo', '$0 demo --keep'],
    run: async flags => (await import('./commands/demo.ts')).demo(flags)
  },
  'config print': {
    describe: 'Show every value that a run would use, with where it comes from',
    options: printOptions,
    examples: [
      '$0 config print --consumer.config source.properties --producer.config target.properties',
      '$0 config print --consumer.config source.properties --producer.config target.properties --format json'
    ],
    run: async flags => (await import('./commands/config.ts')).print(flags)
  },
  'config validate': {
    describe: 'Check files, variables and flags of a run without connecting to anything',
    options: runOptions,
    examples: [
      "$0 config validate --consumer.config source.properties --producer.config target.properties --whitelist 'orders|log.*'"
    ],
    run: async flags => (await import('./commands/config.ts')).validate(flags)
  },
  plan: {
    describe:
      'Show what a run would do, topic by topic, and what to mend before it; changes nothing',
    options: planOptions,
    examples: [
      "$0 plan --consumer.config source.properties --producer.config target.properties --whitelist 'orders|log.*'",
      "$0 plan --consumer.config source.properties --producer.config target.properties --whitelist '.*' --lanes --rate 50",
      "$0 plan --consumer.config source.properties --producer.config target.properties --whitelist '.*' --format json > plan.json"
    ],
    run: async flags => (await import('./commands/plan.ts')).plan(flags)
  },
  status: {
    describe: 'Show how far the group of a mirror is, lane by lane, from the clusters alone',
    options: statusOptions,
    examples: [
      '$0 status --consumer.config source.properties --producer.config target.properties',
      '$0 status --bootstrap-server localhost:9092 --group mirror --topic orders --watch 5',
      '$0 status --bootstrap-server localhost:9092 --group mirror --max-lag 10000 --format json'
    ],
    run: async flags => (await import('./commands/status.ts')).status(flags)
  },
  verify: {
    describe: 'Compare source and target record by record, and name what differs; changes nothing',
    options: verifyOptions,
    examples: [
      "$0 verify --consumer.config source.properties --producer.config target.properties --whitelist 'orders|log.*'",
      "$0 verify --consumer.config source.properties --producer.config target.properties --whitelist '.*' --counts",
      "$0 verify --consumer.config source.properties --producer.config target.properties --whitelist '.*' --since 2026-01-31T12:00:00Z --sample 5%"
    ],
    run: async flags => (await import('./commands/verify.ts')).verify(flags)
  },
  bench: {
    describe:
      'Measure what a link can do, with scratch topics on both clusters, and say what to set for it',
    options: benchOptions,
    examples: [
      '$0 bench --consumer.config source.properties --producer.config target.properties',
      '$0 bench --consumer.config source.properties --producer.config target.properties --size 2000000000 --batch-size 16384',
      '$0 bench --consumer.config source.properties --producer.config target.properties --yes --format json > bench.json'
    ],
    run: async flags => (await import('./commands/bench.ts')).bench(flags)
  },
  'transform test': {
    describe: 'Run handlers on sample records and show each before and after; writes nowhere',
    options: transformTestOptions,
    examples: [
      "$0 transform test --handler mask --args 'fields: customer.email' --fixture records.jsonl",
      '$0 transform test --handler ./handler.mjs --from-topic orders --consumer.config source.properties',
      '$0 transform test --transforms transforms.yaml --fixture records.jsonl --format json'
    ],
    run: async flags => (await import('./commands/transform.ts')).test(flags)
  },
  health: {
    describe: 'Ask the mirror on this host whether it is alive, or with --ready whether it mirrors',
    options: healthOptions,
    examples: ['$0 health', '$0 health --ready --verbose', '$0 health --http 127.0.0.1:9748'],
    run: async flags => (await import('./commands/health.ts')).health(flags)
  },
  version: {
    describe: 'Show the version',
    options: versionOptions,
    examples: ['$0 version --verbose'],
    run: async flags => {
      const { verbose } = readOptions(versionOptions, flags, process.env)
      return (await import('./commands/version.ts')).version(verbose)
    }
  }
}

/** Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const isDebug = args.includes('--debug')
  const words = args[0] === '--debug' ? args.slice(1) : args
  const name = commandName(words)
  try {
    return await dispatch(name, words)
  } catch (error) {
    process.stderr.write(`${describeError(error, name, isDebug)}\n`)
    return exitCodeOf(error)
  }
}

/** The command that is meant, by one word or two; `run` when flags come first, as MirrorMaker's do. */
function commandName(args: readonly string[]): string {
  const [first = '', second = ''] = args
  if (isFlagLike(first) && !['-h', '--help', '--version'].includes(first)) return 'run'
  return isGroup(first) && !isFlagLike(second) ? `${first} ${second}`.trimEnd() : first
}

function isGroup(word: string): boolean {
  return Object.keys(groupOf(word)).length > 0
}

function groupOf(word: string): CommandTable {
  return Object.fromEntries(
    Object.entries(commands).filter(([name]) => name.startsWith(`${word} `))
  )
}

async function dispatch(name: string, args: readonly string[]): Promise<number> {
  refuseLookAlikes(args)
  if (['--help', '-h', 'help'].includes(name)) return showHelp(args.slice(1).join(' '))
  if (name === '--version') return showVersion()
  if (name === '') {
    process.stderr.write(`${await overviewHelp(commands, helpWidth(process.stderr))}\n\n`)
    throw new UsageError('a command is missing')
  }
  if (isHelpAsked(args) && isGroup(name)) return showHelp(name)
  const command = findCommand(name)
  if (isHelpAsked(args)) return showHelp(name)
  const own = isFlagLike(args[0] ?? '') ? args : args.slice(name.split(' ').length)
  const { flags, words } = readArguments(command.options, own, commandsWith)
  if (flags.version !== undefined) return showVersion()
  refuseWords(words, command)
  return command.run(flags)
}

function isHelpAsked(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h')
}

function findCommand(name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command) return command
  const names = Object.keys(commands)
  const [group = '', word = ''] = name.split(' ')
  if (!isGroup(group)) {
    const meant = didYouMean(name, names) || `. There are ${names.join(', ')}`
    throw new UsageError(`unknown command "${name}"${meant}`)
  }
  const subs = names.filter(row => row.startsWith(`${group} `))
  const list = subs.map(row => `heliostat ${row}`).join(' or ')
  if (word === '') throw new UsageError(`${group}: a word is missing. Write ${list}`)
  const meant = didYouMean(name, subs) || `. Write ${list}`
  throw new UsageError(`unknown command "${name}"${meant}`)
}

function commandsWith(flag: string): string[] {
  return Object.keys(commands).filter(name => ownRow(commands[name]?.options ?? {}, flag))
}

function refuseWords([word, ...more]: readonly string[], { options }: Command): void {
  if (word === undefined) return
  const others = more.length === 0 ? '' : ` and ${more.length} more`
  const why = ownRow(options, 'whitelist')
    ? ". Put a pattern, or a value with spaces, in quotes, or the shell takes it apart: --whitelist '.*'"
    : ''
  throw new UsageError(`unexpected argument "${redactAssignment(word)}"${others}${why}`)
}

async function showHelp(name: string): Promise<number> {
  const width = helpWidth(process.stdout)
  const text =
    name === '' || isGroup(name)
      ? await overviewHelp(name === '' ? commands : groupOf(name), width)
      : await commandHelp(name, findCommand(name), width)
  console.log(text)
  return 0
}

function helpWidth(stream: NodeJS.WriteStream): number {
  return Math.min(120, stream.columns || 100)
}

async function showVersion(): Promise<number> {
  return (await import('./commands/version.ts')).version(false)
}

function describeError(error: unknown, name: string, isDebug: boolean): string {
  if (isDebug && error instanceof Error) return String(error.stack)
  if (error instanceof UsageError) {
    const help = Object.hasOwn(commands, name) ? `heliostat ${name} --help` : 'heliostat --help'
    return [...listProblems(error.problems), `See ${help}`].join('\n')
  }
  if (error instanceof ConfigError) return listProblems(error.problems).join('\n')
  return `error: ${error instanceof Error ? error.message : String(error)}`
}

function listProblems(problems: readonly string[]): string[] {
  return problems.map(problem => `error: ${problem}`)
}

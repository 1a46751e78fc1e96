// The command line: arguments to a command, errors to an exit code.

import yargs, { type Argv } from 'yargs'
import {
  demoOptions,
  environmentName,
  hasMirrorMakerFlag,
  type Option,
  type OptionTable,
  runOptions,
  versionOptions
} from './config/options.ts'
import { didYouMean } from './config/suggest.ts'
import { ConfigError, exitCodeOf, UsageError } from './errors.ts'

interface Command {
  describe: string
  options: OptionTable
  examples: readonly string[]
  /** Loads the command's own code, and with it the addon, only when it is called. */
  run: (flags: Readonly<Record<string, unknown>>) => Promise<number>
}

const commands: Readonly<Record<string, Command>> = {
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
  version: {
    describe: 'Show the version',
    options: versionOptions,
    examples: ['$0 version --verbose'],
    run: async flags => (await import('./commands/version.ts')).version(flags.verbose === true)
  }
}

const globalFlags = ['help', 'debug']

export { exitAtOnce } from './native/index.ts'

/** Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args)
  } catch (error) {
    process.stderr.write(`${describeError(error, args.includes('--debug'))}\n`)
    return exitCodeOf(error)
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  if (args[0] === '--version') return commands.version?.run({}) ?? 0
  const isRun = (args[0] ?? '').startsWith('--') && hasMirrorMakerFlag(args)
  const words = isRun ? ['run', ...args] : args
  const name = words[0] ?? ''
  if (name === '' || name === '--help' || name === 'help') return showHelp(words)
  const command = commands[name]
  if (!command) {
    throw new UsageError(`unknown command "${name}"${didYouMean(name, Object.keys(commands))}`)
  }
  const flags = parseFlags(name, command, words.slice(1))
  return flags === undefined ? 0 : command.run(flags)
}

function showHelp(words: readonly string[]): number {
  const parser = yargs([]).scriptName('heliostat').usage('$0 <command> [options]').version(false)
  for (const [name, { describe }] of Object.entries(commands)) parser.command(name, describe)
  parser.showHelp(text => console.log(text))
  if (words.length > 0) return 0
  throw new UsageError('a command is missing')
}

/** Undefined when help was asked for and shown. */
function parseFlags(
  name: string,
  command: Command,
  args: readonly string[]
): Record<string, unknown> | undefined {
  const parser = describeCommand(name, command)
  const { _: words, $0: _, ...flags } = parser.parseSync([...args])
  if (flags.help) {
    parser.showHelp(text => console.log(text))
    return undefined
  }
  const known = [...Object.keys(command.options), ...globalFlags]
  for (const flag of Object.keys(flags)) {
    if (known.includes(flag)) continue
    throw new UsageError(
      `${name}: unknown flag --${flag}${didYouMean(
        `--${flag}`,
        known.map(row => `--${row}`)
      )}`
    )
  }
  if (words.length > 0) throw new UsageError(`${name}: unexpected argument "${words[0]}"`)
  return flags
}

function describeCommand(name: string, command: Command): Argv {
  const parser = yargs()
    .scriptName('heliostat')
    .usage(`$0 ${name} [options]\n\n${command.describe}.`)
    .parserConfiguration({
      'dot-notation': false,
      'camel-case-expansion': false,
      'boolean-negation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false
    })
    .version(false)
    .help(false)
    .exitProcess(false)
    .wrap(Math.min(120, process.stdout.columns || 100))
    .option('help', { type: 'boolean', describe: 'Show this help.' })
    .option('debug', { type: 'boolean', describe: 'Show the stack of an error.' })
  for (const [flag, option] of Object.entries(command.options)) describeFlag(parser, flag, option)
  for (const example of command.examples) parser.example(example, '')
  if (name === 'run')
    parser.epilogue(`Each option can be set by a variable too: ${environmentName('num.streams')}.`)
  return parser
}

function describeFlag(parser: Argv, flag: string, option: Option): void {
  // Checks are our own, so that flags and environment variables get the same ones.
  const isDefaultShown = 'default' in option && option.default !== false
  parser.option(flag, {
    type: option.type === 'boolean' ? 'boolean' : 'string',
    group: option.group,
    describe:
      option.placeholder === undefined
        ? option.describe
        : `${option.placeholder}  ${option.describe}`,
    ...(option.type === 'string' && option.choices
      ? { describe: `${option.choices.join(' or ')}  ${option.describe}` }
      : {}),
    ...(isDefaultShown ? { defaultDescription: String(option.default) } : {})
  })
}

function describeError(error: unknown, isDebug: boolean): string {
  if (isDebug && error instanceof Error) return String(error.stack)
  if (error instanceof UsageError) return `error: ${error.message}\nSee heliostat --help`
  if (error instanceof ConfigError) {
    return error.problems.map(problem => `error: ${problem}`).join('\n')
  }
  return `error: ${error instanceof Error ? error.message : String(error)}`
}

// The help: of all commands, and of one with its flags by group. yargs lays it out.

import yargs from 'yargs'
import { defaultOf, groupTitles, placeholderOf } from '../config/option-text.ts'
import { environmentName, type Option, type OptionTable } from '../config/options.ts'
import { generalFlags } from './arguments.ts'
import type { Command, CommandTable } from './command.ts'

export function overviewHelp(commands: CommandTable, width: number): Promise<string> {
  const parser = blank(width)
    .usage(
      'Usage: $0 COMMAND [flags]\n' +
        '       $0 --consumer.config FILE --producer.config FILE --whitelist REGEX\n\n' +
        'heliostat mirrors topics of one or more Kafka clusters to another. With flags of MirrorMaker and no ' +
        'command it is heliostat run.'
    )
    .epilogue(
      'Exit codes: 0 done, 1 failed while running, 2 flags or configuration, 3 verify or the check of the demo found a ' +
        'difference, 4 the drain ran out of time; 128 and more: ended by a second signal.\n\n' +
        'heliostat COMMAND --help shows the flags of a command and examples.\n' +
        'heliostat --version shows the version.'
    )
  for (const [name, { describe }] of Object.entries(commands)) {
    parser.command(name, `${describe}.`)
  }
  return parser.getHelp()
}

export function commandHelp(name: string, command: Command, width: number): Promise<string> {
  const parser = blank(width).usage(`Usage: $0 ${name} [flags]\n\n${command.describe}.`)
  addFlags(parser, command.options, option => groupTitles[option.group])
  addFlags(parser, generalFlags, () => 'General')
  for (const example of command.examples) parser.example(example, '')
  const [firstOption] = Object.keys(command.options)
  if (firstOption !== undefined) {
    const variable = environmentName(firstOption)
    parser.epilogue(
      `Each flag can be set by a variable too, such as ${variable}; the flag is stronger.`
    )
  }
  return parser.getHelp()
}

type Parser = ReturnType<typeof yargs>

function blank(width: number): Parser {
  return yargs([]).scriptName('heliostat').version(false).help(false).wrap(width)
}

function addFlags(parser: Parser, table: OptionTable, titleOf: (option: Option) => string): void {
  for (const [flag, option] of Object.entries(table)) {
    parser.option(flag, { group: titleOf(option), describe: sentenceOf(option) })
  }
}

function sentenceOf(option: Option): string {
  const initial = defaultOf(option)
  const isNamed = initial !== '' && initial !== 'false'
  const placeholder = placeholderOf(option)
  const sentence = isNamed ? `${option.describe} Default ${initial}.` : option.describe
  return placeholder === '' ? sentence : `${placeholder}  ${sentence}`
}

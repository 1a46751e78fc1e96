// Writes CONFIGURATION.md: every flag from the option tables, every setting of the files from the rules.

import { code, markdownTable } from './markdown.ts'
import { defaultOf, groupsOf, placeholderOf, rangeOf } from './option-text.ts'
import { environmentName, type Option, type OptionTable } from './options.ts'
import { settingsChapter } from './setting-document.ts'

/** What a command is to this document. */
export interface DocumentedCommand {
  describe: string
  options: OptionTable
}

/** The command under which an option stands in full. */
type Told = Map<Option, string>

const preface = `# Configuration

Made from the option and rule tables by \`npm run docs\`; changes here are lost.

A value comes from its flag, else from its variable, else from a file, else it is the default.
\`heliostat config print\` shows each value of a set-up with where it comes from, and \`heliostat config validate\`
finds what is wrong with flags, variables and files without connecting to anything.

- A value follows its flag after a space or after \`=\`. A flag that is on or off needs no value; \`=false\` turns it off.
- The variable of a flag counts as not set while it is empty. A variable that begins with \`HELIOSTAT_\` and belongs to nothing is refused.
- A setting of one cluster can come from a variable too: \`HELIOSTAT_SOURCE_BOOTSTRAP_SERVERS\` is \`bootstrap.servers\`
  of the first source, \`HELIOSTAT_SOURCE2_…\` belongs to the second, \`HELIOSTAT_TARGET_…\` to the target. \`_\` is a dot,
  \`__\` an underscore, \`___\` a dash. It is stronger than the file, and an override flag is stronger than both.
  A variable may not name a file to read or a command to run.
- A secret can be read from a file: \`HELIOSTAT_SOURCE_SASL_PASSWORD_FILE\` names it. Setting it and its twin
  without \`_FILE\` is refused, and so is a secret on the command line.
`

export function configurationDocument(
  commands: Readonly<Record<string, DocumentedCommand>>
): string {
  // Rows are shared by reference, so a command that takes flags of another is told by them.
  const told: Told = new Map()
  const chapters = Object.entries(commands).map(([name, command]) =>
    commandChapter(name, command, told)
  )
  return `${[preface, ...chapters, settingsChapter()].join('\n').trimEnd()}\n`
}

function commandChapter(
  name: string,
  { describe, options }: DocumentedCommand,
  told: Told
): string {
  const own = Object.entries(options).filter(([, option]) => !told.has(option))
  const parts = [`## heliostat ${name}\n\n${describe}.\n`, ...sharedFlags(options, told)]
  for (const [, option] of own) told.set(option, name)
  const table = Object.fromEntries(own)
  const groups = groupsOf(table)
  for (const [title, names] of groups) {
    if (groups.length > 1) parts.push(`### ${title}\n`)
    parts.push(flagTable(names, table))
  }
  return parts.join('\n')
}

function sharedFlags(options: OptionTable, told: Told): string[] {
  const byCommand = new Map<string, string[]>()
  for (const [flag, option] of Object.entries(options)) {
    const command = told.get(option)
    if (command !== undefined)
      byCommand.set(command, [...(byCommand.get(command) ?? []), `\`--${flag}\``])
  }
  return [...byCommand].map(([command, flags]) => {
    const ofCommand = [...told.values()].filter(name => name === command).length
    return flags.length === ofCommand
      ? `All flags of \`heliostat ${command}\`.\n`
      : `As with \`heliostat ${command}\`: ${flags.join(', ')}.\n`
  })
}

function flagTable(names: readonly string[], table: OptionTable): string {
  const rows = names.map(name => {
    const option = table[name] as Option
    const flag = `--${name} ${placeholderOf(option)}`.trimEnd()
    return [
      code(flag),
      code(environmentName(name)),
      rangeOf(option),
      code(defaultOf(option)),
      option.describe
    ]
  })
  return markdownTable(['flag', 'variable', 'value', 'default', 'meaning'], rows)
}

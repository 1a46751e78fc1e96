// What a command is to the command line.

import type { OptionTable } from '../config/options.ts'

export interface Command {
  /** Without a full stop. */
  describe: string
  options: OptionTable
  /** Command lines, with $0 for the program. */
  examples: readonly string[]
  /** Loads the command's own code, and with it the addon, only when it is called. */
  run: (flags: Readonly<Record<string, unknown>>) => Promise<number>
}

/** By name; a name of two words is a command under another, such as `config print`. */
export type CommandTable = Readonly<Record<string, Command>>

// What flags of MirrorMaker that change nothing here are worth: one note for each, at the start.

import type { Option, OptionTable } from './options.ts'
import type { Note } from './rules/rule.ts'

/** `options` are the checked values under the names of the table. */
export function flagNotes(table: OptionTable, options: Readonly<Record<string, unknown>>): Note[] {
  return Object.entries(table).flatMap(([name, row]: [string, Option]): Note[] =>
    row.noEffect !== undefined && options[name] === true
      ? [{ level: 'info', text: `--${name} has no effect: ${row.noEffect}` }]
      : []
  )
}

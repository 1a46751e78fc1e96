// npm start, test, bench, soak and check: makes what is missing or stale, says so, then does the work.
//
// Plain JavaScript without dependencies, since it runs before any are installed.

import { bench, check, soak, start, test } from './set-up/commands.js'
import { prepare } from './set-up/prepare.js'

const commands = { start, test, bench, soak, check }
const [name = '', ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined

if (!command) {
  console.error(`usage: node bin/set-up.js ${Object.keys(commands).join('|')} [arguments]`)
  process.exit(2)
}

process.exitCode = (await prepare()) ? await command(args) : 2

// Writes CONFIGURATION.md from the option and rule tables, as they were built last: npm run docs

import { writeFileSync } from 'node:fs'
import { commands } from '../dist/src/cli.js'
import { configurationDocument } from '../dist/src/config/document.js'

writeFileSync(new URL('../CONFIGURATION.md', import.meta.url), configurationDocument(commands))

// The version of heliostat, from its package.json.

import { readFileSync } from 'node:fs'

// Compiled files lie in dist/src/observe.
const file = new URL('../../../package.json', import.meta.url)

export const packageVersion: string = JSON.parse(readFileSync(file, 'utf8')).version

// Loads the YAML parser when it is first needed: a run without YAML does not pay for it at its start.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
let parser: typeof import('yaml') | undefined

export function yaml(): typeof import('yaml') {
  parser ??= require('yaml') as typeof import('yaml')
  return parser
}

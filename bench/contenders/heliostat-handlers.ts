// heliostat with a handler that sees every record.

import { fileURLToPath } from 'node:url'
import type { Contender } from '../contender.ts'
import { heliostat } from './heliostat.ts'

function withHandler(name: string, says: string): Contender {
  // The compiled file lies in dist/bench/contenders.
  const file = fileURLToPath(new URL(`../handlers/${name}.js`, import.meta.url))
  return {
    ...heliostat,
    says: `heliostat run --until-caught-up --message.handler ${name}.js (${says}), default settings`,
    async command(task) {
      return [...(await heliostat.command(task)), '--message.handler', file]
    }
  }
}

export const heliostatRewrite = withHandler('rewrite', 'every record and batch is written anew')
export const heliostatFilter = withHandler('filter', 'every value is looked at and none is dropped')

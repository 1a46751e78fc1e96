// heliostat without merging: every batch is a request's own, however small.

import type { Contender } from '../contender.ts'
import { heliostat } from './heliostat.ts'

export const heliostatMergeOff: Contender = {
  ...heliostat,
  says: 'heliostat run --until-caught-up --merge off, other settings as they are',
  async command(task) {
    return [...(await heliostat.command(task)), '--merge', 'off']
  }
}

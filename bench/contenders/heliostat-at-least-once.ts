// heliostat without idempotence: no producer id, and one batch of a lane at a time.

import type { Contender } from '../contender.ts'
import { heliostat } from './heliostat.ts'

export const heliostatAtLeastOnce: Contender = {
  ...heliostat,
  says: 'heliostat run --until-caught-up --delivery at-least-once, other settings as they are',
  async command(task) {
    return [...(await heliostat.command(task)), '--delivery', 'at-least-once']
  }
}

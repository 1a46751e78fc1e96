// The handlers that come with heliostat, by name. Each checks its arguments when it is made.

import { makeDropTombstones } from './handlers/drop-tombstones.ts'
import { makeFilter } from './handlers/filter.ts'
import { makeHeaders } from './handlers/headers.ts'
import { makeMask } from './handlers/mask.ts'
import { makeRename } from './handlers/rename.ts'
import { makeRepartition } from './handlers/repartition.ts'
import { makeSample } from './handlers/sample.ts'
import { makeShiftTimestamps } from './handlers/shift-timestamps.ts'
import type { HandlerModule } from './record.ts'

/** Relative paths among the arguments begin in `folder`. */
export type MakeBuiltIn = (args: unknown, folder: string) => HandlerModule

export const builtIns: Readonly<Record<string, MakeBuiltIn>> = {
  filter: makeFilter,
  headers: makeHeaders,
  mask: makeMask,
  'drop-tombstones': makeDropTombstones,
  sample: makeSample,
  rename: makeRename,
  repartition: makeRepartition,
  'shift-timestamps': makeShiftTimestamps
}

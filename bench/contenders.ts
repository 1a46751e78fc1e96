// Owns the table of contenders.

import type { Contender, ContenderName } from './contender.ts'
import { heliostat } from './contenders/heliostat.ts'
import { heliostatAtLeastOnce } from './contenders/heliostat-at-least-once.ts'
import { heliostatFilter, heliostatRewrite } from './contenders/heliostat-handlers.ts'
import { heliostatMergeOff } from './contenders/heliostat-merge-off.ts'
import { mirrorMaker1 } from './contenders/mirror-maker-1.ts'
import { mirrorMaker2 } from './contenders/mirror-maker-2.ts'
import { mirrorMaker2Defaults } from './contenders/mirror-maker-2-defaults.ts'
import { nodeRdkafkaLoop } from './contenders/node-rdkafka-loop.ts'
import { rawRelay } from './contenders/raw-relay.ts'
import { spliceRelay } from './contenders/splice-relay.ts'

export const contenders: Readonly<Record<ContenderName, Contender>> = {
  heliostat,
  'heliostat-at-least-once': heliostatAtLeastOnce,
  'heliostat-rewrite': heliostatRewrite,
  'heliostat-filter': heliostatFilter,
  'heliostat-merge-off': heliostatMergeOff,
  'mirror-maker-1': mirrorMaker1,
  'mirror-maker-2': mirrorMaker2,
  'mirror-maker-2-defaults': mirrorMaker2Defaults,
  'node-rdkafka-loop': nodeRdkafkaLoop,
  'raw-relay': rawRelay,
  'splice-relay': spliceRelay
}

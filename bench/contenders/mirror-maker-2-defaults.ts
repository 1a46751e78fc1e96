// MirrorMaker 2 as it is without tuning: set is only what it cannot run without on single brokers.

import { targetVersion } from '../../test/support/kafka-jars.ts'
import type { Contender } from '../contender.ts'
import { runMirrorMaker2 } from '../mirror-maker-2-command.ts'

export const mirrorMaker2Defaults: Contender = {
  ...runMirrorMaker2(() => ({})),
  says: `MirrorMaker 2 of Kafka ${targetVersion}, dedicated, defaults (tasks.max 1, no compression, batch.size 16384, linger.ms 5); set are clusters, topic, IdentityReplicationPolicy and replication factors of 1`
}

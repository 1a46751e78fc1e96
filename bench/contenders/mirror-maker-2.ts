// MirrorMaker 2 in its dedicated mode: two tasks, the same names on both sides, the same producer as MirrorMaker 1.

import { targetVersion } from '../../test/support/kafka-jars.ts'
import type { Contender } from '../contender.ts'
import { runMirrorMaker2 } from '../mirror-maker-2-command.ts'

export const mirrorMaker2: Contender = {
  ...tunedMirrorMaker2(50),
  says: `MirrorMaker 2 of Kafka ${targetVersion}, dedicated, tasks.max 2, codec and batch.size as the cell's, linger.ms 50`
}

export function tunedMirrorMaker2(lingerMs: number): Omit<Contender, 'says'> {
  return runMirrorMaker2(({ codec, batchBytes }) => ({
    'tasks.max': 2,
    'sync.topic.acls.enabled': false,
    // Neither moves data; without them all of its work is the mirroring.
    'emit.heartbeats.enabled': false,
    'emit.checkpoints.enabled': false,
    'target.producer.compression.type': codec,
    'target.producer.batch.size': batchBytes,
    'target.producer.linger.ms': lingerMs
  }))
}

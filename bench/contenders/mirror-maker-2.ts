// MirrorMaker 2 in its dedicated mode: two tasks, the same names on both sides, the same producer as MirrorMaker 1.

import { fetchJars, targetVersion } from '../../test/support/kafka-jars.ts'
import type { Contender } from '../contender.ts'
import { reasonItFails } from '../failure.ts'
import { mirrorJvm } from '../jvm-flags.ts'
import { writeProperties } from '../properties-file.ts'

export const mirrorMaker2: Contender = {
  says: `MirrorMaker 2 of Kafka ${targetVersion}, dedicated, tasks.max 2, lz4, batch.size as the cell's batches, linger.ms 50`,
  endsByItself: false,
  missing: () => reasonItFails(fetchJars(targetVersion)),
  async command({ codec, batchBytes, source, target, topic, folder }) {
    const { java, classPath, logging } = await fetchJars(targetVersion)
    const config = await writeProperties(folder, 'mm2.properties', {
      clusters: 'source, target',
      'source.bootstrap.servers': source,
      'target.bootstrap.servers': target,
      'source->target.enabled': true,
      'target->source.enabled': false,
      'source->target.topics': topic,
      'replication.policy.class': 'org.apache.kafka.connect.mirror.IdentityReplicationPolicy',
      'tasks.max': 2,
      'replication.factor': 1,
      'offset-syncs.topic.replication.factor': 1,
      'offset.storage.replication.factor': 1,
      'status.storage.replication.factor': 1,
      'config.storage.replication.factor': 1,
      'sync.topic.acls.enabled': false,
      // Neither moves data; without them all of its work is the mirroring.
      'emit.heartbeats.enabled': false,
      'emit.checkpoints.enabled': false,
      'target.producer.compression.type': codec,
      'target.producer.batch.size': batchBytes,
      'target.producer.linger.ms': 50
    })
    const main = 'org.apache.kafka.connect.mirror.MirrorMaker'
    return [java, ...mirrorJvm, ...logging, '-cp', classPath, main, config]
  }
}

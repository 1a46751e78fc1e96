// MirrorMaker 1 of the last Kafka that has it: two streams, and a producer set for large lz4 batches.

import { fetchJars, sourceVersion } from '../../test/support/kafka-jars.ts'
import type { Contender } from '../contender.ts'
import { reasonItFails } from '../failure.ts'
import { mirrorJvm } from '../jvm-flags.ts'
import { writeProperties } from '../properties-file.ts'

export const mirrorMaker1: Contender = {
  says: `MirrorMaker 1 of Kafka ${sourceVersion}, num.streams 2, lz4, batch.size as the cell's batches, linger.ms 50`,
  endsByItself: false,
  missing: () => reasonItFails(fetchJars(sourceVersion)),
  async command({ codec, batchBytes, source, target, topic, group, folder }) {
    const { java, classPath, logging } = await fetchJars(sourceVersion)
    const consumer = await writeProperties(folder, 'consumer.properties', {
      'bootstrap.servers': source,
      'group.id': group,
      'auto.offset.reset': 'earliest'
    })
    const producer = await writeProperties(folder, 'producer.properties', {
      'bootstrap.servers': target,
      'compression.type': codec,
      'batch.size': batchBytes,
      'linger.ms': 50
    })
    return [
      java,
      ...mirrorJvm,
      ...logging,
      '-cp',
      classPath,
      'kafka.tools.MirrorMaker',
      '--consumer.config',
      consumer,
      '--producer.config',
      producer,
      '--whitelist',
      topic,
      '--num.streams',
      '2'
    ]
  }
}

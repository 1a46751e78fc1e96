// MirrorMaker 1 of the last Kafka that has it: two streams, and a producer set for the cell's batches.

import { fetchJars, sourceVersion } from '../../test/support/kafka-jars.ts'
import type { Contender } from '../contender.ts'
import { reasonItFails } from '../failure.ts'
import { mirrorJvm } from '../jvm-flags.ts'
import { writeProperties } from '../properties-file.ts'
import { tlsSettings } from '../tls-settings.ts'

export const mirrorMaker1: Contender = {
  ...runMirrorMaker1(50),
  says: `MirrorMaker 1 of Kafka ${sourceVersion}, num.streams 2, codec and batch.size as the cell's, linger.ms 50`
}

export function runMirrorMaker1(lingerMs: number): Omit<Contender, 'says'> {
  return {
    endsByItself: false,
    missing: () => reasonItFails(fetchJars(sourceVersion)),
    async command({ codec, batchBytes, source, sourceCa, target, targetCa, topic, group, folder }) {
      const { java, classPath, logging } = await fetchJars(sourceVersion)
      const consumer = await writeProperties(folder, 'consumer.properties', {
        'bootstrap.servers': source,
        ...tlsSettings(sourceCa),
        'group.id': group,
        'auto.offset.reset': 'earliest'
      })
      const producer = await writeProperties(folder, 'producer.properties', {
        'bootstrap.servers': target,
        ...tlsSettings(targetCa),
        'compression.type': codec,
        'batch.size': batchBytes,
        'linger.ms': lingerMs
      })
      return [
        ...[java, ...mirrorJvm, ...logging, '-cp', classPath, 'kafka.tools.MirrorMaker'],
        ...['--consumer.config', consumer, '--producer.config', producer],
        ...['--whitelist', topic, '--num.streams', '2']
      ]
    }
  }
}

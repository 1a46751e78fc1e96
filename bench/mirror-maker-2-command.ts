// Owns the start of MirrorMaker 2 in its dedicated mode, for the contenders that differ in its settings.

import { fetchJars, targetVersion } from '../test/support/kafka-jars.ts'
import type { Contender, Task } from './contender.ts'
import { reasonItFails } from './failure.ts'
import { mirrorJvm } from './jvm-flags.ts'
import { writeProperties } from './properties-file.ts'
import { tlsSettings } from './tls-settings.ts'

type Settings = Readonly<Record<string, string | number | boolean>>

/** `settings` are those beside what every MirrorMaker 2 between two single brokers needs. */
export function runMirrorMaker2(settings: (task: Task) => Settings): Omit<Contender, 'says'> {
  return {
    endsByItself: false,
    missing: () => reasonItFails(fetchJars(targetVersion)),
    async command(task) {
      const { java, classPath, logging } = await fetchJars(targetVersion)
      const config = await writeProperties(task.folder, 'mm2.properties', {
        ...needed(task),
        ...settings(task)
      })
      const main = 'org.apache.kafka.connect.mirror.MirrorMaker'
      return [java, ...mirrorJvm, ...logging, '-cp', classPath, main, config]
    }
  }
}

function needed({ source, sourceCa, target, targetCa, topic }: Task): Settings {
  return {
    clusters: 'source, target',
    'source.bootstrap.servers': source,
    ...ofCluster('source', tlsSettings(sourceCa)),
    'target.bootstrap.servers': target,
    ...ofCluster('target', tlsSettings(targetCa)),
    'source->target.enabled': true,
    'target->source.enabled': false,
    'source->target.topics': topic,
    'replication.policy.class': 'org.apache.kafka.connect.mirror.IdentityReplicationPolicy',
    'replication.factor': 1,
    'offset-syncs.topic.replication.factor': 1,
    'heartbeats.topic.replication.factor': 1,
    'checkpoints.topic.replication.factor': 1,
    'offset.storage.replication.factor': 1,
    'status.storage.replication.factor': 1,
    'config.storage.replication.factor': 1
  }
}

function ofCluster(alias: string, settings: Settings): Settings {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`${alias}.${key}`, value])
  )
}

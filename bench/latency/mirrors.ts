// Owns the table of mirrors whose latency is measured: each runs until it is told to end, and the Java ones are set so
// that a record does not wait for others.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  fetchJars,
  projectRoot,
  sourceVersion,
  targetVersion
} from '../../test/support/kafka-jars.ts'
import type { Contender, Task } from '../contender.ts'
import { reasonItFails } from '../failure.ts'
import { mirrorJvm } from '../jvm-flags.ts'
import { writeProperties } from '../properties-file.ts'

export const latencyMirrorNames = [
  'heliostat',
  'heliostat-low-latency',
  'mirror-maker-1',
  'mirror-maker-2'
] as const
export type LatencyMirrorName = (typeof latencyMirrorNames)[number]

export type LatencyTask = Pick<Task, 'topic' | 'source' | 'target' | 'group' | 'folder'>

export interface LatencyMirror extends Pick<Contender, 'says' | 'missing'> {
  /** Writes what it needs into the task's folder and gives the command line. */
  command(task: LatencyTask): Promise<string[]>
}

const executable = join(projectRoot(), 'bin', 'heliostat')
const profile = join(projectRoot(), 'config', 'low-latency-')
const javaProducer = { 'compression.type': 'lz4', 'linger.ms': 0 }

async function missingExecutable(): Promise<string | undefined> {
  return existsSync(executable) ? undefined : `${executable} is not there`
}

export const latencyMirrors: Readonly<Record<LatencyMirrorName, LatencyMirror>> = {
  heliostat: {
    says: 'heliostat run, default settings',
    missing: missingExecutable,
    async command({ topic, source, target, group, folder }) {
      const consumer = { ...consumerOf(source, group), 'auto.offset.reset': 'earliest' }
      return heliostat(topic, [
        '--consumer.config',
        await writeProperties(folder, 'source.properties', consumer),
        '--producer.config',
        await writeProperties(folder, 'target.properties', { 'bootstrap.servers': target })
      ])
    }
  },
  'heliostat-low-latency': {
    says: 'heliostat run with the files config/low-latency-*.properties',
    missing: missingExecutable,
    async command({ topic, source, target, group }) {
      const overrides = Object.entries(consumerOf(source, group)).flatMap(([key, value]) => [
        '--consumer.config.override',
        `${key}=${value}`
      ])
      return heliostat(topic, [
        ...['--consumer.config', `${profile}source.properties`, ...overrides],
        ...['--producer.config', `${profile}target.properties`],
        ...['--producer.config.override', `bootstrap.servers=${target}`]
      ])
    }
  },
  'mirror-maker-1': {
    says: `MirrorMaker 1 of Kafka ${sourceVersion}, num.streams 2, lz4, linger.ms 0`,
    missing: () => reasonItFails(fetchJars(sourceVersion)),
    async command({ topic, source, target, group, folder }) {
      const consumer = { ...consumerOf(source, group), 'auto.offset.reset': 'earliest' }
      const producer = { 'bootstrap.servers': target, ...javaProducer }
      return java(sourceVersion, 'kafka.tools.MirrorMaker', [
        '--consumer.config',
        await writeProperties(folder, 'consumer.properties', consumer),
        '--producer.config',
        await writeProperties(folder, 'producer.properties', producer),
        ...['--whitelist', topic, '--num.streams', '2']
      ])
    }
  },
  'mirror-maker-2': {
    says: `MirrorMaker 2 of Kafka ${targetVersion}, dedicated, tasks.max 2, lz4, linger.ms 0`,
    missing: () => reasonItFails(fetchJars(targetVersion)),
    async command({ topic, source, target, folder }) {
      const producer = Object.entries(javaProducer).map(([key, value]) => [
        `target.producer.${key}`,
        value
      ])
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
        ...Object.fromEntries(producer)
      })
      return java(targetVersion, 'org.apache.kafka.connect.mirror.MirrorMaker', [config])
    }
  }
}

function consumerOf(source: string, group: string): Record<string, string> {
  return { 'bootstrap.servers': source, 'group.id': group }
}

function heliostat(topic: string, files: readonly string[]): string[] {
  return [process.execPath, executable, 'run', ...files, '--whitelist', topic, '--http', 'off']
}

async function java(version: string, main: string, args: readonly string[]): Promise<string[]> {
  const { java, classPath, logging } = await fetchJars(version)
  return [java, ...mirrorJvm, ...logging, '-cp', classPath, main, ...args]
}

// Owns the table of mirrors whose latency is measured: each runs until it is told to end, and the Java ones are set so
// that a record does not wait for others.

import { join } from 'node:path'
import { projectRoot, sourceVersion, targetVersion } from '../../test/support/kafka-jars.ts'
import type { Contender } from '../contender.ts'
import { heliostat as contender, executable } from '../contenders/heliostat.ts'
import { runMirrorMaker1 } from '../contenders/mirror-maker-1.ts'
import { tunedMirrorMaker2 } from '../contenders/mirror-maker-2.ts'
import { writeProperties } from '../properties-file.ts'

export const latencyMirrorNames = [
  'heliostat',
  'heliostat-low-latency',
  'mirror-maker-1',
  'mirror-maker-2'
] as const
export type LatencyMirrorName = (typeof latencyMirrorNames)[number]

export type LatencyMirror = Pick<Contender, 'says' | 'missing' | 'command'>

const profile = join(projectRoot(), 'config', 'low-latency-')

export const latencyMirrors: Readonly<Record<LatencyMirrorName, LatencyMirror>> = {
  heliostat: {
    ...contender,
    says: 'heliostat run, default settings',
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
    ...contender,
    says: 'heliostat run with the files config/low-latency-*.properties',
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
    ...runMirrorMaker1(0),
    says: `MirrorMaker 1 of Kafka ${sourceVersion}, num.streams 2, lz4, linger.ms 0`
  },
  'mirror-maker-2': {
    ...tunedMirrorMaker2(0),
    says: `MirrorMaker 2 of Kafka ${targetVersion}, dedicated, tasks.max 2, lz4, linger.ms 0`
  }
}

function consumerOf(source: string, group: string): Record<string, string> {
  return { 'bootstrap.servers': source, 'group.id': group }
}

function heliostat(topic: string, files: readonly string[]): string[] {
  return [process.execPath, executable, 'run', ...files, '--whitelist', topic, '--http', 'off']
}

// Owns what a result says about where and with what it was taken.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Kafka from 'node-rdkafka'
import { projectRoot, sourceVersion, targetVersion } from '../test/support/kafka-jars.ts'

const run = promisify(execFile)

export interface Machine {
  processor: string
  cores: number
  memoryGb: number
  kernel: string
}

export interface Versions {
  commit: string
  heliostat: string
  node: string
  librdkafka: string
  sourceKafka: string
  targetKafka: string
  java: string
  compiler: string
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: `${type()} ${release()}`
  }
}

export async function describeVersions(): Promise<Versions> {
  const manifest = JSON.parse(await readFile(join(projectRoot(), 'package.json'), 'utf8'))
  return {
    commit: await commit(),
    heliostat: manifest.version,
    node: process.versions.node,
    librdkafka: Kafka.librdkafkaVersion,
    sourceKafka: sourceVersion,
    targetKafka: targetVersion,
    java: await firstLine('java', ['--version']),
    compiler: await firstLine(process.env.CXX ?? 'c++', ['--version'])
  }
}

/** The commit of the checkout, marked when files differ from it. */
async function commit(): Promise<string> {
  const hash = await firstLine('git', ['rev-parse', '--short=10', 'HEAD'])
  const changes = await firstLine('git', ['status', '--porcelain'])
  return changes === '' || hash === none ? hash : `${hash} with changes`
}

const none = 'none'

async function firstLine(command: string, args: string[]): Promise<string> {
  const result = await run(command, args, { cwd: projectRoot() }).catch(() => undefined)
  return result === undefined ? none : (result.stdout.split('\n')[0] ?? '')
}

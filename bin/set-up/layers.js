// The layers of the tests, and whether this machine can run them.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { output, root } from './child.js'

/** In the order in which they run: what fails early and fast comes first. */
export const layers = [
  { name: 'unit', tells: 'pure code' },
  { name: 'simulation', tells: "lanes against a model of the broker's rules" },
  { name: 'embedded', tells: 'the mirror on mock clusters in the process' },
  { name: 'native', tells: 'the addon under worker threads, exits and sanitizers', filesAtOnce: 1 },
  // Brokers start and wait most of the time: two files at once fill two cores.
  { name: 'kafka', tells: 'real brokers', filesAtOnce: 2, lacks: lacksKafka },
  // Each with the machine to itself: what is told of them is how fast a lane recovers.
  { name: 'faults', tells: 'real brokers and mirrors that die, freeze and are cut off', filesAtOnce: 1, lacks: lacksKafka }
]

/** Compiled test files of a layer. */
export function testFiles(layer) {
  const folder = join('dist/test', layer)
  const path = join(root, folder)
  if (!existsSync(path)) return []
  return readdirSync(path)
    .filter(name => name.endsWith('.test.js'))
    .sort()
    .map(name => join(folder, name))
}

/** The reason why a layer cannot run here; undefined when it can. */
export function whyNot(layer) {
  if (testFiles(layer.name).length === 0) return 'it has no tests'
  return layer.lacks?.()
}

/** Why no real broker can run here; undefined when one can. */
export function lacksKafka() {
  const version = Number(/version "(\d+)/.exec(output('java', ['-version']) ?? '')?.[1] ?? 0)
  if (version < 17) return 'it needs Java 17 or later'
  if (process.env.KAFKA_HOME || output('mvn', ['--version']) !== undefined) return undefined
  return 'it needs Maven to fetch Kafka, or KAFKA_HOME'
}

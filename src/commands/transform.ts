// `heliostat transform test`: what handlers make of sample records. It writes nowhere.

import { readFileSync } from 'node:fs'
import { readSource } from '../config/clusters.ts'
import { connectionOf, linkOptions } from '../config/complete.ts'
import { handlerOf } from '../config/message-handler.ts'
import { type OptionValues, runOptions, transformTestOptions } from '../config/options.ts'
import { readOptions, refuseUnknownVariables } from '../config/read-options.ts'
import { newDraft } from '../config/rules/rule.ts'
import { readTransformsFile } from '../config/transforms-file.ts'
import { ConfigError, UsageError } from '../errors.ts'
import { isDoneWithin } from '../mirror/limited.ts'
import { openCluster } from '../mirror/open-client.ts'
import { FixtureError, readFixture } from '../transform/fixture.ts'
import { inspectChains } from '../transform/pool.ts'
import type { Transforms } from '../transform/rules.ts'
import type { Sample } from '../transform/sample.ts'
import { trialsAsJson, trialsAsText } from '../transform/show-trials.ts'
import { readSamples } from '../transform/topic-samples.ts'
import { runTrials } from '../transform/trials.ts'

type Options = OptionValues<typeof transformTestOptions>

interface Samples {
  /** The source cluster's name, as handlers are told it. */
  source: string
  samples: Sample[]
}

/** A client that hangs on a dead broker must not hold up the exit. */
const closeWithinMs = 2_000

export async function test(flags: Readonly<Record<string, unknown>>): Promise<number> {
  refuseUnknownVariables(process.env)
  const options = readOptions(transformTestOptions, flags, process.env)
  refuseCombinations(options)
  const transforms = readHandlers(options)
  const inspection = await inspectChains(transforms)
  if ('problem' in inspection) throw new ConfigError(inspection.problem)
  const { source, samples } = await gather(options)
  const isOfBatches = inspection.map(({ isOfBatches }) => isOfBatches)
  const trials = await runTrials(samples, { transforms, isOfBatches, source })
  const shown = options.format === 'json' ? [trialsAsJson(trials)] : trialsAsText(trials)
  process.stdout.write(`${shown.join('\n')}\n`)
  return trials.some(({ outcome }) => outcome === 'failed') ? 1 : 0
}

function refuseCombinations(options: Options): void {
  const { handler, args, transforms, fixture, 'from-topic': topic } = options
  const problems: string[] = []
  if ((handler === undefined) === (transforms === undefined)) {
    problems.push('give --handler FILE|NAME or --transforms FILE, one of them')
  }
  if (args !== undefined && handler === undefined) {
    problems.push('--args: there is no --handler that it is for')
  }
  if ((fixture === undefined) === (topic === undefined)) {
    problems.push('give --fixture FILE or --from-topic TOPIC, one of them')
  }
  if (topic !== undefined && options['consumer.config'].length === 0) {
    problems.push('--consumer.config FILE is missing: it describes the cluster of --from-topic')
  }
  if (problems.length > 0) throw new UsageError(problems)
}

function readHandlers(options: Options): Transforms {
  const timeLimitMs = options['handler-timeout-ms']
  const rule = { chain: 0, onError: 'fail', maxErrors: 0 } as const
  if (options.transforms !== undefined) {
    return readTransformsFile(options.transforms, { ...rule, timeLimitMs }).transforms
  }
  const spec = handlerOf('--handler', options.handler as string, options.args)
  return { chains: [[spec]], timeLimitMs, ruleFor: () => rule }
}

function gather(options: Options): Samples | Promise<Samples> {
  const { fixture } = options
  return fixture === undefined
    ? readTopic(options)
    : { source: 'source', samples: readFile(fixture) }
}

function readFile(path: string): Sample[] {
  try {
    return readFixture(readFileSync(path, 'utf8'), path, Date.now())
  } catch (error) {
    if (error instanceof FixtureError) throw new ConfigError(error.problems, { cause: error })
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw new ConfigError(`${path}: it cannot be read: ${error.message}`, { cause: error })
  }
}

async function readTopic(options: Options): Promise<Samples> {
  const all = { ...readOptions(runOptions, {}, {}), ...options }
  const draft = readSource(all, process.env)
  const link = linkOptions(draft, newDraft('target'), all)
  const source = draft.alias ?? 'source'
  const side = `source "${source}"`
  const cluster = openCluster(side, connectionOf(draft, link, 'warn'))
  try {
    const samples = await readSamples({
      cluster,
      side,
      topic: options['from-topic'] as string,
      isolation: link.isolation,
      which: options.from,
      count: options.records
    })
    return { source, samples }
  } finally {
    await isDoneWithin(cluster.close(), closeWithinMs)
  }
}

// Tries handlers on records, in a worker as in a run, and judges what each record has become.

import { isDeepStrictEqual } from 'node:util'
import type { HandlerSpec } from './chain.ts'
import { TransformPool } from './pool.ts'
import type { Transforms } from './rules.ts'
import { batchOf, type Sample } from './sample.ts'
import type { TrialRecord, TrialResult } from './trial.ts'

/** `no-rule`: the topic's records pass no handler. */
export type Outcome = 'changed' | 'unchanged' | 'dropped' | 'failed' | 'no-rule'

export interface Trial {
  sample: Sample
  outcome: Outcome
  after: readonly TrialRecord[]
  /** Why it failed. */
  error?: string
}

export interface TrialsOptions {
  transforms: Transforms
  /** For each chain, whether a handler wants all records of a batch at once. */
  isOfBatches: readonly boolean[]
  /** The source cluster's name. */
  source: string
}

/** In the order of the samples. Records of one partition that stand together are a batch where handlers want that. */
export async function runTrials(
  samples: readonly Sample[],
  { transforms, isOfBatches, source }: TrialsOptions
): Promise<Trial[]> {
  const { chains, timeLimitMs } = transforms
  const pool = new TransformPool({ chains, timeLimitMs, maxThreads: 1 })
  const trials: Trial[] = []
  try {
    for (const group of groupsOf(samples, transforms, isOfBatches)) {
      const [{ topic, partition }] = group as [Sample]
      const chain = transforms.ruleFor(topic)?.chain
      if (chain === undefined) {
        trials.push(...group.map((sample): Trial => ({ sample, outcome: 'no-rule', after: [] })))
        continue
      }
      const task = { chain, place: { source, topic, partition }, batches: group.map(batchOf) }
      const results = await pool
        .trial(task)
        .catch(error => group.map(() => deadWorker(chains[chain] as HandlerSpec[], error)))
      trials.push(...group.map((sample, at) => judge(sample, results[at] as TrialResult)))
    }
  } finally {
    await pool.close()
  }
  return trials
}

function groupsOf(
  samples: readonly Sample[],
  { ruleFor }: Pick<Transforms, 'ruleFor'>,
  isOfBatches: readonly boolean[]
): Sample[][] {
  const groups: Sample[][] = []
  for (const sample of samples) {
    const chain = ruleFor(sample.topic)?.chain
    const last = groups.at(-1)?.at(-1)
    const isTogether =
      last?.topic === sample.topic &&
      last.partition === sample.partition &&
      last.offset < sample.offset
    if (isTogether && chain !== undefined && isOfBatches[chain]) groups.at(-1)?.push(sample)
    else groups.push([sample])
  }
  return groups
}

/** It took too long, or too much memory. */
function deadWorker(chain: readonly HandlerSpec[], error: unknown): TrialResult {
  const message = error instanceof Error ? error.message : String(error)
  return { handler: chain.map(({ name }) => name).join(', '), message }
}

function judge(sample: Sample, result: TrialResult): Trial {
  if ('message' in result) {
    const error = `handler ${result.handler}: ${result.message}`
    return { sample, outcome: 'failed', after: [], error }
  }
  const { after } = result
  if (after.length === 0) return { sample, outcome: 'dropped', after }
  const isSame = after.length === 1 && isUnchanged(sample, after[0] as TrialRecord)
  return { sample, outcome: isSame ? 'unchanged' : 'changed', after }
}

function isUnchanged({ offset: _, ...before }: Sample, after: TrialRecord): boolean {
  return isDeepStrictEqual(withPlainBytes(before), withPlainBytes(after))
}

function withPlainBytes({ key, value, headers, ...rest }: Omit<Sample, 'offset'> | TrialRecord) {
  return {
    ...rest,
    key: hex(key),
    value: hex(value),
    headers: headers.map(([name, field]) => [hex(name), hex(field)])
  }
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

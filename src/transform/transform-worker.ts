// Runs handlers over batches in a worker thread, several for one message.

import { workerData } from 'piscina'
import { type SentBatch, toSent } from '../batches/reseal-worker.ts'
import { runTasks } from '../batches/worker-tasks.ts'
import type { HandlerSpec } from './chain.ts'
import { HandlerError, type LoadedChain, loadChain } from './load.ts'
import { type TransformResult, type TransformTask, transformBatch } from './transform.ts'
import { type TrialResult, type TrialTask, tryRecords } from './trial.ts'

export interface TransformWorkerData {
  chains: readonly (readonly HandlerSpec[])[]
}

export type SentTransform =
  | Exclude<TransformResult, { batches: unknown }>
  | (Omit<Extract<TransformResult, { batches: unknown }>, 'batches'> & { batches: SentBatch[] })

/** What the chains are, or why one cannot be used. */
export type Inspection = { isDeterministic: boolean; isOfBatches: boolean }[] | { problem: string }

const { chains } = workerData as TransformWorkerData
const loading = Promise.all(chains.map(loadChain))
// Told to whoever asks for work.
loading.catch(() => undefined)

export default async function transform(tasks: TransformTask[]): Promise<SentTransform[]> {
  const loaded = await loading
  const work = (task: TransformTask) =>
    toSentTransform(transformBatch(task, (loaded[task.chain] as LoadedChain).chain))
  return runTasks(tasks, work, buffersOf)
}

/** Loads every handler, and lets it check its arguments. */
export async function inspect(): Promise<Inspection> {
  try {
    return (await loading).map(({ isDeterministic, chain }) => ({
      isDeterministic,
      isOfBatches: chain.isOfBatches
    }))
  } catch (error) {
    if (error instanceof HandlerError) return { problem: error.message }
    throw error
  }
}

/** What handlers make of single records, for whoever looks at them. */
export async function trial(task: TrialTask): Promise<TrialResult[]> {
  return tryRecords(task, ((await loading)[task.chain] as LoadedChain).chain)
}

function toSentTransform(result: TransformResult): SentTransform {
  return 'batches' in result ? { ...result, batches: result.batches.map(toSent) } : result
}

function buffersOf(result: SentTransform): ArrayBuffer[] {
  if ('needs' in result) return [result.bytes.buffer]
  if (!('batches' in result)) return []
  return [...result.batches, ...result.elsewhere].map(({ bytes }) => bytes.buffer)
}

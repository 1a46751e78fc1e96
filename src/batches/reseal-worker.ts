// Reseals batches in a worker thread, several for one message. The bytes come moved, not copied, and go the same way.

import { type ResealedBatch, type ResealResult, type ResealTask, resealBatch } from './reseal.ts'
import { runTasks } from './worker-tasks.ts'

/** What comes back: a batch without the places its records came from, which nobody asks a worker for. */
export type SentBatch = Omit<ResealedBatch, 'offsets'>
export type SentResult =
  | Exclude<ResealResult, { batches: unknown }>
  | { batches: SentBatch[]; skipped: number }

export default function reseal(tasks: ResealTask[]): Promise<SentResult[]> {
  return runTasks(tasks, task => withoutOffsets(resealBatch(task)), buffersOf)
}

function withoutOffsets(result: ResealResult): SentResult {
  if ('failure' in result) return result
  return { batches: result.batches.map(toSent), skipped: result.skipped }
}

export function toSent({ offsets: _, ...sent }: ResealedBatch): SentBatch {
  return sent
}

function buffersOf(result: SentResult): ArrayBuffer[] {
  return 'failure' in result ? [] : result.batches.map(({ bytes }) => bytes.buffer)
}

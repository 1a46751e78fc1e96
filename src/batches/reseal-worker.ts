// Reseals batches in a worker thread, several for one message. The bytes come moved, not copied, and go the same way.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { type ResealedBatch, type ResealResult, type ResealTask, resealBatch } from './reseal.ts'

/** What comes back: a batch without the places its records came from, which nobody asks a worker for. */
export type SentBatch = Omit<ResealedBatch, 'offsets'>
export type SentResult =
  | Exclude<ResealResult, { batches: unknown }>
  | { batches: SentBatch[]; skipped: number }

// What codecs allocate outside of the heap is given back between turns of the event loop only: a group of
// batches that inflate to much more than they are would pile up.
const turnMs = 5

// Batches of a hundred megabytes leave next to nothing on the heap itself, so that V8 sees no reason to collect: a
// thread held up to half a gigabyte of what it was done with, for as long as it had no other work.
const mostIdleBytes = 48 * 1_048_576

// What one round finds is swept, and its memory given back, in the turns that follow; it is counted until then.
const mostRounds = 4

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

export default async function reseal(tasks: ResealTask[]): Promise<SentResult[]> {
  const results: SentResult[] = []
  let turnStart = performance.now()
  for (const task of tasks) {
    results.push(withoutOffsets(resealBatch(task)))
    if (performance.now() - turnStart < turnMs) continue
    await giveBack()
    turnStart = performance.now()
  }
  const moved = { [transferableSymbol]: results.flatMap(buffersOf), [valueSymbol]: results }
  return move(moved) as unknown as SentResult[]
}

async function giveBack(): Promise<void> {
  for (let round = 0; round < mostRounds; round++) {
    const isMuch = getHeapStatistics().external_memory > mostIdleBytes
    if (isMuch) collectGarbage()
    await nextTurn()
    if (!isMuch) return
  }
}

function withoutOffsets(result: ResealResult): SentResult {
  if ('failure' in result) return result
  const batches = result.batches.map(({ offsets: _, ...sent }) => sent)
  return { batches, skipped: result.skipped }
}

function buffersOf(result: SentResult): ArrayBuffer[] {
  return 'failure' in result ? [] : result.batches.map(({ bytes }) => bytes.buffer)
}

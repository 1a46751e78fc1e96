// Owns what a worker thread does with a message of several batches: one after the other, and memory given back between.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { move, transferableSymbol, valueSymbol } from 'piscina'

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

/** The results in the order of the tasks; the buffers that they are in are moved, not copied. */
export async function runTasks<Task, Result>(
  tasks: readonly Task[],
  work: (task: Task) => Result,
  buffersOf: (result: Result) => ArrayBuffer[]
): Promise<Result[]> {
  const results: Result[] = []
  let turnStart = performance.now()
  for (const task of tasks) {
    results.push(work(task))
    if (performance.now() - turnStart < turnMs) continue
    await giveBack()
    turnStart = performance.now()
  }
  const moved = { [transferableSymbol]: results.flatMap(buffersOf), [valueSymbol]: results }
  return move(moved) as unknown as Result[]
}

async function giveBack(): Promise<void> {
  for (let round = 0; round < mostRounds; round++) {
    const isMuch = getHeapStatistics().external_memory > mostIdleBytes
    if (isMuch) collectGarbage()
    await nextTurn()
    if (!isMuch) return
  }
}

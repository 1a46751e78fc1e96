// Owns telling a topic that lacks nothing but repeats some records from one that is wrong, by the records' numbers.

import assert from 'node:assert/strict'
import { recordNumber } from './corpus.ts'
import { RawClient } from './raw-client.ts'
import { decodeBatch } from './records.ts'
import { readBatches } from './topic-reader.ts'

/** Source offsets [from, to) that the target has a second time. */
export type Repeat = { partition: number; from: number; to: number }

/**
 * Fails unless every partition of the target has the source's records, in order, but for steps back after which it
 * goes on without a gap. Where the source has a batch twice, the target has it twice too, and that is no repeat.
 */
export async function findRepeats(
  source: string,
  target: string,
  topic: string
): Promise<Repeat[]> {
  const [sources, targets] = await Promise.all([
    readNumbers(source, topic),
    readNumbers(target, topic)
  ])
  assert.deepEqual([...targets.keys()], [...sources.keys()])
  return [...sources].flatMap(([partition, wanted]) => {
    const found = targets.get(partition) ?? []
    return repeatsOf(wanted, found, `${topic}-${partition}`).map(([from, to]) => {
      return { partition, from, to }
    })
  })
}

function repeatsOf(
  wanted: readonly number[],
  found: readonly number[],
  where: string
): [number, number][] {
  const repeats: [number, number][] = []
  let at = 0
  for (const [index, number] of found.entries()) {
    if (number !== wanted[at]) {
      const back = stepBack(wanted, at, found, index)
      assert.ok(back >= 0, `${where}: ${number} where ${wanted[at]} comes on the source (${at})`)
      repeats.push([back, at])
      at = back
    }
    at++
  }
  assert.equal(at, wanted.length, `${where}: records up to the end of the source`)
  return repeats
}

// So many records in a row tell a step back from a batch that the source itself has twice.
const tellingRecords = 200

/** The last place before `at` from which the source goes on like the target does from `index`; -1 when there is none. */
function stepBack(
  wanted: readonly number[],
  at: number,
  found: readonly number[],
  index: number
): number {
  const length = Math.min(tellingRecords, found.length - index)
  for (let back = at - 1; back >= 0; back--) {
    let same = 0
    while (same < length && wanted[back + same] === found[index + same]) same++
    if (same === length) return back
  }
  return -1
}

async function readNumbers(bootstrap: string, topic: string): Promise<Map<number, number[]>> {
  const client = new RawClient(bootstrap)
  try {
    const all = new Map<number, number[]>()
    for (const partition of await client.partitions(topic)) {
      const numbers: number[] = []
      for await (const { bytes } of readBatches(client, topic, partition)) {
        for (const { value } of decodeBatch(bytes).records) numbers.push(recordNumber(value))
      }
      all.set(partition, numbers)
    }
    return all
  } finally {
    client.close()
  }
}

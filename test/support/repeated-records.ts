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
 * goes on without a gap. The source has numbers from 0 on, each once, so that number and offset are the same.
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
  const repeats: Repeat[] = []
  assert.deepEqual([...targets.keys()], [...sources.keys()])
  for (const [partition, numbers] of targets) {
    const length = sources.get(partition)?.length ?? 0
    assert.ok(sources.get(partition)?.every((number, offset) => number === offset))
    let expected = 0
    for (const number of numbers) {
      const where = `${topic}-${partition}: ${number} after ${expected - 1}`
      assert.ok(number <= expected, `records are missing, ${where}`)
      if (number < expected) repeats.push({ partition, from: number, to: expected })
      expected = number + 1
    }
    assert.equal(expected, length, `${topic}-${partition}: its last record`)
  }
  return repeats
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

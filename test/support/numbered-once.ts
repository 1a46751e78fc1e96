// Owns telling whether a load arrived as it was written: numbers from 0 on, each once, in order. Nothing but the topic
// itself is asked, so a source that is wrong as well hides nothing.

import { recordNumber } from './corpus.ts'
import { withClient } from './raw-client.ts'
import { decodeBatch } from './records.ts'
import { readBatches } from './topic-reader.ts'

/** What is wrong with a topic that an idempotent load has filled, in sentences; empty when nothing is. */
export async function findMisnumbered(
  bootstrap: string,
  topic: string,
  records: number
): Promise<string[]> {
  const wrong: string[] = []
  let found = 0
  for (const [partition, numbers] of await readNumbers(bootstrap, topic)) {
    found += numbers.length
    const at = numbers.findIndex((number, place) => number !== place)
    if (at >= 0) wrong.push(`${topic}-${partition}: ${numbers[at]} where ${at} should be`)
  }
  if (found !== records) wrong.push(`${topic}: ${found} records in place of ${records}`)
  return wrong
}

/** By partition: the numbers of its records, in the order they have. */
export async function readNumbers(
  bootstrap: string,
  topic: string
): Promise<Map<number, number[]>> {
  return withClient(bootstrap, async client => {
    const all = new Map<number, number[]>()
    for (const partition of await client.partitions(topic)) {
      const numbers: number[] = []
      for await (const { bytes } of readBatches(client, topic, partition)) {
        for (const { value } of decodeBatch(bytes).records) numbers.push(recordNumber(value))
      }
      all.set(partition, numbers)
    }
    return all
  })
}

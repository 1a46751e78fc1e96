// A handler that spreads a topic over partitions that all its lanes share, and what is to be there then.

import assert from 'node:assert/strict'
import { recordNumber } from './corpus.ts'
import { readNumbers } from './numbered-once.ts'
import { withClient } from './raw-client.ts'
import { type DecodedRecord, decodeBatch } from './records.ts'
import { readBatches } from './topic-reader.ts'

/** To be there before the mirror. */
export const splitPartitions = 2

/** For numbered records. Of each five one stays, one is there twice, and the key tells the lane. */
export const splitHandler = `export default (record, { partition }) => {
  const number = Number.parseInt(record.value.toString(), 10)
  if (number % 5 === 0) return record
  const other = record.with({ key: Buffer.from(String(partition)) })
  other.topic += '-other'
  other.partition = number % 2
  return number % 5 === 1 ? [other, other.with({})] : other
}`

/** Each record of `count` a partition is there as often as it was sent, and in order. */
export async function assertSplit(
  bootstrap: string,
  topic: string,
  { partitions, count }: { partitions: number; count: number }
): Promise<void> {
  const all = Array.from({ length: count }, (_, number) => number)
  const stays = all.filter(number => number % 5 === 0)
  const atHome = await readNumbers(bootstrap, topic)
  assert.equal(atHome.size, partitions)
  for (const numbers of atHome.values()) assert.deepEqual(numbers, stays)
  for (const [partition, records] of await readRecords(bootstrap, `${topic}-other`)) {
    const wanted = all
      .filter(number => number % 5 !== 0 && number % 2 === partition)
      .flatMap(number => (number % 5 === 1 ? [number, number] : number))
    for (let lane = 0; lane < partitions; lane++) {
      const found = records.filter(({ key }) => `${key}` === `${lane}`)
      const numbers = found.map(({ value }) => recordNumber(value))
      assert.deepEqual(numbers, wanted, `of ${lane} in ${partition}`)
    }
  }
}

/** All records by partition. */
export async function readRecords(
  bootstrap: string,
  topic: string
): Promise<Map<number, DecodedRecord[]>> {
  return withClient(bootstrap, async client => {
    const partitions = new Map<number, DecodedRecord[]>()
    for (const partition of await client.partitions(topic)) {
      const records: DecodedRecord[] = []
      for await (const { bytes } of readBatches(client, topic, partition)) {
        records.push(...decodeBatch(bytes).records)
      }
      partitions.set(partition, records)
    }
    return partitions
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimProducers, type ProducerSource } from '../../src/mirror/producer-claims.ts'
import type { TopicPartition } from '../../src/native/index.ts'

const [first, second, third] = [0, 1, 2].map(partition => ({ topic: 'orders', partition })) as [
  TopicPartition,
  TopicPartition,
  TopicPartition
]

/** As the native link: an id serves each partition once. */
class Link implements ProducerSource {
  readonly #written = new Set<number>()
  #newest = 7
  asked = 0
  grants = true

  claimProducers(partitions: readonly TopicPartition[]) {
    return partitions.map(({ partition }) => {
      const isFirst = !this.#written.has(partition)
      this.#written.add(partition)
      return isFirst
        ? { producerId: this.#newest, producerEpoch: 0 }
        : { producerId: -1, producerEpoch: -1 }
    })
  }

  async start(): Promise<void> {
    this.asked++
    if (!this.grants) return
    this.#newest++
    this.#written.clear()
  }
}

async function claim(link: Link, partitions: readonly TopicPartition[]) {
  return (await claimProducers(link, partitions, 1_000)).map(claimed => claimed?.producerId)
}

test("partitions that nobody has written take the link's own id, and nothing is asked", async () => {
  const link = new Link()
  assert.deepEqual(await claim(link, [first, second]), [7, 7])
  assert.deepEqual(await claim(link, []), [])
  assert.equal(link.asked, 0)
})

test('partitions that it has written get one fresh id together, in their places', async () => {
  const link = new Link()
  await claim(link, [first, third])
  assert.deepEqual(await claim(link, [first, second, third]), [8, 7, 8])
  assert.equal(link.asked, 1)
})

// The lane then waits: what it commits without an id promises what nobody could prove.
test('where none is granted the partition has none, and the others have theirs', async () => {
  const link = new Link()
  await claim(link, [first])
  link.grants = false
  assert.deepEqual(await claim(link, [first, second]), [undefined, 7])
  link.grants = true
  assert.deepEqual(await claim(link, [first]), [8])
})

// Owns what a mirror's group has left to do, from the clusters alone.

import { withClient } from './raw-client.ts'

/** Log end less committed offset, summed over the partitions; undefined while one has no commit. */
export async function groupLag(
  bootstrap: string,
  group: string,
  topics: string[]
): Promise<number | undefined> {
  return withClient(bootstrap, async client => {
    const committed = await client.groups.offsetFetch(group)
    let lag = 0
    for (const topic of topics) {
      for (const [partition, { latest }] of await client.offsets(topic)) {
        const found = committed.find(row => row.topic === topic && row.partition === partition)
        if (found === undefined || found.offset < 0) return undefined
        lag += latest - found.offset
      }
    }
    return lag
  })
}

/** Sum of the log ends less the log starts; 0 for a topic that is not there. */
export async function countRecords(bootstrap: string, topic: string): Promise<number> {
  return withClient(bootstrap, async client => {
    const [found] = (await client.metadata([topic])).topics
    if (found === undefined || found.error !== 0) return 0
    const ends = await client.offsets(topic)
    return [...ends.values()].reduce((sum, { earliest, latest }) => sum + latest - earliest, 0)
  })
}

// T15: what the discovery makes of a source whose topics come, go, and come again under their names.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { Discovery } from '../../src/mirror/discovery.ts'
import { type RecreatedTopic, refuseRecreated } from '../../src/mirror/recreated-topics.ts'
import type { TopicMetadata } from '../../src/native/index.ts'
import type { TopicSelector } from '../../src/topics/select.ts'

const all = {
  select: async (names: readonly string[]) => ({ selected: [...names], leftOut: [] })
} as unknown as TopicSelector

function topicOf(topic: string, id: string, partitions = 2): TopicMetadata {
  const rows = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    leader: 1,
    replicas: [1],
    inSyncReplicas: [1]
  }))
  return { topic, id, partitions: rows }
}

/** Looks at one state of the source after the other. */
function watch() {
  let topics: TopicMetadata[] = []
  const recreated: RecreatedTopic[] = []
  const sizes: [string, number][][] = []
  const discovery = new Discovery({
    group: { metadata: async () => ({ brokers: [], topics }) },
    selector: all,
    log: pino({ enabled: false }),
    onTopics: found => sizes.push([...found]),
    onRecreated: topic => recreated.push(topic)
  })
  const look = (...found: TopicMetadata[]) => {
    topics = found
    return discovery.look()
  }
  return { discovery, look, recreated, sizes }
}

test('a topic whose id changes between two looks was made anew, and that is said once', async () => {
  const { discovery, look, recreated, sizes } = watch()
  await look(topicOf('orders', 'a'), topicOf('audit', 'x'))
  await look(topicOf('orders', 'b', 6), topicOf('audit', 'x'))
  await look(topicOf('orders', 'b', 6), topicOf('audit', 'x'))
  assert.deepEqual(recreated, [{ topic: 'orders', was: 'a', is: 'b' }])
  assert.equal(discovery.recreated.find('audit'), undefined)
  // Its lanes are to be seen as stopped, so it stays; but the target is not to grow to its size.
  assert.deepEqual([...discovery.topics.keys()], ['orders', 'audit'])
  assert.deepEqual(sizes.at(-1), [['audit', 2]])
})

test('a topic that comes back long after it was deleted is no new one', async () => {
  const { discovery, look, recreated } = watch()
  await look(topicOf('orders', 'a'))
  for (let looks = 0; looks < 5; looks++) await look()
  assert.equal(discovery.topics.size, 0)
  await look(topicOf('orders', 'b'))
  await look(topicOf('orders', 'c'))
  assert.deepEqual(recreated, [
    { topic: 'orders', was: 'a', is: 'b' },
    { topic: 'orders', was: 'a', is: 'c' }
  ])
  assert.deepEqual(discovery.recreated.find('orders')?.was, 'a')
})

test('the same topic that a broker did not list for a while goes on', async () => {
  const { discovery, look, recreated } = watch()
  await look(topicOf('orders', 'a'))
  for (let looks = 0; looks < 5; looks++) await look()
  await look(topicOf('orders', 'a'))
  assert.deepEqual(recreated, [])
  assert.equal(discovery.topics.size, 1)
})

test('brokers without topic ids, and those that were upgraded to have some', async () => {
  const { look, recreated } = watch()
  await look(topicOf('orders', ''))
  await look(topicOf('orders', 'a'))
  await look(topicOf('orders', ''))
  await look(topicOf('orders', 'a'))
  assert.deepEqual(recreated, [])
})

test('the refusal tells both ids, and how to mirror the new topic', () => {
  const { reason, detail } = refuseRecreated({ topic: 'orders', was: 'a', is: 'b' }, 'mirror')
  assert.equal(reason, 'topic-recreated')
  assert.match(detail, /id a was mirrored, now it has b/)
  assert.match(detail, /kafka-consumer-groups --delete-offsets --group mirror --topic orders/)
})

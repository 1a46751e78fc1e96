// Resealed batches before real brokers, which check every record, and before Kafka's own consumer.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { codecs } from '../../src/batches/codec.ts'
import { type ResealTask, resealBatch } from '../../src/batches/reseal.ts'
import { type KafkaCluster, startPair } from '../support/kafka-broker.ts'
import { consoleConsumer, createTopic } from '../support/kafka-tools.ts'
import { encodeWrapped } from '../support/old-messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { decodeBatch, encodeBatch, type RecordInput } from '../support/records.ts'

let pair: Awaited<ReturnType<typeof startPair>>

before(async () => {
  pair = await startPair()
})
after(() => pair?.close())

const now = Date.now() - 3_600_000
const limit = { timeout: 180_000 }

for (const side of ['source', 'target'] as const) {
  test(`what is resealed is read by Kafka's consumer: ${side}`, limit, async t => {
    const cluster = pair[side]
    const topic = `resealed-${randomUUID()}`
    // One partition for each codec.
    await createTopic(cluster.bootstrap, topic, codecs.length)
    const client = new RawClient(cluster.bootstrap)
    t.after(() => client.close())
    const expected: string[] = []
    for (const [partition, codec] of codecs.entries()) {
      const lines: string[] = []
      for (const { task, records } of cases()) {
        for (const batch of reseal({ ...task, codec })) {
          await client.append(topic, partition, batch)
        }
        lines.push(...records.map(line))
      }
      expected.push(...lines.map((text, offset) => place(text, partition, offset)))
      await checkBytes(client, topic, partition)
    }
    const found = await read(cluster, topic, expected.length)
    assert.deepEqual(found.sort(), expected.sort())
  })
}

interface Case {
  task: Omit<ResealTask, 'codec'>
  /** What is to be left of it, in order. */
  records: RecordInput[]
}

function cases(): Case[] {
  const holed = shapes.map((shape, index) => ({ ...shape, offsetDelta: 1 + index * 3 }))
  const large = Array.from({ length: 200 }, (_, index) => ({
    key: `large-${index}`,
    value: `${index} `.repeat(400),
    timestamp: now + index
  }))
  const old = [4, 6, 7].map(offset => ({ offset, key: `old-${offset}`, value: 'from 0.10' }))
  const wrapped = encodeWrapped(
    old.map(message => ({ ...message, magic: 1 as const, timestamp: now })),
    { magic: 1, offset: 107, codec: 'snappy', timestamp: now }
  )
  return [
    { task: taskOf(encodeBatch(holed, { baseOffset: 50, codec: 'zstd' })), records: shapes },
    // Position inside the batch, and a target that takes less: it is split.
    {
      task: { ...taskOf(encodeBatch(large, { codec: 'gzip' })), fromOffset: 20, maxBytes: 100_000 },
      records: large.slice(20)
    },
    {
      task: { ...taskOf(wrapped), fromOffset: 105 },
      records: old.slice(1).map(message => ({ ...message, timestamp: now }))
    }
  ]
}

const shapes: RecordInput[] = [
  { key: 'k', value: 'v', timestamp: now },
  { key: null, value: '', timestamp: now + 5 },
  { key: '', value: null, timestamp: now - 5 },
  {
    key: 'with headers',
    value: 'ä €',
    headers: [
      ['same', '1'],
      ['same', '2'],
      ['none', null],
      ['', '']
    ],
    timestamp: now
  }
]

function taskOf(source: Buffer): Omit<ResealTask, 'codec'> {
  const bytes = new Uint8Array(source)
  return { bytes, fromOffset: 0, skipRecords: 0, appendTime: 'keep', maxBytes: 1_000_000 }
}

function reseal(task: ResealTask): Buffer[] {
  const result = resealBatch(task)
  assert.ok('batches' in result, JSON.stringify(result))
  return result.batches.map(({ bytes }) => Buffer.from(bytes))
}

/** Brokers keep a good batch as it came; one that they had to mend they would have written anew. */
async function checkBytes(client: RawClient, topic: string, partition: number): Promise<void> {
  const { batches } = await client.fetch({ topic, partition, offset: 0 })
  const sent = cases().flatMap(({ task }) => reseal({ ...task, codec: codecs[partition] as never }))
  assert.deepEqual(
    batches.map(({ bytes }) => bytes.subarray(61).toString('hex')),
    sent.map(batch => batch.subarray(61).toString('hex'))
  )
  for (const { bytes } of batches) decodeBatch(bytes)
}

function read(cluster: KafkaCluster, topic: string, count: number): Promise<string[]> {
  return consoleConsumer(cluster, topic, { maxMessages: count })
}

function line({ key, value, headers = [], timestamp }: RecordInput): string {
  const text = headers.map(([name, content]) => `${name}:${content ?? 'NULL'}`).join(',')
  return `${timestamp}\t${text || 'NO_HEADERS'}\t${key ?? 'NULL'}\t${value ?? 'NULL'}`
}

function place(text: string, partition: number, offset: number): string {
  const [timestamp, ...rest] = text.split('\t')
  return [`CreateTime:${timestamp}`, `Partition:${partition}`, `Offset:${offset}`, ...rest].join(
    '\t'
  )
}

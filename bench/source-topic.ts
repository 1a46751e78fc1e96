// Owns the making of a real cell's source topic: dense or in transactions by Kafka's own performance producer, or
// compacted, with holes that the source's log cleaner has made.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { compactedConfigs, endCompaction } from '../test/support/compaction.ts'
import type { KafkaCluster } from '../test/support/kafka-broker.ts'
import { runTool } from '../test/support/kafka-tools.ts'
import type { RawClient } from '../test/support/raw-client.ts'
import { encodeBatch } from '../test/support/records.ts'
import { waitFor } from '../test/support/wait.ts'
import { cacheFolder } from './cache-folder.ts'
import type { LogShape } from './log-shape.ts'
import { recordValues } from './records.ts'
import type { RealScenario } from './scenarios.ts'

export interface SourceTopic {
  name: string
  scenario: RealScenario
  cluster: KafkaCluster
  client: RawClient
  /** Looks at its log. */
  shape(): Promise<LogShape>
}

// As many different records as the topic draws from.
const differentRecords = 20_000
const produceLimitMs = 600_000
const transactionMs = 500

// Of a compacted topic every other record has a key of its own; the others share so many in each partition.
const sharedKeys = 10
// Nothing newer than this is compacted: the cleaner leaves the newest segment alone.
const segmentMs = 1_000
const cleanerLimitMs = 300_000

/** Fills it, and says what a mirror has to bring over. */
export async function makeSourceTopic(topic: SourceTopic): Promise<LogShape> {
  const { topicShape, totalRecordBytes, recordBytes } = topic.scenario
  const records = Math.round(totalRecordBytes / recordBytes)
  if (topicShape === 'compacted') return makeCompacted(topic, records)
  const { name, client } = topic
  await client.admin.createTopics({ name, partitions: topic.scenario.partitions })
  await performProducer(topic, records)
  const shape = await topic.shape()
  if (shape.records === records) return shape
  throw new Error(`${name}: expected ${records} records, got ${shape.records}`)
}

async function performProducer(
  { name, scenario, cluster }: SourceTopic,
  records: number
): Promise<void> {
  const { codec, recordBytes, batchBytes, topicShape } = scenario
  const payload = join(await cacheFolder(), `records-${recordBytes}.txt`)
  await writeFile(payload, recordValues(differentRecords, recordBytes).join('\n'))
  const isTransactional = topicShape === 'transactional'
  const { code, stdout, stderr } = await runTool(
    cluster.version,
    'org.apache.kafka.tools.ProducerPerformance',
    [
      ...['--topic', name, '--num-records', `${records}`, '--throughput', '-1'],
      ...(isTransactional ? ['--transaction-duration-ms', `${transactionMs}`] : []),
      ...['--payload-file', payload, '--producer-props', `bootstrap.servers=${cluster.bootstrap}`],
      ...[`compression.type=${codec}`, `batch.size=${batchBytes}`, 'linger.ms=100'],
      ...[`acks=${isTransactional ? 'all' : 1}`, 'buffer.memory=134217728']
    ],
    { jvm: ['-Xmx512m'], timeoutMs: produceLimitMs }
  )
  if (code !== 0) throw new Error(`ProducerPerformance ended with ${code}: ${stdout}${stderr}`)
}

async function makeCompacted(topic: SourceTopic, records: number): Promise<LogShape> {
  const { name, client, scenario } = topic
  const { partitions } = scenario
  const configs = { ...compactedConfigs, 'segment.ms': segmentMs }
  await client.admin.createTopics({ name, partitions, configs })
  const left = await produceKeyed(topic, records)
  let found = 0
  const shape = await waitFor(
    `the cleaner to leave ${left} of the ${records} records of ${name}`,
    async () => {
      const seen = await topic.shape().catch(unlessReplaced)
      found = seen?.records ?? found
      return found === left && seen
    },
    { everyMs: 500, limitMs: cleanerLimitMs, describe: () => `${found} were there` }
  )
  await endCompaction(client, name)
  return shape
}

/** A segment may give way to a cleaned one while it is looked at. */
function unlessReplaced(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** Gives how many records are left when the cleaner has done all its work. */
async function produceKeyed(topic: SourceTopic, records: number): Promise<number> {
  const { scenario, name, client } = topic
  const { partitions, codec } = scenario
  const values = recordValues(differentRecords, scenario.recordBytes)
  const batchRecords = recordsOfBatch(scenario, values)
  const lengths = Array.from({ length: partitions }, (_, partition) =>
    Math.ceil((records - partition) / partitions)
  )
  const fill = async (length: number, partition: number) => {
    for (let first = 0; first < length; first += batchRecords) {
      const batch = Array.from({ length: Math.min(batchRecords, length - first) }, (_, index) => ({
        key: keyOf(first + index),
        value: valueAt(values, first + index)
      }))
      await client.append(name, partition, encodeBatch(batch, { codec }))
    }
  }
  await Promise.all(lengths.map(fill))
  await delay(segmentMs + 100)
  // Begins a new segment in each partition, so that all before it is the cleaner's.
  const newest = encodeBatch([{ key: 'newest', value: valueAt(values, 0) }], { codec })
  await Promise.all(lengths.map((_, partition) => client.append(name, partition, newest)))
  const left = lengths.map(
    length => Math.ceil(length / 2) + Math.min(sharedKeys, Math.floor(length / 2)) + 1
  )
  return left.reduce((sum, each) => sum + each, 0)
}

function keyOf(place: number): string {
  return place % 2 === 0 ? `once-${place}` : `again-${place % (2 * sharedKeys)}`
}

function valueAt(values: readonly string[], place: number): string {
  return values[place % values.length] as string
}

/** As many as bring a batch near to the cell's size, compressed. */
function recordsOfBatch(
  { codec, recordBytes, batchBytes }: RealScenario,
  values: readonly string[]
): number {
  if (batchBytes < recordBytes) return 1
  const probe = values.slice(0, Math.ceil(batchBytes / recordBytes))
  const { length } = encodeBatch(
    probe.map(value => ({ value })),
    { codec }
  )
  return Math.max(1, Math.round((probe.length * batchBytes) / length))
}

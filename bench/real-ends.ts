// Owns the real ends of a cell: a source topic made once by Kafka's own tool, and an empty target topic for each run.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sampleRecords } from '../src/bench/sample-records.ts'
import { type KafkaCluster, startPair } from '../test/support/kafka-broker.ts'
import { runTool } from '../test/support/kafka-tools.ts'
import { RawClient } from '../test/support/raw-client.ts'
import { cacheFolder } from './cache-folder.ts'
import { EndWatch, sumOfEnds } from './end-offsets.ts'
import type { Ends, Round } from './ends.ts'
import { logShape } from './log-shape.ts'
import { cpuSecondsOf } from './process-usage.ts'
import type { RealScenario } from './scenarios.ts'

export interface Brokers {
  source: KafkaCluster
  target: KafkaCluster
}

// As many different records as the source topic draws from.
const differentRecords = 20_000
const produceLimitMs = 600_000
// What mirrors leave behind: MirrorMaker 2 would go on from there instead of starting anew.
export const leftBehind = /^mm2-|\.internal$|^heartbeats$|^mirrormaker/

// Deleted topics shall be gone from the disk before the next run writes as much again.
const brokerSettings = {
  config: { 'log.segment.delete.delay.ms': 1_000 },
  heap: '1g',
  isFast: true
}

export function startBrokers(): Promise<Brokers & { close(): Promise<void> }> {
  return startPair({ source: brokerSettings, target: brokerSettings })
}

export async function realEnds(scenario: RealScenario, brokers: Brokers): Promise<Ends> {
  const { partitions, recordBytes } = scenario
  const { source, target } = brokers
  const topic = `bench-${scenario.name}`
  const clients = {
    source: new RawClient(source.bootstrap),
    target: new RawClient(target.bootstrap)
  }
  const records = Math.round(scenario.totalRecordBytes / recordBytes)
  await clients.source.admin.createTopics({ name: topic, partitions })
  await produce(scenario, source, topic, records)
  const found = await sumOfEnds(clients.source, topic, partitions)
  if (found !== records) throw new Error(`${topic}: expected ${records} records, got ${found}`)
  const shape = await shapeOn(source, topic, partitions)

  async function begin(): Promise<Round> {
    await Promise.all([
      removeTopics(clients.source, name => leftBehind.test(name)),
      removeTopics(clients.target, name => name === topic || leftBehind.test(name))
    ])
    await clients.target.admin.createTopics({ name: topic, partitions })
    const cpu = [source, target].map(cpuOf)
    const watch = new EndWatch(clients.target, topic, partitions)
    return {
      topic,
      source: source.bootstrap,
      target: target.bootstrap,
      hasAll: async () => watch.records >= records,
      async close() {
        await watch.close()
        const { bytes, batches } = await shapeOn(target, topic, partitions)
        const { firstNs, lastNs } = watch
        return {
          firstNs,
          lastNs,
          sourceCpuSeconds: cpuOf(source) - (cpu[0] ?? 0),
          targetCpuSeconds: cpuOf(target) - (cpu[1] ?? 0),
          targetBatchBytes: bytes / batches,
          ...(watch.records === records
            ? {}
            : { fault: `the target got ${watch.records} records of ${records}` })
        }
      }
    }
  }

  async function close(): Promise<void> {
    await removeTopics(clients.source, name => name === topic)
    await removeTopics(clients.target, name => name === topic)
    clients.source.close()
    clients.target.close()
  }

  const cargo = { wireBytes: shape.bytes, recordBytes: records * recordBytes, records }
  return { cargo, begin, close }
}

/** Kafka's own performance producer, drawing from a file of sample records. */
async function produce(
  { codec, recordBytes, batchBytes }: RealScenario,
  { version, bootstrap }: KafkaCluster,
  topic: string,
  records: number
): Promise<void> {
  const payload = join(await cacheFolder(), `records-${recordBytes}.txt`)
  await writeFile(payload, sampleRecords(differentRecords, recordBytes).join('\n'))
  const { code, stdout, stderr } = await runTool(
    version,
    'org.apache.kafka.tools.ProducerPerformance',
    [
      ...['--topic', topic, '--num-records', `${records}`, '--throughput', '-1'],
      ...['--payload-file', payload, '--producer-props', `bootstrap.servers=${bootstrap}`],
      ...[`compression.type=${codec}`, `batch.size=${batchBytes}`, 'linger.ms=100', 'acks=1'],
      'buffer.memory=134217728'
    ],
    { jvm: ['-Xmx512m'], timeoutMs: produceLimitMs }
  )
  if (code !== 0) throw new Error(`ProducerPerformance ended with ${code}: ${stdout}${stderr}`)
}

export async function removeTopics(
  client: RawClient,
  isUnwanted: (name: string) => boolean
): Promise<void> {
  const { topics } = await client.metadata()
  const names = topics.map(({ name }) => name).filter(isUnwanted)
  if (names.length > 0) await client.admin.deleteTopics(...names)
}

function shapeOn(cluster: KafkaCluster, topic: string, partitions: number) {
  const [node] = cluster.nodes
  if (node === undefined || cluster.nodes.length > 1)
    throw new Error('the bench has one broker a side')
  return logShape(node.dataDir, topic, partitions)
}

function cpuOf(cluster: KafkaCluster): number {
  return cluster.nodes.reduce((sum, node) => sum + cpuSecondsOf(node.pid), 0)
}

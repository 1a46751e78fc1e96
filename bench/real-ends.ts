// Owns the real ends of a cell: the brokers, a source topic made once, and an empty target topic for each run.

import { type ClusterOptions, type KafkaCluster, startPair } from '../test/support/kafka-broker.ts'
import { RawClient } from '../test/support/raw-client.ts'
import { DelayProxy } from './delay-proxy.ts'
import { EndWatch } from './end-offsets.ts'
import type { Ends, Round } from './ends.ts'
import { logShape } from './log-shape.ts'
import { cpuSecondsOf } from './process-usage.ts'
import type { RealScenario, Way } from './scenarios.ts'
import { makeSourceTopic } from './source-topic.ts'

/** How mirrors reach a side. The bench itself is always near, in plain text. */
interface Door {
  bootstrap: string
  /** PEM file of the authority to trust, where it speaks TLS. */
  caPath?: string
}

export interface Brokers {
  source: KafkaCluster
  target: KafkaCluster
  doors: { source: Door; target: Door }
}

// What mirrors leave behind: MirrorMaker 2 would go on from there instead of starting anew.
export const leftBehind = /^mm2-|\.internal$|^heartbeats$|^mirrormaker/

const brokerSettings = {
  config: {
    // Deleted topics shall be gone from the disk before the next run writes as much again.
    'log.segment.delete.delay.ms': 1_000,
    // Batches of 1 MiB and a header pass.
    'message.max.bytes': 2_097_152,
    // Compacted topics are made in seconds.
    'log.cleaner.backoff.ms': 500
  },
  heap: '1g',
  isFast: true
}

// The listener of mirrors, where it is not the cluster's own.
const listener = 'MIRRORS'

/** A fresh pair. The way is that of the mirrors to it. */
export async function startBrokers(way: Way = {}): Promise<Brokers & { close(): Promise<void> }> {
  const { roundTripMs = 0, far = 'source' } = way
  const proxy = roundTripMs > 0 ? await DelayProxy.start(roundTripMs) : undefined
  const proxies = { source: undefined, target: undefined, [far]: proxy }
  const pair = await startPair({
    source: { ...brokerSettings, ...listenerFor(way, proxies.source) },
    target: { ...brokerSettings, ...listenerFor(way, proxies.target) }
  }).catch(async error => {
    await proxy?.close()
    throw error
  })
  const { source, target } = pair
  return {
    source,
    target,
    doors: { source: doorOf(source, proxies.source), target: doorOf(target, proxies.target) },
    async close() {
      await proxy?.close()
      await pair.close()
    }
  }
}

function listenerFor({ tls }: Way, proxy: DelayProxy | undefined): Partial<ClusterOptions> {
  if (tls === undefined && proxy === undefined) return {}
  return {
    listeners: { [listener]: { protocol: tls ? 'SSL' : 'PLAINTEXT' } },
    ...(proxy === undefined ? {} : { advertised: { [listener]: proxy.address } })
  }
}

function doorOf({ bootstrap, listeners }: KafkaCluster, proxy: DelayProxy | undefined): Door {
  const own = listeners[listener] ?? { bootstrap }
  proxy?.forwardTo(Number(own.bootstrap.split(':')[1]))
  const caPath = own.caPath === undefined ? {} : { caPath: own.caPath }
  return { bootstrap: proxy?.address ?? own.bootstrap, ...caPath }
}

export async function realEnds(scenario: RealScenario, brokers: Brokers): Promise<Ends> {
  const { partitions, recordBytes } = scenario
  const { source, target, doors } = brokers
  const topic = `bench-${scenario.name}`
  const clients = {
    source: new RawClient(source.bootstrap),
    target: new RawClient(target.bootstrap)
  }
  const { bytes: wireBytes, records } = await makeSourceTopic({
    name: topic,
    scenario,
    cluster: source,
    client: clients.source,
    shape: () => shapeOn(source, topic, partitions)
  })

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
      source: doors.source.bootstrap,
      sourceCa: doors.source.caPath,
      target: doors.target.bootstrap,
      targetCa: doors.target.caPath,
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

  const cargo = { wireBytes, recordBytes: records * recordBytes, records }
  return { cargo, begin, close }
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

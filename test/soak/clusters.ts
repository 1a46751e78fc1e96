// Owns the clusters of a soak: real brokers, each with a proxy whose address is the one that clients learn.

import { type KafkaCluster, type KafkaNode, startBroker } from '../support/kafka-broker.ts'
import { sourceVersion, targetVersion } from '../support/kafka-jars.ts'
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts'

export type SoakCluster = {
  version: string
  /** Through the proxies. */
  bootstrap: string
  nodes: KafkaNode[]
  proxies: FaultyProxy[]
  close(): Promise<void>
}

const config = {
  // Killed brokers come back sooner.
  'broker.session.timeout.ms': 4_000,
  'broker.heartbeat.interval.ms': 500,
  'group.min.session.timeout.ms': 3_000
}

export async function startClusters(): Promise<{ source: SoakCluster; target: SoakCluster }> {
  const [source, target] = await Promise.all([
    startCluster(sourceVersion, 1),
    startCluster(targetVersion, 3)
  ])
  return { source, target }
}

async function startCluster(version: string, count: number): Promise<SoakCluster> {
  const proxies = await Promise.all(Array.from({ length: count }, startFaultyProxy))
  const cluster: KafkaCluster = await startBroker({
    version,
    nodes: count,
    config,
    nodeConfig: node => ({
      'advertised.listeners': `PLAINTEXT://${proxies[node - 1]?.address}`
    })
  })
  const { nodes } = cluster
  for (const [index, proxy] of proxies.entries()) proxy.forwardTo(nodes[index]?.port ?? 0)
  return {
    version,
    bootstrap: proxies.map(({ address }) => address).join(','),
    nodes,
    proxies,
    async close() {
      await cluster.close()
      await Promise.all(proxies.map(proxy => proxy.close()))
    }
  }
}

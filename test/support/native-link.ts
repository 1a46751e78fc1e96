// Owns a bare link between two mock clusters, without the mirror around it.

import {
  Cluster,
  type LaneStart,
  Link,
  type LinkOptions,
  type LinkSnapshot,
  laneColumns,
  laneValue,
  MockCluster
} from '../../src/native/index.ts'

export const linkOptions: LinkOptions = {
  producerExpiryMs: 86_400_000,
  streams: 2,
  producers: 2,
  isolation: 'read_uncommitted',
  fetchMinBytes: 1,
  fetchMaxBytes: 1024 * 1024,
  maxPartitionFetchBytes: 256 * 1024,
  fetchMaxWaitMs: 50,
  budgetBytes: 16 * 1024 * 1024,
  maxRequestBytes: 1024 * 1024,
  maxInFlight: 5,
  requestTimeoutMs: 5_000,
  idempotent: true,
  maxHeldRecords: 0,
  skipGaps: false,
  merge: false,
  clientRack: ''
}

export interface OpenLink {
  source: MockCluster
  target: MockCluster
  clusters: Cluster[]
  link: Link
}

/** One topic of this name and size on both sides; no lane yet. */
export function openLink(
  topic: string,
  partitions: number,
  options: Partial<LinkOptions> = {}
): OpenLink {
  const [source, target] = [new MockCluster(2), new MockCluster(2)]
  for (const mock of [source, target]) mock.createTopic(topic, partitions, 1)
  const clusters = [source, target].map(
    mock => new Cluster({ 'bootstrap.servers': mock.bootstrapServers })
  )
  const link = new Link(clusters[0] as Cluster, clusters[1] as Cluster, {
    ...linkOptions,
    ...options
  })
  return { source, target, clusters, link }
}

export async function closeLink({ source, target, clusters, link }: OpenLink): Promise<void> {
  await link.close()
  await Promise.all(clusters.map(cluster => cluster.close()))
  source.close()
  target.close()
}

export function addLanes(link: Link, topic: string, partitions: number): number[] {
  return link.addLanes(
    Array.from({ length: partitions }, (_, partition) => laneStart(topic, partition))
  )
}

/** From the first record on to the same partition of the target, with nothing known of what is there. */
export function laneStart(topic: string, partition: number): LaneStart {
  return {
    topic,
    partition,
    sourceTopicId: '',
    leaderEpoch: -1,
    targetTopic: topic,
    targetPartition: partition,
    offset: 0,
    targetMaxBatchBytes: 1_000_000,
    targetAppendTime: false,
    opens: 'none',
    forcedCodec: 0,
    producerId: -1,
    producerEpoch: -1,
    sequence: 0,
    arrived: 0,
    targetEnd: -1,
    arrivedEnd: -1,
    resumes: false
  }
}

/** Sum of a column over all lanes. */
export function sumOf({ lanes }: LinkSnapshot, column: (typeof laneColumns)[number]): number {
  let sum = 0
  for (let row = 0; row < lanes.length / laneColumns.length; row++)
    sum += laneValue(lanes, row, column)
  return sum
}

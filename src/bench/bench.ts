// The bench of one link: both clusters open, a scratch topic on each, the steps in their order, and the end of it all.

import { RunError } from '../errors.ts'
import { ClusterIds } from '../mirror/cluster-ids.ts'
import { isDoneWithin } from '../mirror/limited.ts'
import { openCluster } from '../mirror/open-client.ts'
import type { TargetConfig } from '../mirror/types.ts'
import { reachWithin } from '../plan/clusters.ts'
import { chooseReplication } from '../topics/create-rules.ts'
import { fetch } from './fetching.ts'
import { groupOf, newTopicName } from './intent.ts'
import { Meter, type Window } from './meter.ts'
import { mirrorOnce } from './mirroring.ts'
import { produce } from './producing.ts'
import { measureRoundTrip } from './round-trips.ts'
import { type OpenSide, ScratchTopic } from './scratch-topic.ts'
import { allSettled } from './settled.ts'
import {
  type BenchResult,
  type ClusterFacts,
  connectionCounts,
  type RoundTrip,
  type SideName,
  type Step,
  type StepKind,
  type Subject
} from './types.ts'

/** Who is told how far it is. */
export interface Watcher {
  onRoundTrip(side: SideName, roundTrip: RoundTrip): void
  onBegin(kind: StepKind, connections: number): void
  onWindow(kind: StepKind, window: Window): void
  onEnd(step: Step): void
}

/** As many as production topics mostly have. */
const usualReplicas = 3
// It is preparation, so as fast as it goes.
const fillConnections = Math.max(...connectionCounts)
const metadataMs = 10_000
/** A client that hangs on a dead broker must not hold up the exit. */
const closeWithinMs = 2_000
const sides = ['source', 'target'] as const

export class Bench {
  readonly topic = newTopicName()
  readonly facts: readonly ClusterFacts[]
  readonly #subject: Subject
  readonly #sides: Readonly<Record<SideName, OpenSide>>
  readonly #scratch: Readonly<Record<SideName, ScratchTopic>>

  private constructor(
    subject: Subject,
    opened: Readonly<Record<SideName, OpenSide>>,
    facts: Readonly<Record<SideName, ClusterFacts>>
  ) {
    this.facts = sides.map(side => facts[side])
    this.#subject = subject
    this.#sides = opened
    const scratch = (side: SideName) =>
      new ScratchTopic(opened[side], {
        topic: this.topic,
        partitions: subject.load.partitions,
        replicationFactor: facts[side].replicationFactor,
        timeoutMs: subject.adminTimeoutMs
      })
    this.#scratch = { source: scratch('source'), target: scratch('target') }
  }

  /** Reaches both clusters and makes nothing. Fails with a RunError, or with a ConfigError when they are the same. */
  static async open(subject: Subject): Promise<Bench> {
    const { own, target } = subject
    const source = openSide('source', own.source)
    let opened: Readonly<Record<SideName, OpenSide>> | undefined
    try {
      opened = { source, target: openSide('target', target) }
      const [sourceFacts, targetFacts] = await Promise.all([
        gatherFacts(opened.source, own.source, subject),
        gatherFacts(opened.target, target, subject)
      ])
      new ClusterIds().add(own.source.alias, sourceFacts.clusterId, targetFacts.clusterId)
      return new Bench(subject, opened, { source: sourceFacts, target: targetFacts })
    } catch (error) {
      await closeAll(opened ? Object.values(opened) : [source])
      throw error
    }
  }

  /** Makes the topics and measures. Whatever comes of it, `remove` is to be called then. */
  async measure(watcher: Watcher, stop: AbortSignal): Promise<BenchResult> {
    const [source, target] = await allSettled(
      sides.map(async side => {
        const roundTrip = await measureRoundTrip(this.#sides[side].cluster, stop)
        watcher.onRoundTrip(side, roundTrip)
        return roundTrip
      })
    )
    await allSettled(sides.map(side => this.#scratch[side].create(stop)))
    const steps: Step[] = []
    const run = async (
      kind: StepKind,
      connections: number,
      work: (meter: Meter) => Promise<void>
    ) => {
      steps.push(await this.#step(kind, connections, watcher, work))
    }
    await run('fill', fillConnections, meter =>
      this.#produce('source', fillConnections, meter, stop)
    )
    const records = await this.#scratch.source.countRecords()
    for (const connections of connectionCounts) {
      await run('fetch', connections, meter => this.#fetch(records, connections, meter, stop))
    }
    for (const connections of connectionCounts) {
      await run('produce', connections, meter => this.#produce('target', connections, meter, stop))
    }
    for (const connections of connectionCounts) {
      await run('mirror', connections, meter => this.#mirror(records, connections, meter, stop))
    }
    await this.#checkArrived(steps)
    const roundTrips = { source: source as RoundTrip, target: target as RoundTrip }
    return { clusters: this.facts, roundTrips, steps }
  }

  /** Removes what was made. Returns a sentence for each topic that could not be removed. */
  async remove(): Promise<string[]> {
    const left = await Promise.all(sides.map(side => this.#scratch[side].remove()))
    return left.filter(sentence => sentence !== undefined)
  }

  async close(): Promise<void> {
    await closeAll(Object.values(this.#sides))
  }

  async #step(
    kind: StepKind,
    connections: number,
    watcher: Watcher,
    work: (meter: Meter) => Promise<void>
  ): Promise<Step> {
    watcher.onBegin(kind, connections)
    const { recordBytes } = this.#subject.load
    const { onWindow } = watcher
    const meter = new Meter({ kind, connections, recordBytes, onWindow })
    try {
      await work(meter)
    } finally {
      meter.stop()
    }
    const step = meter.result()
    watcher.onEnd(step)
    return step
  }

  /** The target itself is asked: what was counted on the way may only be what was believed. */
  async #checkArrived(steps: readonly Step[]): Promise<void> {
    const sent = steps
      .filter(({ kind }) => kind === 'produce' || kind === 'mirror')
      .reduce((sum, { records }) => sum + records, 0)
    const arrived = await this.#scratch.target.countRecords()
    if (arrived >= sent) return
    throw new RunError(`the target holds ${arrived} of the ${sent} records that it acknowledged`)
  }

  #produce(side: SideName, connections: number, meter: Meter, stop: AbortSignal): Promise<void> {
    const { load } = this.#subject
    return produce({ side: this.#sides[side], topic: this.topic, load, connections, meter, stop })
  }

  #fetch(records: number, connections: number, meter: Meter, stop: AbortSignal): Promise<void> {
    return fetch({
      side: this.#sides.source,
      partitions: this.#scratch.source.partitions,
      records,
      partitionBytes: this.#subject.own.link.maxPartitionFetchBytes,
      connections,
      meter,
      stop
    })
  }

  #mirror(records: number, connections: number, meter: Meter, stop: AbortSignal): Promise<void> {
    const [subject, topic] = [this.#subject, this.topic]
    const group = groupOf(topic, connections)
    return mirrorOnce({ subject, topic, records, group, connections, meter, stop })
  }
}

function openSide(side: SideName, { alias, connection }: TargetConfig): OpenSide {
  return {
    side,
    alias,
    connection,
    bootstrapServers: connection['bootstrap.servers'] ?? '',
    principal: `User:${connection['sasl.username'] ?? 'NAME'}`,
    cluster: openCluster(`${side} "${alias}"`, connection)
  }
}

async function gatherFacts(
  { side, cluster, alias, bootstrapServers }: OpenSide,
  config: TargetConfig,
  { replicationFactor }: Subject
): Promise<ClusterFacts> {
  const clusterId = await reachWithin(cluster, side, config)
  const { brokers } = await cluster.metadata([], metadataMs)
  return {
    side,
    alias,
    bootstrapServers,
    clusterId,
    brokers: brokers.length,
    replicationFactor: chooseReplication(usualReplicas, replicationFactor, brokers.length)
  }
}

async function closeAll(opened: readonly OpenSide[]): Promise<void> {
  await isDoneWithin(Promise.all(opened.map(({ cluster }) => cluster.close())), closeWithinMs)
}

// Owns a bare link between two scripted clusters, and the reading of its lanes.

import type { TestContext } from 'node:test'
import {
  Cluster,
  type LaneReason,
  type LaneStart,
  type LaneState,
  Link,
  type LinkEvent,
  type LinkOptions,
  laneColumns,
  laneReasons,
  laneStates,
  laneValue
} from '../../src/native/index.ts'
import { laneStart, linkOptions } from './native-link.ts'
import {
  type ScriptedCluster,
  type ScriptedOptions,
  startScriptedCluster,
  topicIdOf
} from './scripted-broker.ts'
import { waitFor } from './wait.ts'

/** Connections that come back at once. */
export const quickProperties = {
  'reconnect.backoff.ms': '10',
  'reconnect.backoff.max.ms': '100',
  log_level: '2'
}

export type LaneFacts = {
  id: number
  state: LaneState
  reason: LaneReason
  code: number
  checkpoint: number
  records: number
  producerId: number
  producerEpoch: number
  nextSequence: number
}

export class ScriptedLink {
  readonly source: ScriptedCluster
  readonly target: ScriptedCluster
  readonly link: Link
  readonly events: LinkEvent[] = []
  readonly #clusters: Cluster[]

  constructor(source: ScriptedCluster, target: ScriptedCluster, options: Partial<LinkOptions>) {
    this.source = source
    this.target = target
    this.#clusters = [source, target].map(
      ({ bootstrapServers }) =>
        new Cluster({ ...quickProperties, 'bootstrap.servers': bootstrapServers })
    )
    const [from, to] = this.#clusters as [Cluster, Cluster]
    this.link = new Link(from, to, { ...linkOptions, streams: 1, producers: 1, ...options })
  }

  /** The lanes' ids. */
  add(topic: string, partitions: readonly number[], start: Partial<LaneStart> = {}): number[] {
    return this.link.addLanes(
      partitions.map(partition => ({
        ...laneStart(topic, partition),
        sourceTopicId: topicIdOf(topic).toString('hex'),
        ...start
      }))
    )
  }

  /** A stopped lane goes on at its checkpoint, under its own producer id and sequence. Returns the new lane's id. */
  beginAnew(topic: string, partition: number, stopped: LaneFacts): number {
    this.link.removeLanes([stopped.id])
    const { checkpoint: offset, producerId, producerEpoch, nextSequence: sequence } = stopped
    const start = { offset, producerId, producerEpoch, sequence }
    return this.add(topic, [partition], start)[0] as number
  }

  lane(id: number): LaneFacts {
    const { lanes } = this.link.snapshot()
    for (let row = 0; row < lanes.length / laneColumns.length; row++) {
      if (laneValue(lanes, row, 'id') !== id) continue
      return {
        id,
        state: laneStates[laneValue(lanes, row, 'state')] as LaneState,
        reason: laneReasons[laneValue(lanes, row, 'reason')] as LaneReason,
        code: laneValue(lanes, row, 'errorCode'),
        checkpoint: laneValue(lanes, row, 'checkpoint'),
        records: laneValue(lanes, row, 'records'),
        producerId: laneValue(lanes, row, 'producerId'),
        producerEpoch: laneValue(lanes, row, 'producerEpoch'),
        nextSequence: laneValue(lanes, row, 'nextSequence')
      }
    }
    throw new Error(`there is no lane ${id}`)
  }

  async untilStopped(id: number): Promise<LaneFacts> {
    await waitFor(`lane ${id} to stop`, () => this.lane(id).state === 'stopped', this.#tell(id))
    return this.lane(id)
  }

  async untilRecords(id: number, records: number): Promise<void> {
    const hasThem = () => this.lane(id).records >= records
    await waitFor(`${records} records of lane ${id}`, hasThem, this.#tell(id))
  }

  /** What the link has told of a lane since its start. */
  told(id: number): LinkEvent[] {
    this.events.push(...this.link.drainEvents())
    return this.events.filter(({ lane }) => lane === id)
  }

  async close(): Promise<void> {
    await this.link.close()
    await Promise.all(this.#clusters.map(cluster => cluster.close()))
    await Promise.all([this.source.close(), this.target.close()])
  }

  #tell(id: number) {
    return {
      limitMs: 30_000,
      everyMs: 20,
      describe: () => JSON.stringify([this.lane(id), this.told(id)])
    }
  }
}

/** Closed at the end of the test. */
export async function openScriptedLink(
  t: TestContext,
  sides: { source: ScriptedOptions; target: ScriptedOptions },
  options: Partial<LinkOptions> = {}
): Promise<ScriptedLink> {
  const source = await startScriptedCluster(sides.source)
  const target = await startScriptedCluster(sides.target)
  const opened = new ScriptedLink(source, target, options)
  t.after(() => opened.close())
  await opened.link.start(20_000)
  return opened
}

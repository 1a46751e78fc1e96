// Owns a link with one broker for each case and side, so that what one case is answered touches no other; the first
// broker is sound, and its lane shows that the others do not hold it up.

import type { TestContext } from 'node:test'
import type { LaneStart, LinkOptions } from '../../src/native/index.ts'
import type { Versions } from './scripted-answers.ts'
import type { Script } from './scripted-broker.ts'
import { type LaneFacts, openScriptedLink, type ScriptedLink } from './scripted-link.ts'

export const topic = 'orders'
export const recordsEach = 3

export type FleetCase = { name: string; source?: Script; target?: Script }

export type FleetOptions = {
  cases: readonly FleetCase[]
  batches?: number
  versions?: { source?: Versions; target?: Versions }
  link?: Partial<LinkOptions>
  start?: Partial<LaneStart>
}

export class Fleet {
  readonly opened: ScriptedLink
  readonly names: string[]
  readonly openedAtMs = performance.now()
  readonly #lanes: number[]

  constructor(opened: ScriptedLink, names: string[], lanes: number[]) {
    this.opened = opened
    this.names = names
    this.#lanes = lanes
  }

  /** The broker and partition of a case. */
  place(name: string): number {
    const at = this.names.indexOf(name)
    if (at < 0) throw new Error(`there is no case ${name}`)
    return at
  }

  laneOf(name: string): number {
    return this.#lanes[this.place(name)] as number
  }

  facts(name: string): LaneFacts {
    return this.opened.lane(this.laneOf(name))
  }

  sourceValues(name: string): string[] {
    return this.opened.source.source(topic, this.place(name)).values
  }

  target(name: string) {
    return this.opened.target.target(topic, this.place(name))
  }

  untilStopped(name: string): Promise<LaneFacts> {
    return this.opened.untilStopped(this.laneOf(name))
  }

  async untilAllArrived(name: string): Promise<void> {
    await this.opened.untilRecords(this.laneOf(name), this.sourceValues(name).length)
  }
}

export const healthy = 'healthy'

export async function openFleet(t: TestContext, options: FleetOptions): Promise<Fleet> {
  const { batches = 4, versions = {}, link = {}, start = {} } = options
  const names = [healthy, ...options.cases.map(({ name }) => name)]
  const side = {
    brokers: names.length,
    topics: { [topic]: { partitions: names.length, leader: Number } }
  }
  const opened = await openScriptedLink(
    t,
    {
      source: { ...side, versions: versions.source ?? {} },
      target: { ...side, versions: versions.target ?? {} }
    },
    { budgetBytes: 1024 * 1024 * 1024, requestTimeoutMs: 1_000, ...link }
  )
  for (const [partition, name] of names.entries()) {
    const log = opened.source.source(topic, partition)
    log.append(name, name === healthy ? 200 : batches, recordsEach)
  }
  for (const [index, { source, target }] of options.cases.entries()) {
    if (source) opened.source.scripts.set(index + 1, source)
    if (target) opened.target.scripts.set(index + 1, target)
  }
  const lanes = opened.add(
    topic,
    names.map((_, partition) => partition),
    start
  )
  return new Fleet(opened, names, lanes)
}

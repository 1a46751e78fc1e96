// Owns a soak from the first broker to the verdict: load, stretches of faults with a heal after each, then the judge.

import { createTopic } from '../support/kafka-tools.ts'
import { randomFrom } from '../support/random.ts'
import { makeFaults } from './chaos.ts'
import { type SoakCluster, startClusters } from './clusters.ts'
import { killedMirror, type Scene } from './faults.ts'
import { type Journal, openJournal } from './journal.ts'
import { awaitNoLag, awaitProgress, findDifferences } from './judge.ts'
import { findFaulty, type Healed, type Ledger } from './ledger.ts'
import { type Load, startSoakLoad } from './load.ts'
import { type Member, Members } from './members.ts'
import type { SoakOptions } from './options.ts'
import { shapes } from './shapes.ts'

export type SoakEvents = {
  say(line: string): void
  /** Somebody wants it to end: the faults stop, and what was done is judged. */
  isEndAsked(): boolean
}

const group = 'soak'
/** After so long all is healed, and the lanes have to go on. */
const stretchMs = 60_000
const mirrors = 3

export async function soak(options: SoakOptions, events: SoakEvents): Promise<Ledger> {
  const journal = await openJournal(options.seed)
  events.say(`logs in ${journal.folder}`)
  const { source, target } = await startClusters()
  try {
    await createTopics(source, target)
    const loads = await Promise.all(shapes.map(shape => startSoakLoad(source.bootstrap, shape)))
    const members = new Members(mirrorOptions(source, target), journal)
    try {
      const ledger = await disturb(options, events, { source, target, loads, members, journal })
      if (findFaulty(ledger).length === 0) await journal.remove()
      return ledger
    } finally {
      await members.abandon()
      await Promise.all(loads.map(load => load.stop().catch(() => undefined)))
    }
  } finally {
    await Promise.all([source.close(), target.close()])
  }
}

type Stage = {
  source: SoakCluster
  target: SoakCluster
  loads: Load[]
  members: Members
  journal: Journal
}

async function disturb(
  { minutes, seed, kills }: SoakOptions,
  { say, isEndAsked }: SoakEvents,
  { source, target, loads, members, journal }: Stage
): Promise<Ledger> {
  const scene: Scene = {
    members,
    brokers: { source: source.nodes, target: target.nodes },
    proxies: [...source.proxies, ...target.proxies],
    exits: new Map()
  }
  const random = randomFrom(seed)
  const faults = new Map<string, number>()
  const healed: Healed[] = []
  const witness = await members.join(true)
  for (let count = 1; count < mirrors; count++) await members.join()
  await awaitProgress(source, group)
  const startedAt = performance.now()
  const passedMs = () => performance.now() - startedAt
  const isOver = () =>
    isEndAsked() || (passedMs() >= minutes * 60_000 && (faults.get(killedMirror) ?? 0) >= kills)
  while (!isOver()) {
    const healAt = passedMs() + stretchMs
    await makeFaults(
      scene,
      random,
      { done: faults, note: journal.noteFault },
      () => isOver() || passedMs() >= healAt
    )
    healed.push(await heal(source, members, witness))
    say(describeStretch(passedMs(), faults, healed.at(-1) as Healed))
  }
  const lasted = passedMs() / 60_000
  await Promise.all(loads.map(load => load.stop()))
  await awaitNoLag(source, group)
  const differences = await findDifferences(source, target, loads)
  await members.close()
  return {
    seed,
    versions: { source: source.version, target: target.version },
    minutes: lasted,
    faults,
    exits: scene.exits,
    healed,
    loads,
    said: members.said,
    peakRssBytes: members.peakRssBytes,
    differences
  }
}

async function heal(source: SoakCluster, members: Members, witness: Member): Promise<Healed> {
  const recoveryMs = await awaitProgress(source, group)
  await Promise.all(members.live.map(member => members.measure(member)))
  const { rssBytes = 0, descriptors = 0 } = (await members.measure(witness)) ?? {}
  return { recoveryMs, rssBytes, descriptors }
}

async function createTopics(source: SoakCluster, target: SoakCluster): Promise<void> {
  for (const { topic, partitions, targetConfigs } of shapes) {
    await createTopic(source.bootstrap, topic, partitions)
    const configs = { 'min.insync.replicas': 2, ...targetConfigs }
    await createTopic(target.bootstrap, topic, partitions, { replicationFactor: 3, configs })
  }
}

function mirrorOptions(source: SoakCluster, target: SoakCluster) {
  const consumer = { 'session.timeout.ms': 4_000, 'heartbeat.interval.ms': 1_000 }
  const flags = ['--offset.commit.interval.ms', '1000']
  return { source, target, whitelist: 'soak-.*', group, consumer, flags }
}

function describeStretch(ms: number, faults: ReadonlyMap<string, number>, last: Healed): string {
  const count = [...faults.values()].reduce((sum, times) => sum + times, 0)
  const recovery = `every lane went on ${Math.round(last.recoveryMs)} ms after the last heal`
  return `${(ms / 60_000).toFixed(1)} minutes: ${count} faults; ${recovery}`
}

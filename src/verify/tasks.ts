// Decides from both clusters' answers which offsets of which partitions are compared, and what is known beforehand.

import type { ConfigEntry, TopicPartition } from '../native/index.ts'
import { formatCount } from '../observe/units.ts'
import { readBehaviour } from '../topics/configs.ts'
import { nameOf, type SourceFacts, type TargetFacts, type VerifyFacts } from './gather.ts'
import { describeSince, type Since } from './since.ts'
import type { Hopeless, LaneTask, Remark, TargetTask } from './types.ts'

export interface Tasks {
  targets: TargetTask[]
  hopeless: Hopeless[]
  /** Commits that this program did not make: what was mirrored before is another program's work. */
  foreignCommits: number
}

const dayMs = 86_400_000

export function planTasks({ sources, target }: VerifyFacts, since: Since): Tasks {
  const byTarget = new Map<string, { place: TopicPartition; lanes: LaneTask[] }>()
  const hopeless: Hopeless[] = []
  let foreignCommits = 0
  for (const [index, source] of sources.entries()) {
    for (const place of placesOf(source)) {
      const lane = planLane(source, index, place, target.clusterId, since)
      if (source.commits.get(nameOf(place))?.decoded.kind !== 'own') foreignCommits++
      const verdict = whyHopeless(source, lane, target)
      if (verdict) hopeless.push(verdict)
      else {
        const name = nameOf(place)
        const entry = byTarget.get(name) ?? { place, lanes: [] }
        entry.lanes.push(lane)
        byTarget.set(name, entry)
      }
    }
  }
  const targets = [...byTarget.values()].map(({ place, lanes }) =>
    planTarget(place, lanes, sources, target, since)
  )
  return { targets, hopeless, foreignCommits }
}

function placesOf({ topics }: SourceFacts): TopicPartition[] {
  return [...topics.values()].flatMap(({ topic, partitions }) =>
    partitions
      .map(({ partition }) => ({ topic, partition }))
      .sort((a, b) => a.partition - b.partition)
  )
}

function planLane(
  source: SourceFacts,
  index: number,
  place: TopicPartition,
  targetClusterId: string,
  since: Since
): LaneTask {
  const name = nameOf(place)
  const commit = source.commits.get(name)
  const logStart = source.logStarts.get(name) ?? 0
  const end = Math.max(logStart, source.ends.get(name) ?? logStart)
  const own = commit?.decoded.kind === 'own' ? commit.decoded.checkpoint : undefined
  const isOfTarget = own !== undefined && own.targetClusterId === targetClusterId
  const lane: LaneTask = {
    ...place,
    source: index,
    alias: source.alias,
    logStart,
    from: logStart,
    end,
    committed: commit?.offset ?? -1,
    committedTargetEnd: isOfTarget && own.targetEnd >= 0 ? own.targetEnd : undefined,
    mayHaveBegunLate: source.beginsAtEnd,
    remarks: []
  }
  const from = Math.min(end, Math.max(logStart, startOf(lane, source, since)))
  return { ...lane, from, remarks: remarksOf(lane, from, since) }
}

function startOf(lane: LaneTask, source: SourceFacts, since: Since): number {
  if (since.kind === 'start') return lane.logStart
  if (since.kind === 'time') return source.sinceOffsets.get(nameOf(lane)) ?? lane.end
  return lane.committed < 0 || lane.committedTargetEnd === undefined
    ? lane.logStart
    : lane.committed
}

function remarksOf(lane: LaneTask, from: number, since: Since): Remark[] {
  if (since.kind === 'start') return []
  if (since.kind === 'checkpoint' && lane.committedTargetEnd === undefined) {
    const text =
      'its last commit does not tell where the target was (another program made it, or for another target): compared from the beginning'
    return [{ kind: 'since', text }]
  }
  const leftOut = from - lane.logStart
  if (leftOut === 0) return []
  const text = `${formatCount(leftOut)} source offsets before ${describeSince(since)} left out`
  return [{ kind: 'since', text }]
}

function whyHopeless(
  source: SourceFacts,
  lane: LaneTask,
  target: TargetFacts
): Hopeless | undefined {
  const { topic, partition } = lane
  const name = nameOf(lane)
  if (!source.ends.has(name) || !source.logStarts.has(name)) {
    const why = 'the source partition has no leader, or may not be read'
    return { lane, state: 'not-compared', why, missing: 0 }
  }
  const found = target.topics.get(topic)
  const hasPartition = found?.partitions.some(row => row.partition === partition) === true
  if (!hasPartition) {
    const missing = Math.max(0, Math.min(lane.committed, lane.end) - lane.from)
    const why = found ? 'the target topic has no such partition' : 'the target has no such topic'
    // Nothing has to be there where nothing is committed.
    return { lane, state: missing > 0 ? 'different' : 'not-compared', why, missing }
  }
  if (!target.ends.has(name) || !target.logStarts.has(name)) {
    const why = 'the target partition has no leader, or may not be read'
    return { lane, state: 'not-compared', why, missing: 0 }
  }
  return undefined
}

function planTarget(
  place: TopicPartition,
  lanes: readonly LaneTask[],
  sources: readonly SourceFacts[],
  target: TargetFacts,
  since: Since
): TargetTask {
  const name = nameOf(place)
  const logStart = target.logStarts.get(name) ?? 0
  const end = Math.max(logStart, target.ends.get(name) ?? logStart)
  const configs = target.configs.get(place.topic) ?? []
  const sides = [configs, ...sources.map(source => source.configs.get(place.topic) ?? [])]
  return {
    ...place,
    logStart,
    from: Math.min(end, Math.max(logStart, targetStart(name, lanes, target, since))),
    end,
    lanes,
    isCompacted: sides.some(isCompacted),
    isAppendTime: readBehaviour(configs).isAppendTime,
    deleteRetentionMs: Math.min(...sides.map(deleteRetention))
  }
}

function targetStart(
  name: string,
  lanes: readonly LaneTask[],
  target: TargetFacts,
  since: Since
): number {
  if (since.kind === 'time') return target.sinceOffsets.get(name) ?? target.ends.get(name) ?? 0
  if (since.kind === 'start') return 0
  return Math.min(...lanes.map(({ committedTargetEnd }) => committedTargetEnd ?? 0))
}

function isCompacted(entries: readonly ConfigEntry[]): boolean {
  return configValue(entries, 'cleanup.policy')?.includes('compact') === true
}

function deleteRetention(entries: readonly ConfigEntry[]): number {
  return Number(configValue(entries, 'delete.retention.ms') ?? dayMs)
}

function configValue(entries: readonly ConfigEntry[], wanted: string): string | null | undefined {
  return entries.find(({ name }) => name === wanted)?.value
}

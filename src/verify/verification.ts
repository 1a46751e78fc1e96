// Runs a verification: asks both clusters, compares partition by partition, many at a time, and sums up.

import { RunError } from '../errors.ts'
import { isDoneWithin } from '../mirror/limited.ts'
import { openCluster } from '../mirror/open-client.ts'
import type { LinkConfig, TargetConfig } from '../mirror/types.ts'
import type { Cluster } from '../native/index.ts'
import type { TopicSelector } from '../topics/select.ts'
import { Comparison } from './comparison.ts'
import { readCountFacts } from './count-facts.ts'
import { countTarget } from './counts.ts'
import { gatherFacts, type OpenSource } from './gather.ts'
import type { Sample } from './sample.ts'
import type { Since } from './since.ts'
import { planTasks, type Tasks } from './tasks.ts'
import type { LaneVerdict } from './types.ts'
import { judgeHopeless } from './verdict.ts'

export interface VerifySubject {
  links: readonly LinkConfig[]
  target: TargetConfig
  topics: TopicSelector
  since: Since
  sample: Sample | undefined
  /** By offsets alone. */
  isCounts: boolean
}

export interface VerifyFigures {
  durationMs: number
  /** As they came from the brokers, of both sides. */
  bytesRead: number
  /** Of both sides. */
  records: number
  /** In batches that are the same byte for byte on both sides, which are not opened. */
  passedRecords: number
  /** Keys, values and headers of the others. */
  recordBytes: number
  threads: number
  /** Of all threads that opened batches. */
  workedMs: number
}

export interface VerifyResult {
  verdicts: LaneVerdict[]
  figures: VerifyFigures
  /** Lanes whose commits another program made: what was mirrored before is its work. */
  foreignCommits: number
}

/** A client that hangs on a dead broker must not hold up the answer. */
const closeWithinMs = 2_000

export async function verify(
  subject: VerifySubject,
  watch: (comparison: Comparison) => () => void
): Promise<VerifyResult> {
  const began = performance.now()
  const open: Cluster[] = []
  const openOne = (side: string, connection: TargetConfig['connection']) => {
    const cluster = openCluster(side, connection)
    open.push(cluster)
    return cluster
  }
  try {
    const sources = subject.links.map(own => ({
      own,
      cluster: openOne(`source "${own.source.alias}"`, own.source.connection)
    }))
    const target = openOne('target', subject.target.connection)
    const result = await verifyOpen(subject, sources, target, watch)
    result.figures.durationMs = performance.now() - began
    return result
  } finally {
    await isDoneWithin(Promise.all(open.map(cluster => cluster.close())), closeWithinMs)
  }
}

async function verifyOpen(
  subject: VerifySubject,
  sources: readonly OpenSource[],
  target: Cluster,
  watch: (comparison: Comparison) => () => void
): Promise<VerifyResult> {
  const { since, topics: selector, isCounts } = subject
  const [first] = subject.links as [LinkConfig]
  const facts = await gatherFacts(
    sources,
    { config: subject.target, cluster: target },
    { selector, since, isolation: first.link.isolation }
  )
  const tasks = planTasks(facts, since)
  refuseNothing(tasks)
  refuseUncommitted(tasks, subject.links)
  const hopeless = tasks.hopeless.map(judgeHopeless)
  const { foreignCommits } = tasks
  if (isCounts) {
    const countFacts = await readCountFacts(sources, tasks.targets)
    const verdicts = tasks.targets.flatMap(task => countTarget(task, countFacts))
    return { verdicts: inOrder([...verdicts, ...hopeless]), figures: noFigures(), foreignCommits }
  }
  const comparison = new Comparison({
    sources: sources.map(({ own, cluster }) => ({
      cluster,
      side: `source "${own.source.alias}"`,
      isolation: own.link.isolation
    })),
    target: { cluster: target, side: 'target', isolation: first.link.isolation },
    sample: subject.sample,
    tasks: tasks.targets
  })
  const unwatch = watch(comparison)
  try {
    const verdicts = await comparison.run()
    const figures = { ...noFigures(), ...comparison.figures() }
    return { verdicts: inOrder([...verdicts, ...hopeless]), figures, foreignCommits }
  } finally {
    unwatch()
    await comparison.close()
  }
}

/** A pattern that matches nothing is more likely a mistake than a wish. */
function refuseNothing({ targets, hopeless }: Tasks): void {
  if (targets.length + hopeless.length > 0) return
  throw new RunError(
    'no topic of the sources is matched, so there is nothing to verify. Check --whitelist or --blacklist'
  )
}

/** A group that has committed nothing says that nothing has to be there: more likely it is the wrong one. */
function refuseUncommitted({ targets, hopeless }: Tasks, links: readonly LinkConfig[]): void {
  const lanes = [...targets.flatMap(task => task.lanes), ...hopeless.map(({ lane }) => lane)]
  for (const [index, { source }] of links.entries()) {
    const own = lanes.filter(lane => lane.source === index && lane.end > lane.logStart)
    if (own.length === 0 || own.some(({ committed }) => committed >= 0)) continue
    throw new RunError(
      `group "${source.group['group.id']}" has committed nothing for these topics on the source "${source.alias}": ` +
        'so nothing has to be on the target, and there is nothing to verify. Check group.id, or let the mirror commit first'
    )
  }
}

function inOrder(verdicts: LaneVerdict[]): LaneVerdict[] {
  return verdicts.sort(
    (a, b) =>
      compareTexts(a.topic, b.topic) ||
      a.partition - b.partition ||
      compareTexts(a.sourceCluster, b.sourceCluster)
  )
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function noFigures(): VerifyFigures {
  return {
    durationMs: 0,
    bytesRead: 0,
    records: 0,
    passedRecords: 0,
    recordBytes: 0,
    threads: 0,
    workedMs: 0
  }
}

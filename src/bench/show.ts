// The bench as a person reads it: lines in the form of kafka-producer-perf-test, a table, and what to set.

import { formatTable } from '../observe/table.ts'
import { formatBytes, formatCount } from '../observe/units.ts'
import { bytesWritten, groupOf } from './intent.ts'
import { ratesOf, type Window } from './meter.ts'
import type { Recommendation } from './recommendation.ts'
import { removalCommand } from './refusals.ts'
import {
  type BenchResult,
  type ClusterFacts,
  connectionCounts,
  type Load,
  type RoundTrip,
  type SideName,
  type Step,
  type StepKind
} from './types.ts'

/** Said once. */
export const units =
  'MB is 10^6 bytes here (1,048,576 in the tools of Kafka). MB/sec in brackets is of uncompressed records, ' +
  'and on the wire of compressed batches; latency is from a request to its answer.'

const verbs: Readonly<Record<StepKind, string>> = {
  fill: 'sent',
  fetch: 'read',
  produce: 'sent',
  mirror: 'mirrored'
}

const titles: Readonly<Record<StepKind, string>> = {
  fill: 'fill the source',
  fetch: 'fetch from the source',
  produce: 'produce to the target',
  mirror: 'mirror'
}

// Above this share the main thread of this process may have been what held the step back.
const busyShare = 0.9
const shortSeconds = 1

/** What is made, before anybody is asked. */
export function showIntent(facts: readonly ClusterFacts[], topic: string, load: Load): string[] {
  const groups = connectionCounts.map(count => groupOf(topic, count)).join(', ')
  return [
    'bench makes these, and removes them at the end:',
    ...facts.map(({ side, alias, bootstrapServers, replicationFactor }) => {
      const bytes = formatBytes(bytesWritten(side, load))
      const replicas = replicationFactor === 1 ? '1 replica' : `${replicationFactor} replicas`
      return (
        `  ${side} "${alias}" (${bootstrapServers}): topic ${topic}, ${load.partitions} partitions, ${replicas}, ` +
        `${bytes} of records before compression and replication`
      )
    }),
    `  source: consumer groups ${groups}, which the brokers remove with the topic`
  ]
}

export function showStopping(facts: readonly ClusterFacts[], topic: string): string {
  const commands = facts.map(({ bootstrapServers }) => removalCommand(bootstrapServers, topic))
  return `stopping, and removing ${topic}. A second signal ends at once and leaves it; then: ${commands.join(' && ')}`
}

export function showRoundTrip(side: SideName, { medianMs, p99Ms, samples }: RoundTrip): string {
  return `round trip to the ${side}: ${medianMs.toFixed(2)} ms median, ${p99Ms.toFixed(2)} ms 99th, ${samples} requests`
}

export function showBegin(kind: StepKind, connections: number): string {
  const sides = kind === 'mirror' ? ' on each side' : ''
  return `${titles[kind]}, ${connections} connection${connections === 1 ? '' : 's'}${sides}:`
}

/** As kafka-producer-perf-test writes it, with what crossed the network behind it. */
export function showWindow(kind: StepKind, window: Window): string {
  const { records, latency } = window
  const rates = ratesOf(window)
  const parts = [
    `${records} records ${verbs[kind]}`,
    `${rates.recordsPerSecond.toFixed(1)} records/sec (${rates.recordMegabytesPerSecond.toFixed(2)} MB/sec)`
  ]
  if (latency) {
    parts.push(`${latency.averageMs.toFixed(1)} ms avg latency`)
    parts.push(`${latency.maxMs.toFixed(1)} ms max latency`)
  }
  parts.push(`${rates.wireMegabytesPerSecond.toFixed(2)} MB/sec on the wire`)
  return `${parts.join(', ')}.`
}

export function showResult(
  { steps }: BenchResult,
  recommendations: readonly Recommendation[],
  width: number
): string[] {
  return [
    '',
    ...showSteps(steps, width),
    ...showRemarks(steps),
    '',
    ...showRecommendations(recommendations, width),
    '',
    ...recommendations.map(({ setting, why }) => `${setting}: ${why}`)
  ]
}

function showSteps(steps: readonly Step[], width: number): string[] {
  const titles = ['CONNECTIONS', 'RECORDS/S', 'MB/S UNCOMPRESSED', 'MB/S WIRE', 'SECONDS', 'CPU-S']
  const columns = [
    { title: 'STEP' },
    ...titles.map((title, index) => ({ title, align: 'right' as const, priority: index }))
  ]
  const rows = steps.map(step => [
    step.kind,
    String(step.connections),
    formatCount(step.recordsPerSecond),
    step.recordMegabytesPerSecond.toFixed(1),
    step.wireMegabytesPerSecond.toFixed(1),
    step.seconds.toFixed(2),
    step.cpuSeconds.toFixed(2)
  ])
  return formatTable(columns, rows, width)
}

/** What the figures do not say, where it matters. */
function showRemarks(steps: readonly Step[]): string[] {
  const name = ({ kind, connections }: Step) => `${kind} with ${connections}`
  const short = steps.filter(({ kind, seconds }) => kind === 'mirror' && seconds < shortSeconds)
  const busy = steps.filter(({ mainThread }) => mainThread >= busyShare)
  const rateOf = (kind: StepKind) =>
    Math.max(...steps.filter(step => step.kind === kind).map(step => step.wireMegabytesPerSecond))
  const remarks: string[] = []
  if (short.length > 0) {
    const names = short.map(name).join(', ')
    remarks.push(
      `over in less than ${shortSeconds} s, which is mostly the start of it: ${names}. Give a larger --size`
    )
  }
  if (busy.length > 0) {
    const names = busy.map(name).join(', ')
    remarks.push(
      `held back by the main thread of this process, and maybe not by the cluster: ${names}`
    )
  }
  if (rateOf('produce') < rateOf('mirror')) {
    remarks.push(
      'produce is slower than the mirror, so it shows no limit of the target: its producers compress every record on ' +
        'this host, which the mirror need not'
    )
  }
  return remarks.map(remark => `note: ${remark}`)
}

function showRecommendations(rows: readonly Recommendation[], width: number): string[] {
  const columns = [
    { title: 'SETTING' },
    { title: 'NOW', align: 'right' as const, priority: 1 },
    { title: 'NEEDED', align: 'right' as const, priority: 2 },
    { title: 'RECOMMENDED', align: 'right' as const }
  ]
  const show = (value: number | null) => (value === null ? '-' : String(value))
  return formatTable(
    columns,
    rows.map(({ setting, now, needed, recommended }) => [
      setting,
      show(now),
      show(needed),
      show(recommended)
    ]),
    width
  )
}

// The plan as a person reads it: lines of text, tables where there is more than one thing to compare.

import { type Column, formatTable } from '../observe/table.ts'
import { formatBytes, formatCount, formatDuration } from '../observe/units.ts'
import { groupBy, someNames } from './findings.ts'
import type { LinkPlan, Plan, PlanTotals } from './plan.ts'
import { showHeldLanes, showLanes } from './show-lanes.ts'
import type { TopicPlan } from './topic-plan.ts'

export interface ShowOptions {
  width: number
  /** Lane by lane too. */
  hasLanes: boolean
}

export function showPlan(plan: Plan, { width, hasLanes }: ShowOptions): string[] {
  const links = plan.links.flatMap(link => [...showLink(link, width, hasLanes), ''])
  return [...links, ...showTotals(plan.totals, plan.assumedMegabytesPerSecond)]
}

function showLink(link: LinkPlan, width: number, hasLanes: boolean): string[] {
  const { source, target, topics } = link
  return [
    `${source.alias} (${nameOf(source)}) -> ${target.alias} (${nameOf(target)})`,
    `group ${link.group}, ${describeGroup(link)}; ${link.delivery}, ${link.isolation}, new partitions from ${link.autoOffsetReset}`,
    `topics: ${topics.length} matched, ${link.notMatched} not matched, ${link.leftOut.length} left out`,
    ...link.leftOut.map(({ topic, why }) => `  left out: ${topic} (${why})`),
    ...(link.underscored.length > 0
      ? [`  matched although they begin with __: ${link.underscored.join(', ')}`]
      : []),
    ...section('', showTopics(topics, width)),
    ...section('created with configs', showCreatedConfigs(topics)),
    ...section('config differences', showDifferences(topics, width)),
    ...section('lanes that would not copy', showHeldLanes(topics)),
    ...(hasLanes ? section('lanes', showLanes(topics, width)) : [])
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  return ['', ...(title === '' ? [] : [`${title}:`]), ...lines]
}

function nameOf({ clusterId, brokers }: LinkPlan['source']): string {
  return `${clusterId === '' ? 'no cluster id' : clusterId}, ${brokers} broker${brokers === 1 ? '' : 's'}`
}

function describeGroup({ groupState, members }: LinkPlan): string {
  if (groupState === null) return 'state not known'
  if (members.length === 0) return 'no members now'
  return `${members.length} member${members.length === 1 ? '' : 's'} now`
}

const topicColumns: readonly Column[] = [
  { title: 'TOPIC' },
  { title: 'PARTITIONS', align: 'right', priority: 4 },
  { title: 'TARGET' },
  { title: 'PATH', priority: 3 },
  { title: 'RECORDS', align: 'right', priority: 1 },
  { title: 'BYTES', align: 'right', priority: 2 },
  { title: 'TIME', align: 'right', priority: 5 },
  { title: 'TARGET TOPIC', priority: 6 }
]

/** Only where there are such records. */
const agedColumn: Column = { title: 'ONE BY ONE', align: 'right', priority: 7 }

function showTopics(topics: readonly TopicPlan[], width: number): string[] {
  if (topics.length === 0) return []
  const hasAged = topics.some(({ agedRecords }) => agedRecords !== 0)
  const columns = hasAged ? [...topicColumns, agedColumn] : topicColumns
  const rows = topics.map(topic => [...topicRow(topic), ...(hasAged ? [describeAged(topic)] : [])])
  return formatTable(columns, rows, width)
}

function topicRow(topic: TopicPlan): string[] {
  return [
    topic.topic,
    String(topic.partitions),
    describeTarget(topic),
    describePath(topic),
    topic.records === null ? '?' : formatCount(topic.records),
    topic.bytes === null ? '?' : formatBytes(topic.bytes),
    topic.seconds === null ? '?' : formatSeconds(topic.seconds),
    topic.targetTopic
  ]
}

/** The share of the records that go one batch at a time. */
function describeAged({ records, agedRecords }: TopicPlan): string {
  if (records === null || agedRecords === null) return '?'
  if (agedRecords === 0) return '-'
  return `${Math.max(1, Math.round((100 * agedRecords) / records))}%`
}

function describeTarget({ target }: TopicPlan): string {
  const { action, partitions, partitionsAfter, replicationFactor } = target
  switch (action) {
    case 'create':
      return `create ${partitionsAfter} x ${replicationFactor}`
    case 'grow':
      return `grow ${partitions} to ${partitionsAfter}`
    case 'too-small':
      return `has only ${partitions}`
    case 'exists':
      return `exists ${partitions} x ${replicationFactor}`
    default:
      return action
  }
}

function describePath({ lanes, lanesByOutcome, codecs }: TopicPlan): string {
  const paths = [...new Set(lanes.map(({ path }) => path))].filter(path => path !== 'none')
  // One lane that was looked at speaks for those of its topic that were not.
  const known = paths.filter(path => path !== 'unknown')
  const shown = known.length > 0 ? known : paths
  const { stops, waits } = lanesByOutcome
  const parts = [
    ...shown.map(path => (path === 'unknown' ? 'not known' : describeCodecs(path, codecs))),
    ...(stops > 0 ? [`${stops} stop`] : []),
    ...(waits > 0 ? [`${waits} wait`] : [])
  ]
  return parts.length > 0 ? parts.join(', ') : '-'
}

function describeCodecs(path: string, codecs: readonly string[]): string {
  return codecs.length > 0 ? `${path} (${codecs.join('+')})` : path
}

function showCreatedConfigs(topics: readonly TopicPlan[]): string[] {
  const created = topics.filter(({ target }) => target.action === 'create')
  const describe = ({ target }: TopicPlan): string =>
    Object.entries(target.configs)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')
  return [...groupBy(created, describe)].map(([configs, group]) => {
    const names = someNames(group.map(({ topic }) => topic))
    return `  ${names}: ${configs === '' ? "the target's defaults" : configs}`
  })
}

const differenceColumns: readonly Column[] = [
  { title: '  TOPIC' },
  { title: 'CONFIG' },
  { title: 'SOURCE', priority: 2 },
  { title: 'TARGET', priority: 1 },
  { title: 'MEANS' }
]

function showDifferences(topics: readonly TopicPlan[], width: number): string[] {
  const rows = topics.flatMap(({ topic, configDifferences }) =>
    configDifferences.map(({ name, source, target, meaning }) => [
      `  ${topic}`,
      name,
      source,
      target,
      meaning
    ])
  )
  return rows.length > 0 ? formatTable(differenceColumns, rows, width) : []
}

function showTotals(totals: PlanTotals, rate: number): string[] {
  const { topics, topicsByAction: by, lanes, lanesByOutcome: outcomes } = totals
  const actions = [
    [by.create, 'to create'],
    [by.grow, 'to grow'],
    [by['too-small'], 'too small'],
    [by.missing, 'missing'],
    [by.refused, 'refused']
  ] as const
  const parts = actions.flatMap(([number, what]) => (number > 0 ? `${number} ${what}` : []))
  const uncounted = totals.lanesNotCounted
  const held = [
    ...(outcomes.stops > 0 ? [`${lanesOf(outcomes.stops)} would stop`] : []),
    ...(outcomes.waits > 0 ? [`${lanesOf(outcomes.waits)} would wait`] : []),
    ...(outcomes.unknown > 0 ? [`${lanesOf(outcomes.unknown)} cannot be foreseen`] : [])
  ]
  return [
    `${topics} topic${topics === 1 ? '' : 's'}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}, ${lanesOf(lanes)}, ` +
      `${formatCount(totals.records)} records, ${formatBytes(totals.bytes)} estimated: ` +
      `${formatSeconds(totals.seconds)} at an assumed ${rate} MB/s (--rate)`,
    ...(totals.heldRecords > 0
      ? [`${formatCount(totals.heldRecords)} of these records are in lanes that would stop or wait`]
      : []),
    ...(totals.agedRecords > 0
      ? [
          `${formatCount(totals.agedRecords)} of these records go one batch at a time: see the warning`
        ]
      : []),
    ...(uncounted > 0 ? [`${lanesOf(uncounted)} not in the sums: bytes or records not known`] : []),
    held.length > 0 ? held.join(', ') : 'no lane would stop'
  ]
}

function formatSeconds(seconds: number): string {
  return seconds > 0 && seconds < 1 ? 'under 1s' : formatDuration(seconds * 1_000)
}

function lanesOf(count: number): string {
  return `${count} lane${count === 1 ? '' : 's'}`
}

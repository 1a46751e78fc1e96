// What /metrics shows. The only file on prom-client.
//
// Nothing is counted here: each metric reads the mirror's state when it is scraped.

import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'
import type { LaneView, LinkState, MirrorState } from '../mirror/types.ts'
import type { BuildInfo } from './build-info.ts'

export interface Metrics {
  contentType: string
  render(): Promise<string>
}

interface Value {
  labels: Record<string, string>
  value: number
}

interface Row {
  name: string
  type: 'counter' | 'gauge'
  help: string
  /** Values that are not known are left out: unknown is not zero. */
  values: (scrape: Scrape) => Value[]
}

/** The state of one scrape, with the lanes of each link listed once. */
interface Scrape {
  state: MirrorState
  links: { state: LinkState; labels: Record<string, string>; lanes: LaneView[] }[]
}

const mostTopics = 1_000
const mostProblems = 1_000

/** `state` is undefined until the mirror exists. */
export function createMetrics(state: () => MirrorState, build: BuildInfo): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  let scrape: Scrape | undefined
  const latest = () => (scrape ??= takeScrape(state()))
  for (const row of [buildRow(build), ...rows]) register(registry, row, latest)
  return {
    contentType: registry.contentType,
    async render() {
      scrape = undefined
      return registry.metrics()
    }
  }
}

/** An object with `name` and `get()` is all that the registry asks of a metric. */
function register(
  registry: Registry,
  { name, type, help, values }: Row,
  latest: () => Scrape
): void {
  const metric = {
    name,
    get: async () => ({ name, help, type, values: values(latest()), aggregator: 'sum' })
  }
  registry.registerMetric(metric as unknown as Metric)
}

function takeScrape(state: MirrorState): Scrape {
  const links = state.links.map(link => ({
    state: link,
    labels: { source: link.source, target: link.target },
    lanes: link.lanes()
  }))
  return { state, links }
}

function buildRow(build: BuildInfo): Row {
  return {
    name: 'heliostat_build_info',
    type: 'gauge',
    help: 'What is running.',
    values: () => [{ labels: { ...build }, value: 1 }]
  }
}

type Link = Scrape['links'][number]

/** One value a link, or none when it is not known. */
function perLink(measure: (link: Link) => number | undefined): Row['values'] {
  return ({ links }) =>
    links.flatMap(link => {
      const value = measure(link)
      return value === undefined ? [] : [{ labels: link.labels, value }]
    })
}

/** One value a link for each value of a label. */
function perLabel(label: string, measure: (link: Link) => Record<string, number>): Row['values'] {
  return ({ links }) =>
    links.flatMap(link =>
      Object.entries(measure(link)).map(([name, value]) => ({
        labels: { ...link.labels, [label]: name },
        value
      }))
    )
}

/** One value a link and topic; what goes beyond the cap shares the topic `_other`. */
function perTopic(measure: (lane: LaneView) => number | undefined): Row['values'] {
  return perLabel('topic', ({ lanes }) => {
    const topics: Record<string, number> = {}
    const names = new Set<string>()
    for (const lane of lanes) {
      const value = measure(lane)
      if (value === undefined) continue
      if (names.size < mostTopics) names.add(lane.topic)
      const name = names.has(lane.topic) ? lane.topic : '_other'
      topics[name] = (topics[name] ?? 0) + value
    }
    return topics
  })
}

function total(lanes: readonly LaneView[], measure: (lane: LaneView) => number): number {
  return lanes.reduce((sum, lane) => sum + measure(lane), 0)
}

function problems({ links }: Scrape): Value[] {
  return links.flatMap(({ labels, lanes }) =>
    lanes
      .filter(({ state }) => state === 'stopped' || state === 'backing-off')
      .slice(0, mostProblems)
      .map(({ topic, partition, state, reason }) => ({
        labels: { ...labels, topic, partition: String(partition), state, reason },
        value: 1
      }))
  )
}

function pathBatches({ links }: Scrape): Value[] {
  return links.flatMap(({ labels, lanes }) => [
    {
      labels: { ...labels, path: 'shallow', reason: 'shallow' },
      value: total(lanes, lane => lane.batchesShallow)
    },
    {
      labels: { ...labels, path: 'merge', reason: 'tiny-batches' },
      value: total(lanes, lane => lane.batchesMerged)
    },
    {
      labels: { ...labels, path: 'skipped', reason: 'control' },
      value: total(lanes, lane => lane.skippedControl)
    },
    {
      labels: { ...labels, path: 'skipped', reason: 'aborted' },
      value: total(lanes, lane => lane.skippedAborted)
    },
    {
      labels: { ...labels, path: 'skipped', reason: 'empty' },
      value: total(lanes, lane => lane.skippedEmpty)
    }
  ])
}

function deliveryLevels({ lanes }: Link): Record<string, number> {
  const levels = { 'exactly-once': 0, 'at-least-once': 0 }
  for (const lane of lanes) if (lane.state !== 'revoked') levels[lane.delivery]++
  return levels
}

const rows: readonly Row[] = [
  {
    name: 'heliostat_ready',
    type: 'gauge',
    help: 'The answer of /readyz.',
    values: ({ state }) => [{ labels: {}, value: state.ready ? 1 : 0 }]
  },
  {
    name: 'heliostat_config_reload_success',
    type: 'gauge',
    help: 'Whether the last reload was taken over as a whole; absent before the first.',
    values: ({ state: { lastReload } }) =>
      lastReload === undefined ? [] : [{ labels: {}, value: lastReload.ok ? 1 : 0 }]
  },
  {
    name: 'heliostat_config_reload_timestamp_seconds',
    type: 'gauge',
    help: 'Time of the last configuration that was taken over as a whole, that of the start included.',
    values: ({ state }) => [
      { labels: {}, value: (state.lastReload?.lastOkAt ?? state.startedAt) / 1_000 }
    ]
  },
  {
    name: 'heliostat_memory_limit_bytes',
    type: 'gauge',
    help: 'Memory plan.',
    values: ({ state }) => [{ labels: { pool: 'buffers' }, value: state.budgetBytes }]
  },
  {
    name: 'heliostat_metrics_limited',
    type: 'gauge',
    help: 'Whether a cap cut series.',
    values: ({ links }) => {
      const isCut = links.some(
        ({ lanes }) => new Set(lanes.map(lane => lane.topic)).size > mostTopics
      )
      return [{ labels: {}, value: isCut ? 1 : 0 }]
    }
  },
  {
    name: 'heliostat_delivered_batches_total',
    type: 'counter',
    help: 'Batches that the target acknowledged.',
    values: perTopic(lane => lane.batchesShallow)
  },
  {
    name: 'heliostat_delivered_records_total',
    type: 'counter',
    help: 'Records that the target acknowledged.',
    values: perTopic(lane => lane.records)
  },
  {
    name: 'heliostat_delivered_bytes_total',
    type: 'counter',
    help: 'Bytes of batches that the target acknowledged.',
    values: perTopic(lane => lane.bytes)
  },
  {
    name: 'heliostat_path_batches_total',
    type: 'counter',
    help: 'Source batches by the path chosen.',
    values: pathBatches
  },
  {
    name: 'heliostat_fetch_discarded_bytes_total',
    type: 'counter',
    help: 'Bytes received for nothing.',
    values: perLink(({ state }) => state.totals.discardedBytes)
  },
  {
    name: 'heliostat_requests_total',
    type: 'counter',
    help: 'Requests sent.',
    values: perLabel('api', ({ state }) => ({
      fetch: state.totals.fetchRequests,
      produce: state.totals.produceRequests
    }))
  },
  {
    name: 'heliostat_failed_answers_total',
    type: 'counter',
    help: 'Partition answers with an error.',
    values: perLabel('api', ({ state }) => ({
      fetch: state.totals.fetchErrors,
      produce: state.totals.produceErrors
    }))
  },
  {
    name: 'heliostat_retried_batches_total',
    type: 'counter',
    help: 'Batches sent again.',
    values: perLink(({ state }) => state.totals.retriedBatches)
  },
  {
    name: 'heliostat_lanes',
    type: 'gauge',
    help: 'Lanes by state.',
    values: perLabel('state', ({ state }) => ({ ...state.lanesByState }))
  },
  {
    name: 'heliostat_lanes_by_delivery',
    type: 'gauge',
    help: 'Lanes by delivery level.',
    values: perLabel('level', deliveryLevels)
  },
  {
    name: 'heliostat_lane_problem',
    type: 'gauge',
    help: 'A lane that backs off or is stopped.',
    values: problems
  },
  {
    name: 'heliostat_lost_records_total',
    type: 'counter',
    help: 'Source offsets that were deleted before they were mirrored.',
    values: perTopic(lane => lane.lost)
  },
  {
    name: 'heliostat_lag_records',
    type: 'gauge',
    help: 'Records between the checkpoints and the readable ends.',
    values: perLink(({ state }) => state.lag)
  },
  {
    name: 'heliostat_topic_lag_records',
    type: 'gauge',
    help: 'The same by topic.',
    values: perTopic(lane => (lane.state === 'revoked' ? undefined : lane.lag))
  },
  {
    name: 'heliostat_open_transaction_seconds',
    type: 'gauge',
    help: 'How long an open transaction of the source holds back a lane, the longest; 0 before a minute.',
    values: perLink(
      ({ lanes }) =>
        lanes.reduce((most, { heldBackMs = 0 }) => Math.max(most, heldBackMs), 0) / 1_000
    )
  },
  {
    name: 'heliostat_commits_total',
    type: 'counter',
    help: 'Commits of checkpoints.',
    values: perLabel('result', ({ state }) => ({
      ok: state.commits.ok,
      failed: state.commits.failed
    }))
  },
  {
    name: 'heliostat_last_commit_timestamp_seconds',
    type: 'gauge',
    help: 'Time of the last good commit.',
    values: perLink(({ state }) => seconds(state.commits.lastOkAt))
  },
  {
    name: 'heliostat_uncommitted_records',
    type: 'gauge',
    help: 'Records acknowledged beyond the last commit.',
    values: perLink(({ lanes }) =>
      total(lanes, ({ state, checkpoint, committed }) =>
        state === 'revoked' || committed < 0 ? 0 : Math.max(0, checkpoint - committed)
      )
    )
  },
  {
    name: 'heliostat_rebalances_total',
    type: 'counter',
    help: 'Group events.',
    values: perLabel('type', ({ state }) => ({ ...state.rebalances }))
  },
  {
    name: 'heliostat_assigned_partitions',
    type: 'gauge',
    help: 'Source partitions of this process.',
    values: perLink(({ state }) => Object.values(state.lanesByState).reduce((sum, n) => sum + n, 0))
  },
  {
    name: 'heliostat_topics',
    type: 'gauge',
    help: 'Topics mirrored now.',
    values: perLink(({ state }) => state.topics)
  },
  {
    name: 'heliostat_last_discovery_timestamp_seconds',
    type: 'gauge',
    help: 'Time of the last complete look at both sides.',
    values: perLink(({ state }) => seconds(state.lastDiscoveryAt))
  },
  {
    name: 'heliostat_buffer_bytes',
    type: 'gauge',
    help: 'Bytes of Fetch answers held.',
    values: ({ links }) => [
      { labels: {}, value: links.reduce((sum, { state }) => sum + state.totals.budgetUsedBytes, 0) }
    ]
  },
  {
    name: 'heliostat_buffer_limit_bytes',
    type: 'gauge',
    help: 'The byte budget.',
    values: ({ state }) => [{ labels: {}, value: state.budgetBytes }]
  },
  {
    name: 'heliostat_bound_seconds_total',
    type: 'counter',
    help: 'Time with work, by what held it back.',
    values: perLabel('cause', ({ state }) => ({
      source: state.totals.boundBySourceMs / 1_000,
      target: state.totals.boundByTargetMs / 1_000,
      budget: state.totals.boundByBudgetMs / 1_000
    }))
  },
  {
    name: 'heliostat_throttle_seconds_total',
    type: 'counter',
    help: 'Time that brokers of both sides asked to wait (client quotas).',
    values: perLink(({ state }) => state.totals.throttledMs / 1_000)
  },
  {
    name: 'heliostat_connections',
    type: 'gauge',
    help: 'Connections to brokers of both sides.',
    values: perLink(({ state }) => state.totals.connections)
  }
]

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1_000
}

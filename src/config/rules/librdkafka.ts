// librdkafka's own names, as far as no other table has them.

import type { Setting } from '../properties-file.ts'
import { type Check, trueOrFalse } from './check.ts'
import { shapesRebuiltBatches } from './producer.ts'
import { addNote, addProblem, type Draft, type Rule, setConnection, toEngine } from './rule.ts'

const owned = 'the mirror sets this itself. Remove it'
const unsafe = 'it loads code, is a pointer or is meant for tests. Remove it'

/** Checked here as librdkafka would; it judges those without a check when the clients are made. */
const passed: Readonly<Record<string, Check | undefined>> = {
  'message.max.bytes': { min: 1_000, max: 1_000_000_000 },
  'receive.message.max.bytes': { min: 1_000, max: 2_147_483_647 },
  'topic.metadata.refresh.fast.interval.ms': { min: 1, max: 60_000, set: '100, the default' },
  'topic.metadata.refresh.fast.cnt': { min: 0, max: 1_000 },
  'topic.metadata.refresh.sparse': trueOrFalse,
  'topic.metadata.propagation.max.ms': { min: 0, max: 3_600_000 },
  debug: undefined,
  'socket.blocking.max.ms': { min: 1, max: 60_000 },
  'socket.keepalive.enable': trueOrFalse,
  'socket.nagle.disable': trueOrFalse,
  'socket.max.fails': { min: 0, max: 1_000_000 },
  'broker.address.ttl': { min: 0, max: 86_400_000 },
  'broker.address.family': { oneOf: ['any', 'v4', 'v6'] },
  'reconnect.backoff.jitter.ms': { min: 0, max: 3_600_000 },
  log_level: { min: 0, max: 7 },
  'log.thread.name': trueOrFalse,
  'log.connection.close': trueOrFalse,
  'enable.random.seed': trueOrFalse,
  'api.version.request': trueOrFalse,
  'api.version.request.timeout.ms': { min: 1, max: 300_000 },
  'api.version.fallback.ms': { min: 0, max: 604_800_000 },
  'broker.version.fallback': { form: /^\d+(?:\.\d+)+$/, expected: 'a version', set: '0.10.0' },
  'ssl.curves.list': undefined,
  'ssl.sigalgs.list': undefined,
  'ssl.ca.certificate.stores': undefined
}

const ownedByMirror = [
  'enable.auto.offset.store',
  'enable.partition.eof',
  'offset.store.*',
  'statistics.interval.ms',
  'produce.offset.report',
  'queuing.strategy',
  'enable.gapless.guarantee',
  'delivery.report.only.error'
]

const codeOrPointers = [
  'plugin.library.paths',
  'interceptors',
  'ssl.engine.*',
  'ssl.providers',
  'ssl_*',
  'opaque',
  'default_topic_conf',
  'msg_order_cmp',
  'enabled_events',
  'log.queue',
  'internal.termination.signal',
  'builtin.features',
  'test.mock.*',
  'error_cb',
  'throttle_cb',
  'stats_cb',
  'log_cb',
  'background_event_cb',
  'socket_cb',
  'connect_cb',
  'closesocket_cb',
  'open_cb',
  'resolve_cb',
  'ssl.certificate.verify_cb',
  'oauthbearer_token_refresh_cb',
  'consume_cb',
  'rebalance_cb',
  'offset_commit_cb',
  'dr_cb',
  'dr_msg_cb',
  'partitioner_cb'
]

const sourceOnly: readonly Rule[] = [
  { name: 'fetch.message.max.bytes', action: 'rename', to: 'max.partition.fetch.bytes' },
  {
    name: 'queued.max.messages.kbytes',
    action: 'translate',
    check: { min: 1_024, max: 2_097_151 },
    use: translateKilobytes
  },
  recordLimit('queued.min.messages', { min: 1, max: 10_000_000 }),
  {
    name: 'coordinator.query.interval.ms',
    action: 'pass',
    part: 'group',
    check: { min: 1, max: 3_600_000, set: '600000, the default' }
  },
  { name: 'group.protocol.type', action: 'pass', part: 'group' },
  { name: 'fetch.error.backoff.ms', action: 'ignore' },
  { name: 'fetch.queue.backoff.ms', action: 'ignore' },
  { name: 'consume.callback.max.messages', action: 'ignore' }
]

const targetOnly: readonly Rule[] = [
  { name: 'max.in.flight', action: 'rename', to: 'max.in.flight.requests.per.connection' },
  { name: 'message.send.max.retries', action: 'rename', to: 'retries' },
  { name: 'message.timeout.ms', action: 'rename', to: 'delivery.timeout.ms' },
  { name: 'queue.buffering.max.ms', action: 'rename', to: 'linger.ms' },
  { name: 'queue.buffering.max.kbytes', action: 'translate', to: 'buffer.memory', read: toBytes },
  recordLimit('queue.buffering.max.messages', { min: 1, max: 2_147_483_647 }),
  shapesRebuiltBatches('batch.num.messages', { min: 1, max: 1_000_000 }),
  shapesRebuiltBatches('compression.level', { min: -1, max: 12 }, (value, { compression }) => {
    compression.level = Number(value)
  }),
  { name: 'partitioner', action: 'ignore', note: 'the partition of a record is kept' },
  { name: 'sticky.partitioning.linger.ms', action: 'ignore' },
  { name: 'queue.buffering.backpressure.threshold', action: 'ignore' }
]

export const librdkafkaRules: readonly Rule[] = [
  ...Object.entries(passed).map(
    ([name, check]): Rule => (check ? { name, action: 'pass', check } : { name, action: 'pass' })
  ),
  {
    name: 'topic.metadata.refresh.interval.ms',
    action: 'pass',
    check: { min: -1, max: 3_600_000 },
    use: useRefresh
  },
  ...sourceOnly.map((row): Rule => ({ ...row, side: 'source' })),
  ...targetOnly.map((row): Rule => ({ ...row, side: 'target' })),
  ...ownedByMirror.map((name): Rule => ({ name, action: 'refuse', note: owned })),
  ...codeOrPointers.map((name): Rule => ({ name, action: 'refuse', note: unsafe })),
  { name: 'topic.blacklist', action: 'refuse', note: 'set --exclude instead' },
  { name: 'message.copy.max.bytes', action: 'ignore' }
]

/** Records that may be held, beside the byte budget. The option --queue.size is stronger. */
function recordLimit(name: string, check: Check): Rule {
  return {
    name,
    action: 'translate',
    check: { ...check, set: 'a count of records' },
    use: (setting, draft) => {
      toEngine('maxHeldRecords')(setting, draft)
      const what = 'records held at most, beside the byte budget'
      addNote(draft, 'info', setting, `${setting.value} read as --queue.size: ${what}`)
    }
  }
}

function translateKilobytes(setting: Setting, draft: Draft): void {
  const bytes = Number(setting.value) * 1_024
  toEngine('budgetBytes')({ ...setting, value: String(bytes) }, draft)
  addNote(draft, 'info', setting, `read as a byte budget of ${bytes}`)
}

function toBytes(value: string): string | undefined {
  return /^\d+$/.test(value) ? String(Number(value) * 1_024) : undefined
}

function useRefresh(setting: Setting, draft: Draft): void {
  if (setting.value !== '0') return setConnection(draft, setting, setting.name, setting.value)
  addProblem(
    draft,
    setting,
    'new leaders would be looked for without a pause. Set 300000, the default'
  )
}

// Settings of the consumer file, which describes the source.

import type { Isolation } from '../../native/index.ts'
import type { Setting } from '../properties-file.ts'
import { addNote, addProblem, type Draft, type Rule, toEngine, trueOrFalse } from './rule.ts'

const startPositions = {
  earliest: 'earliest',
  beginning: 'earliest',
  smallest: 'earliest',
  latest: 'latest',
  end: 'latest',
  largest: 'latest',
  none: 'none',
  error: 'none'
} as const

const rows: readonly Rule[] = [
  { name: 'group.id', action: 'pass', part: 'group' },
  { name: 'group.instance.id', action: 'pass', part: 'group' },
  {
    name: 'group.protocol',
    action: 'pass',
    part: 'group',
    check: { oneOf: ['classic', 'consumer'] }
  },
  { name: 'group.remote.assignor', action: 'pass', part: 'group' },
  { name: 'session.timeout.ms', action: 'pass', part: 'group', check: { min: 1, max: 3_600_000 } },
  {
    name: 'heartbeat.interval.ms',
    action: 'pass',
    part: 'group',
    check: { min: 1, max: 3_600_000 }
  },
  {
    name: 'max.poll.interval.ms',
    action: 'pass',
    part: 'group',
    check: { min: 1, max: 86_400_000 }
  },
  { name: 'partition.assignment.strategy', action: 'translate', translate: translateStrategy },
  {
    name: 'auto.offset.reset',
    action: 'translate',
    check: { oneOf: Object.keys(startPositions) },
    translate: ({ value }, draft) => {
      draft.autoOffsetReset = startPositions[value as keyof typeof startPositions]
    }
  },
  {
    name: 'enable.auto.commit',
    action: 'translate',
    check: trueOrFalse,
    translate: (setting, draft) => {
      if (setting.value !== 'true') return
      addNote(draft, 'warn', setting, 'true read as false: only checkpoints are committed')
    }
  },
  {
    name: 'auto.commit.interval.ms',
    action: 'translate',
    check: { min: 100, max: 3_600_000 },
    translate: (setting, draft) => {
      draft.commitIntervalMs = Number(setting.value)
      addNote(draft, 'info', setting, `read as --offset.commit.interval.ms ${setting.value}`)
    }
  },
  {
    name: 'isolation.level',
    action: 'translate',
    check: { oneOf: ['read_committed', 'read_uncommitted'] },
    translate: ({ value }, draft) => {
      draft.engine.isolation = value as Isolation
    }
  },
  {
    name: 'check.crcs',
    action: 'translate',
    check: trueOrFalse,
    translate: (setting, draft) => {
      if (setting.value !== 'true') return
      addNote(
        draft,
        'info',
        setting,
        'the target checks each batch: its CRC is patched, never made anew'
      )
    }
  },
  {
    name: 'fetch.min.bytes',
    action: 'translate',
    check: { min: 0, max: 100_000_000 },
    translate: ({ value }, draft) => {
      draft.engine.fetchMinBytes = Math.max(1, Number(value))
    }
  },
  {
    name: 'fetch.max.bytes',
    action: 'translate',
    check: { min: 1_024, max: 2_147_483_135 },
    translate: toEngine('fetchMaxBytes')
  },
  {
    name: 'max.partition.fetch.bytes',
    action: 'translate',
    check: { min: 1_024, max: 1_000_000_000 },
    translate: toEngine('maxPartitionFetchBytes')
  },
  { name: 'fetch.max.wait.ms', action: 'rename', to: 'fetch.wait.max.ms' },
  {
    name: 'fetch.wait.max.ms',
    action: 'translate',
    check: { min: 0, max: 30_000 },
    translate: toEngine('fetchMaxWaitMs')
  },
  { name: 'fetch.message.max.bytes', action: 'rename', to: 'max.partition.fetch.bytes' },
  { name: 'max.poll.records', action: 'ignore' },
  {
    name: 'exclude.internal.topics',
    action: 'translate',
    check: trueOrFalse,
    translate: (setting, draft) => {
      if (setting.value !== 'false') return
      addNote(
        draft,
        'warn',
        setting,
        "false read as true: Kafka's internal topics are never mirrored"
      )
    }
  },
  {
    name: 'allow.auto.create.topics',
    action: 'translate',
    check: trueOrFalse,
    translate: (setting, draft) => {
      if (setting.value !== 'true') return
      addNote(
        draft,
        'info',
        setting,
        'true read as false: a mirror does not create topics at its source'
      )
    }
  },
  { name: 'key.deserializer', action: 'ignore', note: 'bytes are mirrored as they are' },
  { name: 'value.deserializer', action: 'ignore', note: 'bytes are mirrored as they are' },
  { name: 'share.acknowledgement.mode', action: 'ignore' },
  {
    name: 'queued.max.messages.kbytes',
    action: 'translate',
    check: { min: 1_024, max: 2_097_151 },
    translate: translateQueue
  },
  {
    name: 'queued.min.messages',
    action: 'refuse',
    note: 'memory is bounded in bytes. Set queued.max.messages.kbytes'
  },
  {
    name: 'coordinator.query.interval.ms',
    action: 'pass',
    part: 'group',
    check: { min: 1, max: 3_600_000 }
  },
  { name: 'group.protocol.type', action: 'pass', part: 'group' },
  { name: 'fetch.error.backoff.ms', action: 'ignore' },
  { name: 'fetch.queue.backoff.ms', action: 'ignore' },
  { name: 'consume.callback.max.messages', action: 'ignore' },
  { name: 'auto.commit.enable', action: 'rename', to: 'enable.auto.commit' },
  {
    name: 'consumer.timeout.ms',
    action: 'ignore',
    note: 'for a run that ends, use --until-caught-up'
  },
  { name: 'socket.timeout.ms', action: 'pass', check: { min: 10, max: 300_000 } },
  {
    name: 'zookeeper.connect',
    action: 'refuse',
    note: 'offsets kept in ZooKeeper are not read. Set bootstrap.servers, and auto.offset.reset for the start'
  }
]

export const consumerRules: readonly Rule[] = rows.map(row => ({ ...row, side: 'source' }))

function translateStrategy(setting: Setting, draft: Draft): void {
  const own = setting.value
    .split(',')
    .map(name => name.trim())
    .find(name => name.includes('.') && !name.startsWith('org.apache.kafka.clients.consumer.'))
  if (own !== undefined) {
    return addProblem(draft, setting, `the Java class ${own} cannot run here. Remove it`)
  }
  if (setting.value === 'cooperative-sticky') return
  addNote(draft, 'info', setting, `${setting.value} read as cooperative-sticky`)
}

function translateQueue(setting: Setting, draft: Draft): void {
  draft.engine.budgetBytes = Number(setting.value) * 1_024
  addNote(draft, 'info', setting, `read as a byte budget of ${draft.engine.budgetBytes}`)
}

// Settings of the consumer file, which describes the source.

import type { Isolation } from '../../native/index.ts'
import type { Setting } from '../properties-file.ts'
import { trueOrFalse } from './check.ts'
import { addNote, addProblem, type Draft, type Rule, setEngine, toEngine } from './rule.ts'

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
    check: { min: 1, max: 3_600_000, set: '3000, the default' }
  },
  {
    name: 'max.poll.interval.ms',
    action: 'pass',
    part: 'group',
    check: { min: 1, max: 86_400_000, set: '300000, the default' }
  },
  { name: 'partition.assignment.strategy', action: 'translate', use: translateStrategy },
  {
    name: 'auto.offset.reset',
    action: 'translate',
    check: { oneOf: Object.keys(startPositions), expected: 'earliest, latest or none' },
    use: (setting, draft) => {
      const position = startPositions[setting.value as keyof typeof startPositions]
      draft.autoOffsetReset = position
      if (position === setting.value) return
      addNote(draft, 'info', setting, `${setting.value} read as ${position}`)
    }
  },
  {
    name: 'enable.auto.commit',
    action: 'translate',
    check: trueOrFalse,
    use: (setting, draft) => {
      if (setting.value !== 'true') return
      addNote(draft, 'warn', setting, 'true read as false: only checkpoints are committed')
    }
  },
  {
    name: 'auto.commit.interval.ms',
    action: 'translate',
    check: { min: 100, max: 3_600_000, set: '5000, the default' },
    use: (setting, draft) => {
      draft.commitIntervalMs = Number(setting.value)
      addNote(draft, 'info', setting, `read as --offset.commit.interval.ms ${setting.value}`)
    }
  },
  {
    name: 'isolation.level',
    action: 'pass',
    check: { oneOf: ['read_committed', 'read_uncommitted'] },
    use: (setting, draft) => setEngine(draft, setting, 'isolation', setting.value as Isolation)
  },
  {
    name: 'check.crcs',
    action: 'pass',
    check: trueOrFalse,
    use: (setting, draft) => {
      if (setting.value !== 'true') return
      const what = 'the target checks each batch: its CRC is patched, never made anew'
      addNote(draft, 'info', setting, what)
    }
  },
  {
    name: 'fetch.min.bytes',
    action: 'pass',
    check: { min: 0, max: 100_000_000 },
    use: (setting, draft) =>
      setEngine(draft, setting, 'fetchMinBytes', Math.max(1, Number(setting.value)))
  },
  {
    name: 'fetch.max.bytes',
    action: 'pass',
    check: { min: 1_024, max: 2_147_483_135 },
    use: toEngine('fetchMaxBytes')
  },
  {
    name: 'max.partition.fetch.bytes',
    action: 'pass',
    check: { min: 1_024, max: 1_000_000_000 },
    use: toEngine('maxPartitionFetchBytes')
  },
  { name: 'fetch.max.wait.ms', action: 'rename', to: 'fetch.wait.max.ms' },
  {
    name: 'fetch.wait.max.ms',
    action: 'pass',
    check: { min: 0, max: 300_000 },
    use: toEngine('fetchMaxWaitMs')
  },
  { name: 'max.poll.records', action: 'ignore', note: 'the byte budget bounds the memory' },
  {
    name: 'exclude.internal.topics',
    action: 'translate',
    check: trueOrFalse,
    use: (setting, draft) => {
      if (setting.value !== 'false') return
      const what = "false read as true: Kafka's internal topics are never mirrored"
      addNote(draft, 'warn', setting, what)
    }
  },
  {
    name: 'allow.auto.create.topics',
    action: 'translate',
    check: trueOrFalse,
    use: (setting, draft) => {
      if (setting.value !== 'true') return
      const what = 'true read as false: a mirror does not create topics at its source'
      addNote(draft, 'info', setting, what)
    }
  },
  deserializer('key.deserializer'),
  deserializer('value.deserializer'),
  { name: 'share.acknowledgement.mode', action: 'ignore' }
]

export const consumerRules: readonly Rule[] = rows.map(row => ({ ...row, side: 'source' }))

function deserializer(name: string): Rule {
  return {
    name,
    action: 'ignore',
    note: 'bytes are mirrored as they are',
    silentWhen: value => value.endsWith('.ByteArrayDeserializer')
  }
}

const strategies: ReadonlySet<string> = new Set([
  'range',
  'roundrobin',
  'sticky',
  'cooperative-sticky'
])

function translateStrategy(setting: Setting, draft: Draft): void {
  const foreign = setting.value
    .split(',')
    .map(name => name.trim())
    .find(name => !strategies.has(name) && !name.startsWith('org.apache.kafka.clients.consumer.'))
  if (foreign !== undefined) {
    const what = `the Java class ${foreign} cannot run here`
    return addProblem(draft, setting, `${what}. Remove it: cooperative-sticky is used`)
  }
  if (setting.value === 'cooperative-sticky') return
  addNote(draft, 'info', setting, `${setting.value} read as cooperative-sticky`)
}

// Settings of the producer file, which describes the target.

import { type Codec, codecs } from '../../batches/codec.ts'
import type { Setting } from '../properties-file.ts'
import { type Check, trueOrFalse } from './check.ts'
import { oldProducerName } from './old-names.ts'
import {
  addNote,
  addProblem,
  type Draft,
  type Rule,
  refuseForeignClass,
  setEngine,
  toEngine
} from './rule.ts'

const rebuiltOnly = 'batches pass as the source holds them; this applies to rebuilt batches only'

/** A batch that passes keeps its size, codec and level. */
export function shapesRebuiltBatches(
  name: string,
  check: Check,
  take?: (value: string, draft: Draft) => void
): Rule {
  return {
    name,
    action: 'translate',
    check,
    use: (setting, draft) => {
      take?.(setting.value, draft)
      addNote(draft, 'info', setting, rebuiltOnly)
    }
  }
}

const rows: readonly Rule[] = [
  {
    name: 'acks',
    action: 'translate',
    check: { oneOf: ['all', '-1', '0', '1'], expected: 'all, -1, 0 or 1', set: 'all' },
    use: (setting, draft) => {
      if (setting.value !== '0' && setting.value !== '1') return
      addNote(draft, 'info', setting, `${setting.value} raised to all`)
    }
  },
  { name: 'enable.idempotence', action: 'pass', check: trueOrFalse, use: useIdempotence },
  {
    name: 'max.in.flight.requests.per.connection',
    action: 'translate',
    check: { min: 1, max: 5, set: '5, the default' },
    use: (setting, draft) => {
      setEngine(draft, setting, 'maxInFlight', Number(setting.value))
      if (setting.value !== '1') return
      addNote(draft, 'info', setting, '5 keeps the order too and is faster over a distance')
    }
  },
  { name: 'retries', action: 'ignore' },
  { name: 'delivery.timeout.ms', action: 'ignore' },
  { name: 'max.block.ms', action: 'ignore' },
  {
    name: 'buffer.memory',
    action: 'translate',
    check: { min: 1_048_576, max: 1_099_511_627_776, set: '134217728' },
    use: translateBudget
  },
  {
    name: 'batch.size',
    action: 'translate',
    check: { min: 0, max: 2_147_483_647 },
    use: translateBatchSize
  },
  shapesRebuiltBatches('linger.ms', { min: 0, max: 900_000 }),
  shapesRebuiltBatches('compression.type', { oneOf: codecs }, (value, { compression }) => {
    compression.codec = value as Codec
  }),
  levelOf('gzip', { min: -1, max: 9 }),
  levelOf('lz4', { min: 1, max: 17 }),
  levelOf('zstd', { min: -131_072, max: 22 }),
  {
    name: 'max.request.size',
    action: 'translate',
    check: { min: 1_024, max: 1_000_000_000, set: '1048576, the default' },
    use: toEngine('maxRequestBytes')
  },
  {
    name: 'partitioner.class',
    action: 'ignore',
    note: 'the partition of a record is kept',
    refuseWhen: refuseForeignClass('The partition of a record is kept. Remove it')
  },
  {
    name: 'partitioner.ignore.keys',
    action: 'ignore',
    refuseWhen: value =>
      value === 'true' ? 'the partition of a record is kept. Remove it' : undefined
  },
  { name: 'partitioner.adaptive.partitioning.enable', action: 'ignore' },
  { name: 'partitioner.availability.timeout.ms', action: 'ignore' },
  {
    name: 'transactional.id',
    action: 'refuse',
    note: 'the mirror writes without transactions, under a producer id of its own. Remove it'
  },
  { name: 'transaction.timeout.ms', action: 'ignore' },
  { name: 'transaction.two.phase.commit.enable', action: 'ignore' },
  serializer('key.serializer'),
  serializer('value.serializer')
]

export const producerRules: readonly Rule[] = rows.map(row => ({ ...row, side: 'target' }))

function levelOf(codec: Codec, check: Check): Rule {
  return shapesRebuiltBatches(`compression.${codec}.level`, check, (value, { compression }) => {
    compression.levels[codec] = Number(value)
  })
}

function serializer(name: string): Rule {
  return {
    name,
    action: 'ignore',
    note: 'bytes are mirrored as they are',
    silentWhen: value => value.endsWith('.ByteArraySerializer')
  }
}

function useIdempotence(setting: Setting, draft: Draft): void {
  setEngine(draft, setting, 'idempotent', setting.value === 'true')
  if (setting.value === 'true') return
  const what = 'plain at-least-once, one batch of a partition on its way at a time'
  const risk = 'a batch whose answer is lost may be on the target twice'
  addNote(draft, 'warn', setting, `false: ${what}; ${risk}`)
}

// Kafka 0.7 counted records where later versions count bytes.
function translateBatchSize(setting: Setting, draft: Draft): void {
  const old = oldProducerName(draft)
  if (old !== undefined) {
    const what = `${setting.value} read as batch.num.messages, as ${old} is Kafka 0.7's`
    return addNote(draft, 'info', setting, `${what}; ${rebuiltOnly}`)
  }
  if (Number(setting.value) < 1_000) {
    const what = 'bytes or records? Set batch.num.messages, or batch.size in bytes'
    return addProblem(draft, setting, what)
  }
  const isJavas = setting.value === '16384'
  const hint = isJavas ? "; 16384, Java's default, is small for those: 1000000 suits them" : ''
  addNote(draft, isJavas ? 'warn' : 'info', setting, rebuiltOnly + hint)
}

function translateBudget(setting: Setting, draft: Draft): void {
  const bytes = Number(setting.value)
  setEngine(draft, setting, 'budgetBytes', bytes)
  const hint = bytes < 128 * 1_048_576 ? '; a fast link wants 134217728 or more' : ''
  addNote(draft, 'info', setting, `read as a byte budget of ${bytes}${hint}`)
}

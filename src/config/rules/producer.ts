// Settings of the producer file, which describes the target.

import type { Setting } from '../properties-file.ts'
import {
  addNote,
  addProblem,
  type Check,
  type Draft,
  type Rule,
  refuseForeignClass,
  toEngine,
  trueOrFalse
} from './rule.ts'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** A batch keeps its size, codec and level on its way, so these have nothing to shape yet. */
function shapesRebuiltBatches(name: string, check: Check): Rule {
  return {
    name,
    action: 'translate',
    check,
    translate: (setting, draft) => {
      const what = 'batches pass as the source holds them; this applies to rebuilt batches only'
      addNote(draft, 'info', setting, what)
    }
  }
}

const rows: readonly Rule[] = [
  {
    name: 'acks',
    action: 'translate',
    check: { oneOf: ['all', '-1', '0', '1'] },
    translate: (setting, draft) => {
      if (setting.value !== '0' && setting.value !== '1') return
      addNote(draft, 'info', setting, `${setting.value} raised to all`)
    }
  },
  { name: 'request.required.acks', action: 'rename', to: 'acks' },
  {
    name: 'enable.idempotence',
    action: 'translate',
    check: trueOrFalse,
    translate: (setting, draft) => {
      if (setting.value !== 'false') return
      addProblem(
        draft,
        setting,
        'a mirror writes with a producer id, or it could double records. Remove it'
      )
    }
  },
  {
    name: 'max.in.flight.requests.per.connection',
    action: 'translate',
    check: { min: 1, max: 5 },
    translate: (setting, draft) => {
      draft.engine.maxInFlight = Number(setting.value)
      if (setting.value !== '1') return
      addNote(draft, 'info', setting, '5 keeps the order too and is faster over a distance')
    }
  },
  { name: 'max.in.flight', action: 'rename', to: 'max.in.flight.requests.per.connection' },
  { name: 'retries', action: 'ignore' },
  { name: 'message.send.max.retries', action: 'ignore' },
  { name: 'delivery.timeout.ms', action: 'ignore' },
  { name: 'message.timeout.ms', action: 'ignore' },
  { name: 'max.block.ms', action: 'ignore' },
  {
    name: 'buffer.memory',
    action: 'translate',
    check: { min: 1_048_576, max: 1_099_511_627_776 },
    translate: translateBudget
  },
  {
    name: 'queue.buffering.max.kbytes',
    action: 'translate',
    check: { min: 1_024, max: 1_073_741_824 },
    translate: translateKilobytes
  },
  {
    name: 'queue.buffering.max.messages',
    action: 'refuse',
    note: 'memory is bounded in bytes. Set buffer.memory'
  },
  {
    name: 'batch.size',
    action: 'translate',
    check: { min: 0, max: 2_147_483_647 },
    translate: (setting, draft) => {
      if (Number(setting.value) < 1_000) {
        return addProblem(
          draft,
          setting,
          'bytes or records? Set batch.num.messages, or batch.size in bytes'
        )
      }
      addNote(
        draft,
        'info',
        setting,
        'batches pass as the source holds them; this applies to rebuilt batches only'
      )
    }
  },
  shapesRebuiltBatches('batch.num.messages', { min: 1, max: 1_000_000 }),
  shapesRebuiltBatches('linger.ms', { min: 0, max: 900_000 }),
  { name: 'queue.buffering.max.ms', action: 'rename', to: 'linger.ms' },
  shapesRebuiltBatches('compression.type', { oneOf: codecs }),
  { name: 'compression.codec', action: 'rename', to: 'compression.type' },
  shapesRebuiltBatches('compression.gzip.level', { min: -1, max: 9 }),
  shapesRebuiltBatches('compression.lz4.level', { min: 1, max: 17 }),
  shapesRebuiltBatches('compression.zstd.level', { min: -131_072, max: 22 }),
  shapesRebuiltBatches('compression.level', { min: -1, max: 12 }),
  {
    name: 'max.request.size',
    action: 'translate',
    check: { min: 1_024, max: 1_000_000_000 },
    translate: toEngine('maxRequestBytes')
  },
  {
    name: 'partitioner.class',
    action: 'ignore',
    refuseWhen: refuseForeignClass('The partition of a record is kept. Remove it')
  },
  {
    name: 'partitioner.ignore.keys',
    action: 'ignore',
    refuseWhen: value =>
      value === 'true' ? 'the partition of a record is kept. Remove it' : undefined
  },
  { name: 'partitioner', action: 'ignore' },
  { name: 'partitioner.adaptive.partitioning.enable', action: 'ignore' },
  { name: 'partitioner.availability.timeout.ms', action: 'ignore' },
  {
    name: 'transactional.id',
    action: 'refuse',
    note: 'the mirror writes without transactions, under a producer id of its own. Remove it'
  },
  { name: 'transaction.timeout.ms', action: 'ignore' },
  { name: 'transaction.two.phase.commit.enable', action: 'ignore' },
  { name: 'key.serializer', action: 'ignore', note: 'bytes are mirrored as they are' },
  { name: 'value.serializer', action: 'ignore', note: 'bytes are mirrored as they are' },
  { name: 'sticky.partitioning.linger.ms', action: 'ignore' },
  { name: 'queue.buffering.backpressure.threshold', action: 'ignore' },
  { name: 'producer.type', action: 'ignore' },
  { name: 'socket.timeout.ms', action: 'pass', check: { min: 10, max: 300_000 } }
]

export const producerRules: readonly Rule[] = rows.map(row => ({ ...row, side: 'target' }))

function translateBudget(setting: Setting, draft: Draft): void {
  const bytes = Number(setting.value)
  draft.engine.budgetBytes = bytes
  addNote(draft, 'info', setting, `read as a byte budget of ${bytes}`)
  if (bytes >= 128 * 1_048_576) return
  addNote(draft, 'info', setting, 'a fast link wants 134217728 or more')
}

function translateKilobytes(setting: Setting, draft: Draft): void {
  translateBudget({ ...setting, value: String(Number(setting.value) * 1_024) }, draft)
}

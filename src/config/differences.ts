// Says what is otherwise than with MirrorMaker, from what the files and flags of this run really say.

import type { CreationPolicy } from '../mirror/types.ts'
import type { Explained } from './explain.ts'
import type { RunOptions } from './options.ts'
import type { Draft, Given } from './rules/rule.ts'

export interface Run extends Explained {
  creation: CreationPolicy
  options: RunOptions
}

/** One short sentence each: what is stronger, ignored, set otherwise, and what becomes of a refused batch. */
export function describeDifferences(run: Run): string[] {
  return [
    ...stronger(run),
    ...ignored(run),
    ...defaulted(run),
    refusedBatch(run),
    ...shape(run),
    ...topics(run.creation)
  ]
}

function stronger({ links, target }: Run): string[] {
  const { given } = target.draft
  const acks = given.get('acks')
  const isRaised = acks?.value === '0' || acks?.value === '1'
  const idempotence = given.get('enable.idempotence')
  const isIdempotent = links.every(({ config }) => config.link.idempotent)
  return [
    isRaised
      ? `acks=all in place of ${named(acks)}: a batch counts once all in-sync replicas have it.`
      : 'acks=all: a batch counts once all in-sync replicas have it.',
    isIdempotent
      ? 'Batches carry sequence numbers (enable.idempotence): one that is sent again is not written twice.'
      : `${named(idempotence)}: a batch whose answer is lost may be written twice.`,
    ...links.flatMap(({ draft }) => {
      const commit = draft.given.get('enable.auto.commit')
      if (commit?.value.toLowerCase() !== 'true') return []
      return [`${named(commit)} has no effect: only what the target acknowledged is committed.`]
    })
  ]
}

function ignored({ target }: Run): string[] {
  const found = givenOf(target.draft, [
    'retries',
    'num.retries',
    'delivery.timeout.ms',
    'max.block.ms'
  ])
  const always = 'A batch is sent again until it is acknowledged; no time-out drops it.'
  if (found.length === 0) return [always]
  return [`${always} Without effect: ${found.map(named).join(', ')}.`]
}

function defaulted({ links, originOf }: Run): string[] {
  const told = new Set<string>()
  for (const { draft, config } of links) {
    if (!draft.given.has('auto.offset.reset'))
      told.add(
        'A partition without a committed offset starts at its earliest record, not at the latest.'
      )
    if (!draft.given.has('isolation.level') && originOf('isolation') === undefined)
      told.add(
        'Records of open and aborted transactions are left out (isolation.level=read_committed).'
      )
    const isSet = draft.given.has('auto.commit.interval.ms')
    if (!isSet && originOf('offset.commit.interval.ms') === undefined)
      told.add(`Offsets are committed every ${config.commitIntervalMs / 1_000} s, not every 60 s.`)
  }
  return [...told]
}

function refusedBatch({ options }: Run): string {
  return options['abort.on.send.failure']
    ? 'A batch that the target refuses for good ends the run with exit code 1; none is skipped.'
    : 'A batch that the target refuses for good stops its partition alone; the others go on, and none is skipped. With --abort.on.send.failure true the run ends with exit code 1.'
}

const compression = [
  'compression.type',
  'compression.gzip.level',
  'compression.lz4.level',
  'compression.zstd.level',
  'compression.level'
]
const shaping = ['batch.size', 'batch.num.messages', 'linger.ms']

function shape({ target, codecs }: Run): string[] {
  const kept = 'Batches keep the size and codec that they have at the source'
  const but = codecs.recompress.length === 0 ? '' : ', but for what --recompress asks'
  const written = givenOf(target.draft, compression)
  const found = givenOf(target.draft, shaping)
  const parts = [
    `${kept}${but}`,
    ...(written.length === 0
      ? []
      : [`only batches that the mirror rebuilds go by ${written.map(named).join(', ')}`]),
    ...(found.length === 0
      ? []
      : [`${found.map(named).join(', ')} would shape only batches that the mirror rebuilds`])
  ]
  return [`${parts.join('; ')}.`]
}

function topics({ create, replicationFactor }: CreationPolicy): string[] {
  const partitions = 'A record keeps its partition number; keys are not hashed again.'
  if (!create) return [partitions]
  const replicas = replicationFactor === undefined ? '' : ` and ${replicationFactor} replicas`
  return [
    partitions,
    `Topics that the target lacks are created with the source's partition count${replicas}.`
  ]
}

function givenOf(draft: Draft, names: readonly string[]): Given[] {
  return names.flatMap(name => draft.given.get(name) ?? [])
}

/** As the user wrote it, with its place. */
function named(given: Given | undefined): string {
  if (!given) return ''
  const { name, value, origin } = given.written
  return `${name}=${value} (${origin})`
}

// Says of every value that a run would use where it comes from.

import type { LinkConfig, LinkSettings, TargetConfig } from '../mirror/types.ts'
import type { Properties } from '../native/index.ts'
import type { CodecSettings } from '../topics/codec-rules.ts'
import type { OptionName } from './options.ts'
import { redactValue } from './redact.ts'
import type { Draft, Part, Side } from './rules/rule.ts'

/** One value that a run would use, with where it comes from: for `config print`. Secrets are masked. */
export interface ExplainedValue {
  /** Alias of the cluster. */
  cluster: string
  side: Side
  /** `connection`: every client of the cluster; `group`: membership; `engine`: the mirror itself. */
  part: Part | 'engine'
  name: string
  value: string
  /** `file:line`, a flag, a variable, or `default`. */
  origin: string
}

/** The flag or variable that gave an option, or undefined. */
export type OptionOrigin = (name: OptionName) => string | undefined

export interface Explained {
  codecs: CodecSettings
  links: readonly { draft: Draft; config: LinkConfig }[]
  target: { draft: Draft; config: TargetConfig }
  originOf: OptionOrigin
}

interface EngineRow {
  /** As a file or a flag calls it. */
  name: string
  side: Side
  option?: OptionName
  /** Both files may name it; the target's counts. */
  isInBoth?: true
  /** The value as the option has it. */
  show?: (link: LinkSettings) => string
}

const engineRows: Readonly<Record<keyof LinkSettings, EngineRow>> = {
  streams: { name: 'num.streams', side: 'source', option: 'num.streams' },
  isolation: { name: 'isolation.level', side: 'source', option: 'isolation' },
  fetchMinBytes: { name: 'fetch.min.bytes', side: 'source' },
  fetchMaxBytes: { name: 'fetch.max.bytes', side: 'source' },
  maxPartitionFetchBytes: { name: 'max.partition.fetch.bytes', side: 'source' },
  fetchMaxWaitMs: { name: 'fetch.max.wait.ms', side: 'source' },
  clientRack: { name: 'client.rack', side: 'source' },
  skipGaps: {
    name: 'on-gap',
    side: 'source',
    option: 'on-gap',
    show: ({ skipGaps }) => (skipGaps ? 'skip' : 'stop')
  },
  merge: {
    name: 'merge',
    side: 'target',
    option: 'merge',
    show: ({ merge }) => (merge ? 'auto' : 'off')
  },
  producers: { name: 'num.producers', side: 'target', option: 'num.producers' },
  budgetBytes: { name: 'buffer.memory', side: 'target', isInBoth: true },
  maxRequestBytes: { name: 'max.request.size', side: 'target' },
  maxInFlight: { name: 'max.in.flight.requests.per.connection', side: 'target' },
  requestTimeoutMs: { name: 'request.timeout.ms', side: 'target' },
  idempotent: { name: 'enable.idempotence', side: 'target' },
  maxHeldRecords: { name: 'queue.size', side: 'target', option: 'queue.size', isInBoth: true }
}

export function explain(explained: Explained): ExplainedValue[] {
  const { links, target, originOf } = explained
  const perLink = links.flatMap(({ draft, config }) => [
    ...explainProperties(draft, 'connection', config.source.alias, config.source.connection),
    ...explainGroup(draft, config, originOf),
    ...explainEngine(draft, target.draft, config, 'source', originOf),
    ...explainStart(draft, config, originOf)
  ])
  const [first] = links
  return [
    ...perLink,
    ...explainProperties(target.draft, 'connection', target.config.alias, target.config.connection),
    ...(first
      ? explainEngine(first.draft, target.draft, first.config, 'target', originOf)
      : []
    ).map(value => ({ ...value, cluster: target.config.alias })),
    ...explainCodecs(explained)
  ]
}

function explainProperties(
  draft: Draft,
  part: Part,
  cluster: string,
  properties: Properties
): ExplainedValue[] {
  return Object.entries(properties).map(([name, value]) => ({
    cluster,
    side: draft.side,
    part,
    name,
    value: redactValue(name, value),
    origin: traced(draft.origins.get(`${part} ${name}`), draft[part].get(name) === value)
  }))
}

/** The group is told what the engine was told. */
function explainGroup(draft: Draft, config: LinkConfig, originOf: OptionOrigin): ExplainedValue[] {
  const { alias, group } = config.source
  const isolation = originOf('isolation') ?? draft.origins.get('engine isolation') ?? 'default'
  return explainProperties(draft, 'group', alias, group).map(value =>
    value.name === 'isolation.level' ? { ...value, origin: isolation } : value
  )
}

function explainEngine(
  source: Draft,
  target: Draft,
  config: LinkConfig,
  side: Side,
  originOf: OptionOrigin
): ExplainedValue[] {
  const rows = Object.entries(engineRows) as [keyof LinkSettings, EngineRow][]
  return rows
    .filter(([, row]) => row.side === side)
    .map(([key, row]) => {
      const own = side === 'source' ? source : target
      const drafts = row.isInBoth ? [target, source] : [own]
      const fromFlag = (row.option && originOf(row.option)) ?? flagOrigin(row.name, source)
      return {
        cluster: config.source.alias,
        side,
        part: 'engine',
        name: row.name,
        value: row.show?.(config.link) ?? String(config.link[key]),
        origin: fromFlag ?? engineOrigin(key, config.link, drafts)
      }
    })
}

function engineOrigin(
  key: keyof LinkSettings,
  link: LinkSettings,
  drafts: readonly Draft[]
): string {
  const used = drafts.find(draft => draft.engine[key] === link[key])
  const draft = used ?? drafts.find(one => one.engine[key] !== undefined)
  return traced(draft?.origins.get(`engine ${key}`), used !== undefined)
}

/** A file of Kafka 0.7 may name what is an option now. */
function flagOrigin(name: string, source: Draft): string | undefined {
  return name === 'num.streams' ? source.flags.get(name)?.origin : undefined
}

function explainStart(draft: Draft, config: LinkConfig, originOf: OptionOrigin): ExplainedValue[] {
  const common = { cluster: config.source.alias, side: 'source', part: 'engine' } as const
  const written = (name: string) => draft.given.get(name)?.origin ?? 'default'
  return [
    {
      ...common,
      name: 'auto.offset.reset',
      value: config.autoOffsetReset,
      origin: written('auto.offset.reset')
    },
    {
      ...common,
      name: 'offset.commit.interval.ms',
      value: String(config.commitIntervalMs),
      origin: originOf('offset.commit.interval.ms') ?? written('auto.commit.interval.ms')
    }
  ]
}

/** Nothing where batches keep their codec. */
function explainCodecs({ target, codecs, originOf }: Explained): ExplainedValue[] {
  const { codec, levels } = codecs.compression
  const common = { cluster: target.config.alias, side: 'target', part: 'engine' } as const
  const written = (name: string) => target.draft.given.get(name)?.origin
  const type = codec && { name: 'compression.type', value: codec }
  const values = [
    ...(type ? [{ ...type, origin: written(type.name) ?? 'default' }] : []),
    ...Object.entries(levels).map(([leveled, level]) => {
      const name = `compression.${leveled}.level`
      const origin = written(name) ?? written('compression.level') ?? 'default'
      return { name, value: String(level), origin }
    }),
    ...codecs.recompress.map(({ pattern, codec, level }) => ({
      name: pattern === undefined ? 'recompress' : `recompress ${pattern}`,
      value: level === undefined ? codec : `${codec}:${level}`,
      origin: originOf('recompress') ?? 'default'
    }))
  ]
  return values.map(value => ({ ...common, ...value }))
}

/** A value that depends on others may be another one than was asked for. */
function traced(origin: string | undefined, isAsAsked: boolean): string {
  if (origin === undefined) return 'default'
  return isAsAsked ? origin : `${origin}, adjusted`
}

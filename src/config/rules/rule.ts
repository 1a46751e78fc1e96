// What a rule for a client setting is, and the draft that rules write into.

import type { Codec } from '../../batches/codec.ts'
import type { AutoOffsetReset, LinkSettings } from '../../mirror/types.ts'
import type { Setting } from '../properties-file.ts'
import type { Check } from './check.ts'

export type Side = 'source' | 'target'

/** `connection`: every client of the cluster. `group`: membership and commits on the source. */
export type Part = 'connection' | 'group'

/** Writes what a setting says into the draft. */
export type Use = (setting: Setting, draft: Draft) => void

interface Common {
  /** A name, or a prefix that ends in `*`. */
  name: string
  /** The file that the setting belongs to; both when absent. */
  side?: Side
}

export type Rule = Common &
  /** Goes to `part` under its own name, unless `use` says where else. */
  (
    | { action: 'pass'; part?: Part; check?: Check; use?: Use }
    /** `to` is another setting, or a flag with its dashes. */
    | { action: 'rename'; to: string }
    | { action: 'translate'; check?: Check; use: Use }
    /** Another setting says the same with another value; undefined: the value cannot be understood. */
    | { action: 'translate'; to: string; read: (value: string) => string | undefined }
    /** `refuseWhen` gives the reason why this value cannot be ignored; `use` decides in its place. */
    | {
        action: 'ignore'
        note?: string | ((value: string) => string | undefined)
        refuseWhen?: (value: string) => string | undefined
        /** Values that say what is so anyway need no warning. */
        silentWhen?: (value: string) => boolean
        use?: Use
      }
    /** `note`: what to do instead, as a sentence. `use` decides in place of a plain refusal. */
    | { action: 'refuse'; note: string; use?: Use }
  )

export type EngineSettings = { -readonly [Name in keyof LinkSettings]?: LinkSettings[Name] }

/** Options of the command line that a file may name too. */
export type FlagName = 'whitelist' | 'blacklist' | 'num.streams'

export interface Note {
  level: 'info' | 'warn'
  text: string
}

/** A setting under the name that its rule has, with how it was written. */
export interface Given extends Setting {
  rule: Rule
  written: Setting
}

/** A setting on its way through a rule: messages call it as the user did. */
interface Named extends Setting {
  writtenName?: string
}

/** What the user chose for the reading itself. */
export interface Strictness {
  /** What would be ignored is refused. */
  strict: boolean
  ignoreInterceptors: boolean
}

/** Of batches that are written anew, as the target's file says it. */
export interface GivenCompression {
  codec?: Codec
  /** Topics that get the codec. */
  topics?: readonly string[]
  /** Of whichever codec has no level of its own. */
  level?: number
  levels: { [Name in Codec]?: number }
}

/** Settings of one cluster while its file is read. */
export interface Draft {
  side: Side
  strictness: Strictness
  /** Every setting that has a rule, by its name after renames. */
  given: Map<string, Given>
  connection: Map<string, string>
  group: Map<string, string>
  engine: EngineSettings
  flags: Map<FlagName, Setting>
  /** Where a value comes from, by `connection NAME`, `group NAME` or `engine NAME`. */
  origins: Map<string, string>
  alias?: string
  autoOffsetReset?: AutoOffsetReset
  commitIntervalMs?: number
  compression: GivenCompression
  adminTimeoutMs?: number
  /** Certificate checks may be turned off. */
  insecure: boolean
  ignored: string[]
  notes: Note[]
  problems: string[]
}

export const lenient: Strictness = { strict: false, ignoreInterceptors: false }

export function newDraft(side: Side, strictness: Strictness = lenient): Draft {
  return {
    side,
    strictness,
    given: new Map(),
    connection: new Map(),
    group: new Map(),
    engine: {},
    flags: new Map(),
    compression: { levels: {} },
    origins: new Map(),
    insecure: false,
    ignored: [],
    notes: [],
    problems: []
  }
}

export function setConnection(draft: Draft, setting: Setting, name: string, value: string): void {
  draft.connection.set(name, value)
  draft.origins.set(`connection ${name}`, setting.origin)
}

export function setGroup(draft: Draft, setting: Setting, name: string, value: string): void {
  draft.group.set(name, value)
  draft.origins.set(`group ${name}`, setting.origin)
}

export function setEngine<Name extends keyof LinkSettings>(
  draft: Draft,
  setting: Setting,
  name: Name,
  value: LinkSettings[Name]
): void {
  draft.engine[name] = value
  draft.origins.set(`engine ${name}`, setting.origin)
}

export function addProblem(draft: Draft, setting: Named, what: string): void {
  draft.problems.push(`${setting.origin}: ${setting.writtenName ?? setting.name}: ${what}`)
}

export function addNote(draft: Draft, level: Note['level'], setting: Named, what: string): void {
  const text = `${setting.origin}: ${setting.writtenName ?? setting.name}: ${what}`
  draft.notes.push({ level, text })
}

/** Adds the name to the one warning, or refuses it when nothing may be ignored. */
export function ignore(draft: Draft, setting: Named, note?: string): void {
  const why = note === undefined ? '' : ` (${note})`
  if (!draft.strictness.strict) draft.ignored.push(`${setting.writtenName ?? setting.name}${why}`)
  else
    addProblem(
      draft,
      setting,
      `it has no effect here${why}. Remove it, or leave out --strict-config`
    )
}

/** Kafka's own classes have an equal here; anybody else's cannot run without a JVM. */
export function refuseForeignClass(instead: string): (value: string) => string | undefined {
  return value =>
    value === '' || /^(?:org\.apache\.)?kafka\./.test(value)
      ? undefined
      : `the Java class ${value} cannot run here. ${instead}`
}

/** Hands the value to the engine as a number. The check of the row has made sure that it is one. */
export function toEngine(
  name: {
    [Name in keyof LinkSettings]: LinkSettings[Name] extends number ? Name : never
  }[keyof LinkSettings]
): Use {
  return (setting, draft) => setEngine(draft, setting, name, Number(setting.value))
}

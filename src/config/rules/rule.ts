// What a rule for a client setting is, and the draft that rules write into.

import type { AutoOffsetReset } from '../../mirror/types.ts'
import type { LinkOptions } from '../../native/index.ts'
import type { Setting } from '../properties-file.ts'

export type Side = 'source' | 'target'

/** `connection`: every client of the cluster. `group`: membership and commits on the source. */
export type Part = 'connection' | 'group'

/** What a value has to be. A number that is only too large is cut to `max`. */
export type Check = { min: number; max: number } | { oneOf: readonly string[] }

interface Common {
  /** A name, or a prefix that ends in `*`. */
  name: string
  /** The file that the setting belongs to; both when absent. */
  side?: Side
}

export type Rule = Common &
  (
    | { action: 'pass'; part?: Part; check?: Check }
    | { action: 'rename'; to: string }
    | { action: 'translate'; check?: Check; translate: (setting: Setting, draft: Draft) => void }
    /** `refuseWhen` gives the reason why this value cannot be ignored. */
    | { action: 'ignore'; note?: string; refuseWhen?: (value: string) => string | undefined }
    /** `note`: what to do instead, as a sentence. */
    | { action: 'refuse'; note: string }
  )

export type EngineSettings = { -readonly [Name in keyof LinkOptions]?: LinkOptions[Name] }

export interface Note {
  level: 'info' | 'warn'
  text: string
}

/** Settings of one cluster while its file is read. */
export interface Draft {
  side: Side
  connection: Map<string, string>
  group: Map<string, string>
  engine: EngineSettings
  alias?: string
  autoOffsetReset?: AutoOffsetReset
  commitIntervalMs?: number
  /** Certificate checks may be turned off. */
  insecure: boolean
  ignored: string[]
  notes: Note[]
  problems: string[]
}

export function newDraft(side: Side): Draft {
  return {
    side,
    connection: new Map(),
    group: new Map(),
    engine: {},
    insecure: false,
    ignored: [],
    notes: [],
    problems: []
  }
}

export function addProblem(draft: Draft, setting: Setting, what: string): void {
  draft.problems.push(`${setting.origin}: ${setting.name}: ${what}`)
}

export function addNote(draft: Draft, level: Note['level'], setting: Setting, what: string): void {
  draft.notes.push({ level, text: `${setting.origin}: ${setting.name}: ${what}` })
}

export const milliseconds = { min: 0, max: 2_147_483_647 }
export const trueOrFalse = { oneOf: ['true', 'false'] } as const

/** Kafka's own classes have an equal here; anybody else's cannot run without a JVM. */
export function refuseForeignClass(instead: string): (value: string) => string | undefined {
  return value =>
    value === '' || value.startsWith('org.apache.kafka.')
      ? undefined
      : `the Java class ${value} cannot run here. ${instead}`
}

/** Hands the value to the engine as a number. The check of the row has made sure that it is one. */
export function toEngine(
  name: {
    [Name in keyof LinkOptions]: LinkOptions[Name] extends number ? Name : never
  }[keyof LinkOptions]
): (setting: Setting, draft: Draft) => void {
  return (setting, draft) => {
    draft.engine[name] = Number(setting.value)
  }
}

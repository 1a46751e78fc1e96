// Which topic configs decide fidelity and passthrough, and what is to be read from them.

import type { ConfigEntry } from '../native/index.ts'

/** Copied from the source when a target topic is created. */
export const copiedConfigs = [
  'compression.type',
  'cleanup.policy',
  'max.message.bytes',
  'message.timestamp.type',
  'retention.ms',
  'retention.bytes'
] as const

/** What the target does to the batches of a topic. */
export interface TargetBehaviour {
  /** Largest batch that the topic takes. */
  maxMessageBytes: number
  /** Timestamps are replaced by the time of arrival. */
  isAppendTime: boolean
  /** In-sync replicas without which nothing is taken. */
  minInSyncReplicas: number
  /** Undefined when the configs could not be read. */
  compression: string | undefined
}

/** With configs that nobody lets us read, the target itself refuses what it does not take. */
export const unknownBehaviour: TargetBehaviour = Object.freeze({
  maxMessageBytes: 2 ** 31 - 1,
  isAppendTime: false,
  minInSyncReplicas: 1,
  compression: undefined
})

/**
 * What to set on a new target topic: values that are set on the source, and those that the target's own
 * default would change. A default that is not known counts as another one.
 */
export function chooseConfigs(
  source: readonly ConfigEntry[],
  targetDefaults: ReadonlyMap<string, string>
): Record<string, string> {
  const chosen: Record<string, string> = {}
  for (const name of copiedConfigs) {
    const entry = source.find(candidate => candidate.name === name)
    if (!entry || entry.value === null) continue
    if (entry.isDefault && targetDefaults.get(name) === entry.value) continue
    chosen[name] = entry.value
  }
  return chosen
}

/** Notes the values that a topic of the target has by default. */
export function learnDefaults(
  entries: readonly ConfigEntry[],
  defaults: Map<string, string>
): void {
  for (const { name, value, isDefault } of entries) {
    if (isDefault && value !== null) defaults.set(name, value)
  }
}

export function readBehaviour(entries: readonly ConfigEntry[]): TargetBehaviour {
  const values = new Map(entries.map(({ name, value }) => [name, value]))
  const maxMessageBytes = Number(values.get('max.message.bytes') ?? Number.NaN)
  return {
    maxMessageBytes: Number.isSafeInteger(maxMessageBytes)
      ? maxMessageBytes
      : unknownBehaviour.maxMessageBytes,
    minInSyncReplicas: Number(values.get('min.insync.replicas') ?? 1),
    isAppendTime: values.get('message.timestamp.type') === 'LogAppendTime',
    compression: values.get('compression.type') ?? undefined
  }
}

/** Whether the target's brokers open and compress each batch anew. */
export function isRecompressing(source: string | undefined, target: string | undefined): boolean {
  return target !== undefined && target !== 'producer' && target !== source
}

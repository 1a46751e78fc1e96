// Which configs differ between a topic of the source and the target's, where the copy would not be the same.

import type { ConfigEntry } from '../native/index.ts'
import { copiedConfigs, isRecompressing } from '../topics/configs.ts'

export interface ConfigDifference {
  name: string
  source: string
  target: string
  /** What it means for the copy. */
  meaning: string
}

type Judge = (source: string, target: string) => string | undefined

const judges: Readonly<Record<(typeof copiedConfigs)[number], Judge>> = {
  'cleanup.policy': judgeCleanup,
  'compression.type': (source, target) =>
    isRecompressing(source, target)
      ? `the target opens every batch and compresses it anew with ${target}`
      : undefined,
  'max.message.bytes': (source, target) =>
    Number(target) < Number(source)
      ? `batches of more than ${target} bytes are split, and a single record of more stops its lane`
      : undefined,
  'message.timestamp.type': (source, target) => {
    if (source === target) return undefined
    return target === 'LogAppendTime'
      ? 'records get the time of their arrival at the target'
      : 'append times become the times of the records, and batches that have them are rebuilt'
  },
  'retention.ms': (source, target) =>
    isShorter(source, target)
      ? `the target deletes records after ${describeTime(target)}, the source ${isUnlimited(source) ? 'never' : `after ${describeTime(source)}`}`
      : undefined,
  'retention.bytes': (source, target) =>
    isShorter(source, target)
      ? `the target keeps ${target} bytes of a partition, the source ${isUnlimited(source) ? 'any number' : source}`
      : undefined
}

/** Only differences that matter; a config that either side does not tell is passed over. */
export function compareConfigs(
  source: readonly ConfigEntry[],
  target: readonly ConfigEntry[]
): ConfigDifference[] {
  const sourceValues = valuesOf(source)
  const targetValues = valuesOf(target)
  return copiedConfigs.flatMap(name => {
    const [left, right] = [sourceValues.get(name), targetValues.get(name)]
    if (left === undefined || right === undefined) return []
    const meaning = judges[name](left, right)
    return meaning === undefined ? [] : { name, source: left, target: right, meaning }
  })
}

function valuesOf(entries: readonly ConfigEntry[]): Map<string, string> {
  return new Map(
    entries.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const]))
  )
}

function judgeCleanup(source: string, target: string): string | undefined {
  const [from, to] = [source, target].map(text => new Set(text.split(',').map(part => part.trim())))
  if (from?.has('compact') === to?.has('compact') && from?.has('delete') === to?.has('delete')) {
    return undefined
  }
  if (to?.has('compact') && !from?.has('compact')) {
    return 'the target keeps only the newest record of each key, and refuses records without a key'
  }
  if (to?.has('delete') && !from?.has('delete')) {
    return 'the target deletes old records that the source keeps'
  }
  return 'the target keeps records that the source deletes or compacts'
}

function isUnlimited(value: string): boolean {
  return Number(value) < 0
}

function isShorter(source: string, target: string): boolean {
  if (isUnlimited(target)) return false
  return isUnlimited(source) || Number(target) < Number(source)
}

const hourMs = 3_600_000

function describeTime(text: string): string {
  const hours = Number(text) / hourMs
  if (hours < 1) return `${text} ms`
  return hours < 48 ? `${round(hours)} h` : `${round(hours / 24)} days`
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10)
}

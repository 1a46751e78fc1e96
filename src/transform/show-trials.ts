// Writes what handlers made of records: as text for people, as JSON for programs.

import { type WrittenRecord, writeBytes } from './fixture.ts'
import type { TrialRecord } from './trial.ts'
import type { Outcome, Trial } from './trials.ts'

const outcomes: readonly Outcome[] = ['changed', 'unchanged', 'dropped', 'failed', 'no-rule']

/** Number of records by what has become of them. */
export function countTrials(trials: readonly Trial[]): Record<Outcome, number> {
  const count = (outcome: Outcome) => trials.filter(trial => trial.outcome === outcome).length
  return Object.fromEntries(outcomes.map(outcome => [outcome, count(outcome)])) as Record<
    Outcome,
    number
  >
}

/** `before` and `after` are records in the form of a fixture. */
export function trialsAsJson(trials: readonly Trial[]): string {
  const records = trials.map(({ sample, outcome, after, error }) => ({
    outcome,
    before: writeRecord(sample, sample.offset),
    after: after.map(record => writeRecord(record, sample.offset)),
    ...(error !== undefined && { error })
  }))
  return JSON.stringify({ records, summary: countTrials(trials) }, null, 2)
}

/** What changed has - in front of it before and + after. */
export function trialsAsText(trials: readonly Trial[]): string[] {
  const counts = countTrials(trials)
  const parts = outcomes
    .filter(outcome => counts[outcome] > 0)
    .map(outcome => `${counts[outcome]} ${nameOf(outcome)}`)
  const total = `${trials.length} ${trials.length === 1 ? 'record' : 'records'}`
  return [...trials.flatMap(showTrial), `${total}: ${parts.join(', ')}`]
}

function nameOf(outcome: Outcome): string {
  return outcome === 'no-rule' ? 'without a rule' : outcome
}

function showTrial({ sample, outcome, after, error }: Trial): string[] {
  const many = after.length > 1 ? `, ${after.length} records` : ''
  const why = error === undefined ? '' : `: ${error}`
  const title = `${sample.topic}-${sample.partition} offset ${sample.offset}: ${nameOf(outcome)}${many}${why}`
  const before = rowsOf(sample)
  if (outcome !== 'changed') return [title, ...before.slice(1).map(row => line(' ', row)), '']
  return [title, ...after.flatMap(record => difference(before, rowsOf(record))), '']
}

type Row = readonly [name: string, text: string]

function rowsOf(record: TrialRecord): Row[] {
  const { topic, partition, timestamp, key, value, headers } = record
  return [
    ['lane', `${topic}-${partition}`],
    ['timestamp', timestamp < 0 ? '(none)' : timeText(timestamp)],
    ['key', textOf(key)],
    ...headers.map(([name, field]): Row => ['header', `${textOf(name)}: ${textOf(field)}`]),
    ['value', textOf(value)]
  ]
}

/** Headers may come and go: what both have stands between what one has. */
function difference(before: readonly Row[], after: readonly Row[]): string[] {
  const lines: string[] = []
  for (const name of ['lane', 'timestamp', 'key', 'header', 'value']) {
    const [old, made] = [before, after].map(rows => rows.filter(([other]) => other === name))
    const isIn = (rows: readonly Row[] | undefined, [, text]: Row) =>
      rows?.some(([, other]) => other === text)
    // The title has told the lane where it stays the same.
    const shown = (old ?? []).filter(row => name !== 'lane' || !isIn(made, row))
    for (const row of shown) lines.push(line(isIn(made, row) ? ' ' : '-', row))
    for (const row of made ?? []) if (!isIn(old, row)) lines.push(line('+', row))
  }
  return lines
}

function line(mark: string, [name, text]: Row): string {
  return `  ${mark} ${name.padEnd(9)}  ${text}`
}

function timeText(timestamp: number): string {
  const date = new Date(timestamp)
  return Number.isNaN(date.getTime()) ? `${timestamp} ms` : date.toISOString()
}

function textOf(bytes: Uint8Array | null): string {
  const written = writeBytes(bytes)
  if (written === null) return '(null)'
  if (typeof written !== 'string') return `(base64) ${written.base64}`
  const isPlain = written !== '' && !/\p{Cc}/u.test(written)
  return isPlain ? written : JSON.stringify(written)
}

function writeRecord(
  { topic, partition, timestamp, key, value, headers }: TrialRecord,
  offset: number
): WrittenRecord {
  return {
    topic,
    partition,
    offset,
    timestamp,
    key: writeBytes(key),
    value: writeBytes(value),
    headers: headers.map(([name, field]) => ({ key: writeBytes(name), value: writeBytes(field) }))
  }
}

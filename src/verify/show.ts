// The verdicts as a person reads them: what differs line by line, what was not compared, and what to do next.

import { type Column, formatTable } from '../observe/table.ts'
import { formatBytes, formatCount, formatDuration } from '../observe/units.ts'
import { differenceClasses } from './differences.ts'
import { describeSince, type Since } from './since.ts'
import { type Summary, sumUp } from './summary.ts'
import type { LaneVerdict, Remark } from './types.ts'
import type { VerifyFigures, VerifyResult } from './verification.ts'

export interface ShowOptions {
  width: number
  since: Since
  isCounts: boolean
}

export function showResult(result: VerifyResult, options: ShowOptions): string[] {
  const { verdicts, figures } = result
  const summary = sumUp(verdicts)
  const topics = [...new Set(verdicts.map(({ topic }) => topic))]
  return [
    ...formatTable(
      columnsOf(options),
      topics.map(topic => topicRow(topic, verdicts, options)),
      options.width
    ),
    ...section('differences', showFirst(verdicts.flatMap(showDifference), mostLanes)),
    ...section('not compared', showFirst(verdicts.flatMap(showNotCompared), mostLanes)),
    ...section('remarks', showRemarks(verdicts)),
    '',
    showSummary(summary, options),
    ...(options.isCounts ? [] : [showFigures(figures)]),
    ...showAdvice(result, summary, options)
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map(line => `  ${line}`)]
}

function columnsOf({ isCounts }: ShowOptions): Column[] {
  const unit = isCounts ? 'OFFSETS' : 'RECORDS'
  return [
    { title: 'TOPIC' },
    { title: 'LANES', align: 'right', priority: 3 },
    { title: 'EQUAL', align: 'right' },
    { title: 'DIFFERENT', align: 'right' },
    { title: `SOURCE ${unit}`, align: 'right', priority: 2 },
    { title: `TARGET ${unit}`, align: 'right', priority: 2 },
    { title: 'NOT YET THERE', align: 'right', priority: 1 }
  ]
}

function topicRow(topic: string, all: readonly LaneVerdict[], { isCounts }: ShowOptions): string[] {
  const verdicts = all.filter(verdict => verdict.topic === topic)
  const { lanes, lanesByState, beyondCommit } = sumUp(verdicts)
  // Offsets of a target partition count once, however many lanes lead into it.
  const targets = isCounts
    ? [...new Map(verdicts.map(verdict => [verdict.partition, verdict])).values()]
    : verdicts
  const records = (side: 'source' | 'target', of: readonly LaneVerdict[]) =>
    formatCount(of.reduce((sum, verdict) => sum + (verdict[side]?.records ?? 0), 0))
  return [
    topic,
    String(lanes),
    String(lanesByState.equal),
    String(lanesByState.different),
    records('source', verdicts),
    records('target', targets),
    formatCount(beyondCommit)
  ]
}

/** One line a lane. */
function showDifference(verdict: LaneVerdict): string[] {
  if (verdict.state !== 'different') return []
  const { counts, first, why } = verdict
  const parts = differenceClasses.flatMap(name =>
    counts[name] > 0 ? `${formatCount(counts[name])} ${name}` : []
  )
  const apart = verdict.remarks.find(({ kind }) => kind === 'not-aligned')?.text
  const what = [why, first && `first: ${first.class}, ${first.text}`, first ? undefined : apart]
  const told = what.filter(text => text !== '' && text !== undefined && text !== null)
  return [
    `${nameOf(verdict)}: ${parts.length > 0 ? `${parts.join(', ')}; ` : ''}${told.join('; ')}`
  ]
}

function showNotCompared(verdict: LaneVerdict): string[] {
  return verdict.state === 'not-compared' ? [`${nameOf(verdict)}: ${verdict.why}`] : []
}

function nameOf({ topic, partition, sourceCluster }: LaneVerdict): string {
  return `${topic}-${partition} (${sourceCluster})`
}

/** Remarks of a kind together: thousands of lanes may have the same to say. */
function showRemarks(verdicts: readonly LaneVerdict[]): string[] {
  const byKind = new Map<Remark['kind'], { verdict: LaneVerdict; text: string }[]>()
  for (const verdict of verdicts) {
    for (const { kind, text } of verdict.remarks) {
      // Told with the differences.
      if (kind === 'not-aligned' && verdict.first === null) continue
      byKind.set(kind, [...(byKind.get(kind) ?? []), { verdict, text }])
    }
  }
  return [...byKind.values()].flatMap(found =>
    showFirst(
      found.map(({ verdict, text }) => `${nameOf(verdict)}: ${text}`),
      mostAlike
    )
  )
}

const mostAlike = 5
/** Each says something of its own, and still nobody reads a thousand lines. */
const mostLanes = 100

function showFirst(lines: readonly string[], most: number): string[] {
  const rest = lines.length - most
  if (rest <= 0) return [...lines]
  return [
    ...lines.slice(0, most),
    `and ${formatCount(rest)} lanes more with the like (--format json)`
  ]
}

function showSummary(summary: Summary, { since, isCounts }: ShowOptions): string {
  const { lanes, lanesByState, matched, beyondCommit } = summary
  const from = since.kind === 'start' ? '' : ` since ${describeSince(since)}`
  const what = isCounts
    ? 'by offsets alone'
    : `${formatCount(matched)} records the same on both sides`
  const parts = [
    `${lanes} lane${lanes === 1 ? '' : 's'}${from}`,
    `${lanesByState.equal} equal`,
    `${lanesByState.different} different`,
    ...(lanesByState['not-compared'] > 0 ? [`${lanesByState['not-compared']} not compared`] : []),
    what,
    ...(beyondCommit > 0 ? [`${formatCount(beyondCommit)} behind the commits`] : [])
  ]
  return parts.join(', ')
}

function showFigures(figures: VerifyFigures): string {
  const { durationMs, bytesRead, records, passedRecords } = figures
  const seconds = Math.max(0.001, durationMs / 1_000)
  const parts = [
    `read ${formatBytes(bytesRead)} of batches on both sides in ${formatDuration(durationMs)}: ${(bytesRead / 1e6 / seconds).toFixed(1)} MB/s`,
    `${formatCount(passedRecords)} of ${formatCount(records)} records in batches that are the same byte for byte`
  ]
  return [...parts, ...showOpened(figures)].join('; ')
}

function showOpened({ recordBytes, threads, workedMs }: VerifyFigures): string[] {
  if (recordBytes === 0) return []
  const perCore = recordBytes / 1e6 / Math.max(0.001, workedMs / 1_000)
  return [
    `${formatBytes(recordBytes)} of other records inflated with ${threads} thread${threads === 1 ? '' : 's'}, ${perCore.toFixed(0)} MB/s per core`
  ]
}

function showAdvice(
  { foreignCommits }: VerifyResult,
  summary: Summary,
  options: ShowOptions
): string[] {
  const { counts, lanesByState } = summary
  const advice: string[] = []
  if (lanesByState.different > 0 && options.isCounts) {
    advice.push('next: compare the records of these topics with heliostat verify, without --counts')
  } else if (lanesByState.different > 0) {
    const kept = 'kafka-console-consumer --partition P --offset O shows a record of either side'
    advice.push(`next: look at the offsets named above; ${kept}`)
  }
  if (counts.missing > 0 && !options.isCounts) {
    advice.push(
      'missing records come back when the mirror goes on before them: stop it, set the offset of its group there ' +
        '(kafka-consumer-groups --reset-offsets --to-offset O), start it again; records behind are then doubled'
    )
  }
  if (counts.extra > 0 && options.since.kind === 'start') {
    advice.push(
      'records that no source has may be from before the mirror, or of another producer' +
        (foreignCommits > 0 ? ' (MirrorMaker chose partitions anew by key)' : '') +
        ': --since TIME leaves history out'
    )
  }
  if (lanesByState['not-compared'] > 0) {
    advice.push('lanes that were not compared: mend what is said of them and verify again')
  }
  return advice
}

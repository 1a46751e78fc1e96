// Owns how a comparison looks: one table and its notes, for the terminal and for Markdown.

import type { Change, Comparison } from './comparison.ts'
import { formatNumber, markdownTable, plainTable, type Rows } from './tables.ts'

const legend =
  'Ratios are new/old, median to median. * each median lies outside of the spread of the other; a single run has no spread. ' +
  'MB/s and CPU are those of the tables: of records and the whole process between real brokers, on the wire and while moving between stub ends.'

export function terminalComparison(comparison: Comparison): string {
  const { contenders } = comparison
  const table = contenders.length > 0 ? [plainTable(rowsOf(comparison)), legend] : []
  return [titleOf(comparison), ...notesOf(comparison), ...table].join('\n\n')
}

export function markdownComparison(comparison: Comparison): string {
  const { contenders } = comparison
  const table = contenders.length > 0 ? [markdownTable(rowsOf(comparison)), legend] : []
  const notes = notesOf(comparison).map(note => note.replaceAll('\n  ', '\n- '))
  return [`## ${titleOf(comparison)}`, ...notes, ...table].join('\n\n')
}

function titleOf({ old, new: now }: Comparison): string {
  return `Compared: new ${now.commit} of ${now.at} with old ${old.commit} of ${old.at}`
}

function notesOf({ differences, onlyOld, onlyNew, contenders }: Comparison): string[] {
  const list = (what: string, items: readonly string[]) =>
    items.length > 0 ? [[`${what}:`, ...items].join('\n  ')] : []
  return [
    ...list('These differ, so the two may not be comparable (old → new)', differences),
    ...list('Only in the old result', onlyOld),
    ...list('Only in the new result', onlyNew),
    ...(contenders.length > 0 ? [] : ['No cell and contender was measured in both.'])
  ]
}

function rowsOf({ contenders }: Comparison): Rows {
  const rows = contenders.map(({ cell, contender, changes: { rate, cpu, memory } }) => [
    cell,
    contender,
    showChange(rate),
    showChange(cpu),
    showChange(memory)
  ])
  return [['cell', 'contender', 'MB/s', 'CPU-s per GB', 'peak RSS MB'], ...rows]
}

function showChange({ headline: { digits }, old, new: now, ratio, isOutside }: Change): string {
  if (!Number.isFinite(ratio)) return '–'
  const medians = `${formatNumber(old.median, digits)} → ${formatNumber(now.median, digits)}`
  return `${formatNumber(ratio, 2)}${isOutside ? ' *' : ''} (${medians})`
}

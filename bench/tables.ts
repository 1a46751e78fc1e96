// Owns how rows look: columns on the terminal, or Markdown. The first row is the head.

import type { Summary } from './statistics.ts'

export type Rows = string[][]

export function formatNumber(value: number, digits: number): string {
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits
  })
}

/** The median, and where there is more than one run its spread. */
export function showSummary({ median, min, max, runs }: Summary, digits: number): string {
  const [middle, least, most] = [median, min, max].map(value => formatNumber(value, digits))
  return runs === 1 ? `${middle}` : `${middle} (${least}–${most})`
}

export function plainTable(rows: Rows): string {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map(row => row[at]?.length ?? 0))) ?? []
  const line = (row: string[]) =>
    row.map((text, at) => (at === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[at] ?? 0)))
  return rows.map(row => line(row).join('  ').trimEnd()).join('\n')
}

export function markdownTable([head = [], ...body]: Rows): string {
  const line = (row: string[]) => `| ${row.join(' | ')} |`
  return [head, head.map((_, at) => (at === 0 ? '---' : '---:')), ...body].map(line).join('\n')
}

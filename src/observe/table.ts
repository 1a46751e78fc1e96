// Tables for the terminal: each column as wide as its widest cell, numbers to the right.

export interface Column {
  title: string
  align?: 'right'
  /** Which columns go first when the terminal is too narrow: the highest number. Without one it stays. */
  priority?: number
}

const gap = '  '

/**
 * The title line and one line a row. Where they do not fit into `width`, columns are left out, never rows;
 * a cell is neither cut nor wrapped, so what is left may still be wider.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number
): string[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((most, row) => Math.max(most, widthOf(row[index] ?? '')), widthOf(title))
  )
  const shown = chooseColumns(columns, widths, width)
  const line = (cells: readonly string[]): string =>
    shown
      .map(index => pad(cells[index] ?? '', widths[index] as number, columns[index]?.align))
      .join(gap)
      .trimEnd()
  return [columns.map(({ title }) => title), ...rows].map(line)
}

/** Indexes of the columns that stay, in their order. */
function chooseColumns(
  columns: readonly Column[],
  widths: readonly number[],
  width: number
): number[] {
  const shown = [...columns.keys()]
  const leaving = shown
    .filter(index => columns[index]?.priority !== undefined)
    .sort((a, b) => (columns[b]?.priority ?? 0) - (columns[a]?.priority ?? 0) || b - a)
  for (const index of leaving) {
    if (totalWidth(shown, widths) <= width) break
    shown.splice(shown.indexOf(index), 1)
  }
  return shown
}

function totalWidth(shown: readonly number[], widths: readonly number[]): number {
  const cells = shown.reduce((sum, index) => sum + (widths[index] as number), 0)
  return cells + gap.length * Math.max(0, shown.length - 1)
}

// Counted in characters: topic names are ASCII, and so is all that is printed here.
function widthOf(text: string): number {
  return text.length
}

function pad(text: string, width: number, align: Column['align']): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width)
}

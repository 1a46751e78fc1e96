// Tables and code in Markdown.

export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[]
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n')}\n`
}

export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``
}

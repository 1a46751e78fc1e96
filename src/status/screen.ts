// Draws blocks of text over the last ones on a terminal, cut to its height.

import type { WriteStream } from 'node:tty'
import type { Block } from './text.ts'

const home = '\u001b[H'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

/** A table keeps its title, its first row and the line that counts the rest. */
const leastTableLines = 3

export function drawScreen(stream: WriteStream, blocks: readonly Block[]): void {
  const width = stream.columns || 80
  const wrapped = blocks.map(({ lines, isTable }) => ({
    lines: lines.flatMap(line => (isTable ? line.slice(0, width) : wrapLine(line, width))),
    isTable
  }))
  const lines = fitLines(wrapped, (stream.rows || 24) - 1)
  stream.write(`${home}${lines.map(line => `${line}${clearLine}\n`).join('')}${clearBelow}`)
}

/** At spaces; a word that is longer than a line is cut. */
export function wrapLine(line: string, width: number): string[] {
  const lines: string[] = []
  let rest = line
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const at = space > 0 ? space : width
    lines.push(rest.slice(0, at))
    rest = rest.slice(at).trimStart()
  }
  return [...lines, rest]
}

/** Tables give way, the last one first: totals and notes are what is looked for. */
export function fitLines(blocks: readonly Block[], height: number): string[] {
  const total = blocks.reduce((sum, { lines }) => sum + lines.length, 0)
  let excess = total - height
  const fitted = blocks.toReversed().map(({ lines, isTable }) => {
    if (excess <= 0 || !isTable || lines.length <= leastTableLines) return lines
    const kept = Math.max(leastTableLines - 1, lines.length - excess - 1)
    excess -= lines.length - kept - 1
    return [...lines.slice(0, kept), `... and ${lines.length - kept} more lanes`]
  })
  return fitted.toReversed().flat()
}

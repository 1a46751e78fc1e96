// One line at the bottom of a terminal that is drawn over itself.

import type { WriteStream } from 'node:tty'

export interface StatusLine {
  draw(text: string): void
  /** Makes room for other output; the next draw brings the line back. */
  clear(): void
}

type Environment = Readonly<Record<string, string | undefined>>

/** Undefined where a line cannot be redrawn: pipes, CI and dumb terminals. */
export function openStatusLine(
  stream: WriteStream,
  environment: Environment
): StatusLine | undefined {
  if (!stream.isTTY || environment.CI || environment.TERM === 'dumb') return undefined
  let isDrawn = false
  return {
    draw(text) {
      stream.write(`\r\u001b[K${text.slice(0, (stream.columns || 80) - 1)}`)
      isDrawn = true
    },
    clear() {
      if (isDrawn) stream.write('\r\u001b[K')
      isDrawn = false
    }
  }
}

// The log of a mirror that nobody watches: the last warning is kept, for when something goes wrong.

import { pino } from 'pino'
import type { Logger } from '../observe/log.ts'

export interface KeptLog {
  logger: Logger
  /** What was said last, in one line. */
  last(): string | undefined
}

const details = ['reason', 'error', 'detail', 'cause', 'fix'] as const

export function keepLog(): KeptLog {
  let last: string | undefined
  const logger = pino({ level: 'warn', base: null }, { write: line => (last = line) })
  return { logger, last: () => last && sayLine(JSON.parse(last)) }
}

function sayLine(line: Readonly<Record<string, unknown>>): string {
  return [line.msg, ...details.map(name => line[name])]
    .filter(part => typeof part === 'string' && part !== '')
    .join('; ')
}

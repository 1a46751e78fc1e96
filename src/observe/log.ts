// The log: JSON lines for machines, readable lines on a terminal.

import { pino } from 'pino'
import { prettyFactory } from 'pino-pretty'
import { type LineOutput, openLineOutput } from './line-output.ts'

export type Logger = pino.Logger

export interface LogOptions {
  level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  format: 'json' | 'pretty'
  /** File descriptor: 1 for `run`, which has no other output, else 2. */
  descriptor: 1 | 2
  /** Called before each line, so that a status line on the terminal can make room. */
  beforeLine?: (() => void) | undefined
  /** Called once, when nobody can read the log any more. */
  onGone?: ((code: string) => void) | undefined
}

// Configurations are masked before they get here; this is the second line of defence.
const secretFields = [
  'password',
  '["sasl.password"]',
  '["ssl.key.password"]',
  '["sasl.jaas.config"]'
]

export function openLog(options: LogOptions): Logger {
  const { descriptor, format, onGone = () => {} } = options
  // Lines are written at once: held ones would be lost at a sudden end, and libuv's pool that writes
  // in the background stands behind calls that wait for brokers.
  const output = openLineOutput({
    descriptor,
    onGone,
    onRecovered: count => logger.warn({ count }, 'log lines could not be written and are lost')
  })
  const logger: Logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: secretFields, censor: '[redacted]' }
    },
    format === 'pretty' ? prettyLines(output, options) : output
  )
  return logger
}

function prettyLines(output: LineOutput, { descriptor, beforeLine }: LogOptions): LineOutput {
  const stream = descriptor === 1 ? process.stdout : process.stderr
  const format = prettyFactory({
    // A file is read on another day.
    translateTime: stream.isTTY ? 'SYS:HH:MM:ss.l' : 'SYS:yyyy-mm-dd HH:MM:ss.l',
    colorize: stream.hasColors?.() ?? false
  })
  return {
    write(line) {
      beforeLine?.()
      output.write(format(line))
    }
  }
}

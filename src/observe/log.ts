// The log: JSON lines for machines, readable lines on a terminal.

import { pino } from 'pino'
import pretty from 'pino-pretty'

export type Logger = pino.Logger

export interface LogOptions {
  level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  format: 'json' | 'pretty'
  /** File descriptor: 1 for `run`, which has no other output, else 2. */
  descriptor: 1 | 2
  /** Called before each line, so that a status line on the terminal can make room. */
  beforeLine?: (() => void) | undefined
}

export interface Log {
  logger: Logger
  /** Writes out what is still held. To be called once, before the process ends. */
  flush(): void
}

// Configurations are masked before they get here; this is the second line of defence.
const secretFields = [
  'password',
  '["sasl.password"]',
  '["ssl.key.password"]',
  '["sasl.jaas.config"]'
]

export function openLog(options: LogOptions): Log {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
    redact: { paths: secretFields, censor: '[redacted]' }
  }
  return options.format === 'pretty' ? openPretty(settings, options) : openJson(settings, options)
}

function openJson(settings: pino.LoggerOptions, { descriptor }: LogOptions): Log {
  // Asynchronous writes would queue in libuv's pool behind calls that wait for brokers, and be lost at the end.
  const destination = pino.destination({ dest: descriptor, sync: true })
  return {
    logger: pino(settings, destination),
    flush() {
      // A destination that has not opened yet holds nothing and says so by throwing.
      try {
        destination.flushSync()
      } catch (error) {
        if (!String(error).includes('not ready')) throw error
      }
    }
  }
}

function openPretty(settings: pino.LoggerOptions, { descriptor, beforeLine }: LogOptions): Log {
  const stream = pretty({
    destination: descriptor,
    sync: true,
    translateTime: 'SYS:HH:MM:ss.l',
    colorize: (descriptor === 1 ? process.stdout : process.stderr).hasColors?.() ?? false
  })
  const lines = {
    write(line: string) {
      beforeLine?.()
      stream.write(line)
    }
  }
  return { logger: pino(settings, lines), flush() {} }
}

// Writes what the clients of both clusters say into the log: equal lines at most once in ten seconds.

import type { Logger } from 'pino'
import type { ClusterEvent } from '../native/index.ts'
import type { Repeats } from './repeats.ts'

type Level = 'error' | 'warn' | 'info' | 'debug'

export class ClientLog {
  readonly #log: Logger
  readonly #repeats: Repeats

  constructor(log: Logger, repeats: Repeats) {
    this.#log = log
    this.#repeats = repeats
  }

  /** `client` names which of our clients it was. */
  write(client: string, event: ClusterEvent): void {
    if (event.type === 'error') {
      const { name, code, message, fatal, retriable } = event.failure
      // A broker's own no stays one until somebody acts; the client's troubles pass.
      const level = fatal || (code > 0 && !retriable) ? 'error' : 'warn'
      this.#repeats.write(`${client} ${name}`, count =>
        this.#log[level]({ client, error: name, code, detail: message, count }, 'client error')
      )
      return
    }
    const { level, facility, message } = event
    this.#repeats.write(`${client} ${level} ${facility}`, count =>
      this.#log[levelOf(level)]({ client, facility, detail: message, count }, 'client message')
    )
  }
}

/** From syslog severities. */
function levelOf(severity: number): Level {
  if (severity <= 3) return 'error'
  if (severity === 4) return 'warn'
  return severity <= 6 ? 'info' : 'debug'
}

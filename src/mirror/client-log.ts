// Writes what the clients of both clusters say into the log: equal lines at most once in ten seconds.

import type { Logger } from 'pino'
import type { ClusterEvent, KafkaFailure, Properties } from '../native/index.ts'
import { adviseOn } from './connection-advice.ts'
import { type Advice, adviseOnLogin, isRefusal, usesTls } from './connection-trouble.ts'
import type { Repeats } from './repeats.ts'

type Level = 'error' | 'warn' | 'info' | 'debug'
export type ClientName = 'source' | 'target' | 'group'

export class ClientLog {
  readonly #log: Logger
  readonly #repeats: Repeats
  readonly #connections: Readonly<Record<ClientName, Properties>>

  constructor(
    log: Logger,
    repeats: Repeats,
    connections: Readonly<Record<ClientName, Properties>>
  ) {
    this.#log = log
    this.#repeats = repeats
    this.#connections = connections
  }

  /** `client` names which of our clients it was. */
  write(client: ClientName, event: ClusterEvent): void {
    if (event.type === 'error') {
      const { failure } = event
      this.#repeats.write(`${client} ${failure.name}`, count =>
        this.#writeError(client, failure, count)
      )
      return
    }
    const { level, facility, message } = event
    // The same comes as an error.
    if (facility === 'FAIL' && level === errorLevel) return
    this.#repeats.write(`${client} ${level} ${facility}`, count =>
      this.#log[levelOf(level)]({ client, facility, detail: message, count }, 'client message')
    )
  }

  #writeError(client: ClientName, failure: KafkaFailure, count: number): void {
    const { name, code, message, fatal } = failure
    const connection = this.#connections[client]
    const level = fatal || isRefusal(failure) ? 'error' : 'warn'
    const write = (advice: Advice | undefined) =>
      this.#log[level](
        {
          client,
          error: name,
          code,
          detail: message,
          cause: advice?.cause,
          fix: advice?.fix,
          count
        },
        'client error'
      )
    if (!isTlsTrouble(failure, connection)) return write(adviseOnLogin(failure))
    adviseOn(failure, connection).then(write, () => write(undefined))
  }
}

/** A client's certificate is refused when TLS is set up already: then the code is that of any lost connection. */
function isTlsTrouble({ name }: KafkaFailure, connection: Properties): boolean {
  return usesTls(connection) && (name === '_SSL' || name === '_TRANSPORT')
}

/** Of syslog. */
const errorLevel = 3

/** From syslog severities. */
function levelOf(severity: number): Level {
  if (severity <= 3) return 'error'
  if (severity === 4) return 'warn'
  return severity <= 6 ? 'info' : 'debug'
}

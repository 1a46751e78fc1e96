// Signals of a long-running command: what each asks for, from before anything is loaded until the end.

import { constants } from 'node:os'
import { isatty } from 'node:tty'
import { exitAtOnce } from '../native/index.ts'
import type { Logger } from '../observe/log.ts'

export type HandledSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR2'
export type Deed = 'drain' | 'end' | 'reload' | 'show' | 'nothing'

/** Whoever stopped the command: a signal, or the log that nobody reads any more. */
export type StopCause = HandledSignal | 'log'

export interface Circumstances {
  /** One of the standard streams was a terminal at the start. */
  isOnTerminal: boolean
  isDraining: boolean
  /** SIGTERM or SIGINT has come before. */
  isEndAsked: boolean
}

export interface SignalDeeds {
  logger: Logger
  /** SIGHUP without a terminal. */
  reload?: () => void
  /** SIGUSR2. */
  show?: () => void
}

const handled: readonly HandledSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']

export class Signals {
  readonly #controller = new AbortController()
  readonly #isOnTerminal: boolean
  readonly #early = new Set<HandledSignal>()
  #deeds: SignalDeeds | undefined
  #cause: StopCause | undefined
  #isEndAsked = false
  readonly #onSignal = (signal: NodeJS.Signals) => this.#receive(signal as HandledSignal)

  constructor(isOnTerminal = hasTerminal()) {
    this.#isOnTerminal = isOnTerminal
    for (const signal of handled) process.on(signal, this.#onSignal)
  }

  /** Aborted when the command has to drain and end. */
  get stop(): AbortSignal {
    return this.#controller.signal
  }

  get cause(): StopCause | undefined {
    return this.#cause
  }

  /** From here on signals are acted on and logged; what came before and can be done late is done now. */
  serve(deeds: SignalDeeds): void {
    this.#deeds = deeds
    if (this.#cause !== undefined) deeds.logger.info({ cause: this.#cause }, 'draining')
    for (const signal of this.#early) this.#receive(signal)
    this.#early.clear()
  }

  /** Drains as for a signal. */
  drain(cause: StopCause): void {
    if (this.#cause !== undefined) return
    this.#cause = cause
    this.#controller.abort(cause)
  }

  close(): void {
    for (const signal of handled) process.off(signal, this.#onSignal)
  }

  #receive(signal: HandledSignal): void {
    const deed = decideSignal(signal, {
      isOnTerminal: this.#isOnTerminal,
      isDraining: this.#cause !== undefined,
      isEndAsked: this.#isEndAsked
    })
    if (signal === 'SIGTERM' || signal === 'SIGINT') this.#isEndAsked = true
    if (deed === 'drain') return this.#startDrain(signal)
    if (deed === 'end') return this.#endAtOnce(signal)
    if (deed === 'nothing') {
      this.#deeds?.logger.info({ signal }, 'draining already; this signal changes nothing')
    } else if (!this.#deeds) this.#early.add(signal)
    else if (deed === 'reload') this.#deeds.reload?.()
    else this.#deeds.show?.()
  }

  #startDrain(signal: HandledSignal): void {
    const what =
      signal === 'SIGHUP'
        ? 'the terminal has gone: draining'
        : 'draining; a second signal ends at once'
    this.#deeds?.logger.info({ signal }, what)
    this.drain(signal)
  }

  #endAtOnce(signal: HandledSignal): never {
    this.#deeds?.logger.fatal({ signal }, 'second signal: ending at once')
    exitAtOnce(128 + constants.signals[signal])
  }
}

/** A terminal that goes says so by SIGHUP, once or twice: that never counts as a second signal. */
export function decideSignal(
  signal: HandledSignal,
  { isOnTerminal, isDraining, isEndAsked }: Circumstances
): Deed {
  if (signal === 'SIGUSR2') return 'show'
  if (signal !== 'SIGHUP' && isEndAsked) return 'end'
  if (isDraining) return 'nothing'
  if (signal === 'SIGHUP' && !isOnTerminal) return 'reload'
  return 'drain'
}

export interface StopSignals {
  stop: AbortSignal
  close(): void
}

/** For commands that know nothing but an end. */
export function stopOnSignals(logger: Logger): StopSignals {
  const signals = new Signals()
  signals.serve({ logger })
  return { stop: signals.stop, close: () => signals.close() }
}

/** To be asked early: a terminal that has gone is none any more. */
function hasTerminal(): boolean {
  return [0, 1, 2].some(descriptor => isatty(descriptor))
}

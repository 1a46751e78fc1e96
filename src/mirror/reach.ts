// Waits until a cluster answers, however long that takes.

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { ConfigError } from '../errors.ts'
import {
  type Cluster,
  type ClusterEvent,
  failureOf,
  type KafkaFailure,
  type Properties
} from '../native/index.ts'
import { adviseOn } from './connection-advice.ts'
import { isRefusal } from './connection-trouble.ts'

const attemptMs = 3_000
const pauseMs = 250
const sayEveryMs = 10_000

export interface Side {
  side: 'source' | 'target'
  alias: string
  connection: Properties
}

/**
 * Id of the cluster, empty when its brokers have none; undefined when `stop` came first. Fails with a ConfigError when
 * no try can ever help.
 */
export async function reachCluster(
  cluster: Cluster,
  side: Side,
  log: Logger,
  stop: AbortSignal
): Promise<string | undefined> {
  const trouble = new Trouble(side, log)
  while (!stop.aborted) {
    try {
      const metadata = await unlessStopped(cluster.metadata([], attemptMs), stop)
      if (!metadata) return undefined
      const id = (await unlessStopped(cluster.clusterId(attemptMs), stop)) ?? ''
      log.info(
        { cluster: side.alias, side: side.side, clusterId: id, brokers: metadata.brokers.length },
        'cluster reached'
      )
      return id
    } catch (error) {
      await unlessStopped(trouble.note(error, cluster.drainEvents()), stop)
    }
    await delay(pauseMs, undefined, { signal: stop }).catch(() => undefined)
  }
  return undefined
}

/** Resolves with undefined when the signal comes first. */
async function unlessStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T | undefined> {
  if (stop.aborted) return undefined
  let onAbort = (): void => {}
  const stopped = new Promise<undefined>(resolve => {
    onAbort = () => resolve(undefined)
    stop.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, stopped])
  } finally {
    stop.removeEventListener('abort', onAbort)
    // When the signal won, nobody waits for the work any more.
    work.catch(() => undefined)
  }
}

/** Tells of an unreachable cluster every ten seconds, with what was the matter last, why, and what to do. */
class Trouble {
  readonly #side: Side
  readonly #log: Logger
  readonly #since = performance.now()
  #saidAt = Number.NEGATIVE_INFINITY
  #failure: KafkaFailure | undefined

  constructor(side: Side, log: Logger) {
    this.#side = side
    this.#log = log
  }

  async note(error: unknown, events: readonly ClusterEvent[]): Promise<void> {
    // The client's own events name host and cause; the call only knows that its time was over.
    this.#failure = moreTelling(lastFailure(events), this.#failure) ?? failureOf(error)
    const now = performance.now()
    if (now - this.#saidAt < sayEveryMs) return
    this.#saidAt = now
    const { alias, side, connection } = this.#side
    // A look that fails must not end the run; the failure itself is said in any case.
    const advice = await adviseOn(this.#failure, connection).catch(() => undefined)
    if (advice?.isFinal) throw new ConfigError(`${side} "${alias}": ${advice.cause}: ${advice.fix}`)
    const level = this.#failure && isRefusal(this.#failure) ? 'error' : 'warn'
    this.#log[level](
      {
        cluster: alias,
        side,
        bootstrapServers: connection['bootstrap.servers'],
        error: this.#failure ? sayFailure(this.#failure) : String(error),
        cause: advice?.cause,
        fix: advice?.fix,
        durationMs: Math.round(now - this.#since)
      },
      'cluster cannot be reached; trying again'
    )
  }
}

// librdkafka says the same cause once in half a minute, and in between only that all brokers are down.
function moreTelling(
  now: KafkaFailure | undefined,
  before: KafkaFailure | undefined
): KafkaFailure | undefined {
  return now && (isTelling(now) || !before) ? now : before
}

function isTelling({ name }: KafkaFailure): boolean {
  return name !== '_ALL_BROKERS_DOWN'
}

export function lastFailure(events: readonly ClusterEvent[]): KafkaFailure | undefined {
  const errors = events.flatMap(event => (event.type === 'error' ? event.failure : []))
  return errors.filter(isTelling).at(-1) ?? errors.at(-1)
}

export function lastError(events: readonly ClusterEvent[]): string | undefined {
  const failure = lastFailure(events)
  return failure && sayFailure(failure)
}

export function textOf(error: unknown): string {
  const failure = failureOf(error)
  return failure ? sayFailure(failure) : String(error)
}

function sayFailure({ name, message }: KafkaFailure): string {
  return `${name}: ${message}`
}

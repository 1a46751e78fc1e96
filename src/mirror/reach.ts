// Waits until a cluster answers, however long that takes.

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type Cluster, type ClusterEvent, failureOf } from '../native/index.ts'

const attemptMs = 3_000
const pauseMs = 250
const sayEveryMs = 10_000

export interface Side {
  side: 'source' | 'target'
  alias: string
  bootstrapServers: string
}

/** Id of the cluster, empty when its brokers have none; undefined when `stop` came first. */
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
      trouble.note(error, cluster.drainEvents())
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

/** Tells of an unreachable cluster every ten seconds, with what was the matter last. */
class Trouble {
  readonly #side: Side
  readonly #log: Logger
  readonly #since = performance.now()
  #saidAt = Number.NEGATIVE_INFINITY
  #error = ''

  constructor(side: Side, log: Logger) {
    this.#side = side
    this.#log = log
  }

  note(error: unknown, events: readonly ClusterEvent[]): void {
    // The client's own events name host and cause; the call only knows that its time was over.
    this.#error = lastError(events) ?? (this.#error || textOf(error))
    const now = performance.now()
    if (now - this.#saidAt < sayEveryMs) return
    this.#saidAt = now
    const { alias, side, bootstrapServers } = this.#side
    this.#log.warn(
      {
        cluster: alias,
        side,
        bootstrapServers,
        error: this.#error,
        durationMs: Math.round(now - this.#since)
      },
      'cluster cannot be reached; trying again'
    )
  }
}

function lastError(events: readonly ClusterEvent[]): string | undefined {
  const errors = events.flatMap(event => (event.type === 'error' ? event.failure : []))
  const telling = errors.filter(failure => failure.name !== '_ALL_BROKERS_DOWN')
  const last = telling.at(-1) ?? errors.at(-1)
  return last && `${last.name}: ${last.message}`
}

function textOf(error: unknown): string {
  const failure = failureOf(error)
  return failure ? `${failure.name}: ${failure.message}` : String(error)
}

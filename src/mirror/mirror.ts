// The mirror: reaches both clusters, refuses a loop, runs the link, and says how it ended.

import type { Logger } from 'pino'
import { ConfigError, describeFailure } from '../errors.ts'
import { Cluster, type Properties } from '../native/index.ts'
import { isDoneWithin } from './limited.ts'
import { LinkRun } from './link-run.ts'
import { reachCluster } from './reach.ts'
import type { Check, MirrorConfig, MirrorPhase, MirrorResult, MirrorState } from './types.ts'

/** A client closes at once; one that hangs on a dead broker must not hold up the exit. */
const closeWithinMs = 2_000

export interface RunOptions {
  /** Asks the mirror to drain and end. */
  stop: AbortSignal
}

export class Mirror {
  readonly #config: MirrorConfig
  readonly #log: Logger
  #startedAt = Date.now()
  #ids: { source?: string; target?: string } = {}
  #run: LinkRun | undefined
  #hasEnded = false

  constructor(config: MirrorConfig, log: Logger) {
    this.#config = config
    this.#log = log.child({ source: config.source.alias, target: config.target.alias })
  }

  /** Fails with a ConfigError when the configuration turns out to be a loop. To be called once. */
  async run({ stop }: RunOptions): Promise<MirrorResult> {
    this.#startedAt = Date.now()
    const source = openCluster('source', this.#config.source.connection)
    const target = openTarget(this.#config.target.connection, source)
    try {
      const isReached = await this.#reach(source, target, stop)
      if (!isReached) return this.#end(0, 'stopped before both clusters were reached')
      this.#refuseLoop()
      this.#run = new LinkRun({
        config: this.#config,
        source,
        target,
        targetClusterId: this.#ids.target ?? '',
        log: this.#log
      })
      const { exitCode, reason } = await this.#run.run(stop)
      return this.#end(exitCode, reason)
    } finally {
      this.#hasEnded = true
      if (!(await isDoneWithin(closeBoth(source, target), closeWithinMs))) {
        this.#log.warn({}, 'clusters did not close in time')
      }
    }
  }

  state(): MirrorState {
    const checks = this.#checks()
    const phase = this.#phase()
    const isUp = phase === 'joining' || phase === 'mirroring'
    return {
      startedAt: this.#startedAt,
      phase,
      ready: isUp && checks.every(({ ok }) => ok),
      checks,
      ...(this.#ids.source === undefined ? {} : { sourceClusterId: this.#ids.source }),
      ...(this.#ids.target === undefined ? {} : { targetClusterId: this.#ids.target }),
      budgetBytes: this.#config.link.budgetBytes,
      links: this.#run ? [this.#run.state()] : []
    }
  }

  async #reach(source: Cluster, target: Cluster, stop: AbortSignal): Promise<boolean> {
    const reach = async (side: 'source' | 'target', cluster: Cluster): Promise<boolean> => {
      const { alias, connection } = this.#config[side]
      const bootstrapServers = connection['bootstrap.servers'] ?? ''
      const id = await reachCluster(cluster, { side, alias, bootstrapServers }, this.#log, stop)
      if (id === undefined) return false
      this.#ids[side] = id
      return true
    }
    const reached = await Promise.all([reach('source', source), reach('target', target)])
    return reached.every(Boolean)
  }

  /** Topics keep their names, so one cluster on both sides would feed itself. */
  #refuseLoop(): void {
    const { source, target } = this.#ids
    if (!source || source !== target) return
    throw new ConfigError(
      `source and target are the same cluster (${source}): each record would be mirrored onto its own ` +
        'topic, again and again. Set bootstrap.servers of another cluster on one side'
    )
  }

  #phase(): MirrorPhase {
    if (this.#hasEnded) return 'ended'
    return this.#run?.phase ?? 'connecting'
  }

  #checks(): Check[] {
    return [
      clusterCheck('source', this.#config.source.alias, this.#ids.source),
      clusterCheck('target', this.#config.target.alias, this.#ids.target),
      ...(this.#run?.checks() ?? [
        { name: 'group', ok: false, detail: 'not joined yet' },
        { name: 'topics', ok: false, detail: 'not looked at yet' }
      ])
    ]
  }

  #end(exitCode: MirrorResult['exitCode'], reason: string): MirrorResult {
    this.#hasEnded = true
    return { exitCode, reason, state: this.state() }
  }
}

async function closeBoth(source: Cluster, target: Cluster): Promise<void> {
  await source.close()
  await target.close()
}

function clusterCheck(side: string, alias: string, id: string | undefined): Check {
  const isReached = id !== undefined
  const detail = isReached ? `${alias} was reached` : `${alias} has not been reached yet`
  return { name: side, ok: isReached, detail }
}

function openCluster(side: string, properties: Properties): Cluster {
  try {
    return new Cluster(properties)
  } catch (error) {
    const cause = describeFailure(side, error)
    throw new ConfigError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function openTarget(properties: Properties, source: Cluster): Cluster {
  try {
    return openCluster('target', properties)
  } catch (error) {
    source.close().catch(() => undefined)
    throw error
  }
}

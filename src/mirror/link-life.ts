// One link from its first connection to its last: both clusters opened, reached and closed around its run.

import type { Logger } from 'pino'
import type { Cluster, Properties } from '../native/index.ts'
import type { Gathering } from '../topics/gathering.ts'
import type { ClusterIds } from './cluster-ids.ts'
import type { Ended } from './end.ts'
import { isDoneWithin } from './limited.ts'
import { LinkRun } from './link-run.ts'
import { openCluster } from './open-client.ts'
import { defaultExpiryMs, readProducerExpiry } from './producer-expiry.ts'
import { reachCluster } from './reach.ts'
import { type Credentials, compareLink, type Reloadable, type Reloaded } from './reload.ts'
import { checkSourceAge } from './source-age.ts'
import type {
  Check,
  LinkConfig,
  LinkState,
  LinkTotals,
  MirrorConfig,
  MirrorPhase
} from './types.ts'

/** A client closes at once; one that hangs on a dead broker must not hold up the exit. */
const closeWithinMs = 2_000

export interface LinkLifeOptions {
  own: LinkConfig
  config: MirrorConfig
  /** What all links know of one another's topics. */
  gathering: Gathering
  ids: ClusterIds
  log: Logger
}

export class LinkLife {
  readonly #options: LinkLifeOptions
  readonly #log: Logger
  #own: LinkConfig
  #targetConfig: MirrorConfig['target']
  readonly #source: Cluster
  readonly #target: Cluster
  #reached: { source?: string; target?: string } = {}
  #run: LinkRun | undefined
  #hasEnded = false

  /** Throws a ConfigError when a client refuses its settings. */
  constructor(options: LinkLifeOptions) {
    const { own, config, log } = options
    this.#options = options
    this.#own = own
    this.#targetConfig = config.target
    this.#log = log.child({ source: own.source.alias, target: config.target.alias })
    this.#source = openCluster(`source "${own.source.alias}"`, own.source.connection)
    this.#target = openTarget(config.target.connection, this.#source)
  }

  get alias(): string {
    return this.#options.own.source.alias
  }

  get phase(): MirrorPhase {
    if (this.#hasEnded) return 'ended'
    return this.#run?.phase ?? 'connecting'
  }

  /** Fails with a ConfigError when the configuration turns out to be a loop, or a cluster too old. To be called once. */
  async run(stop: AbortSignal): Promise<Ended> {
    const { config, gathering, ids } = this.#options
    const own = this.#own
    try {
      if (!(await this.#reach(stop))) {
        return { exitCode: 0, reason: 'stopped before both clusters were reached' }
      }
      const { source: sourceId = '', target: targetClusterId = '' } = this.#reached
      ids.add(own.source.alias, sourceId, targetClusterId)
      const producerExpiryMs = own.link.idempotent
        ? await readProducerExpiry(this.#target, this.#log)
        : defaultExpiryMs
      this.#run = new LinkRun({
        own,
        config,
        gathering,
        source: this.#source,
        target: this.#target,
        targetClusterId,
        producerExpiryMs,
        log: this.#log
      })
      return await this.#run.run(stop)
    } finally {
      this.#hasEnded = true
      gathering.leave(own.source.alias)
      await this.close()
    }
  }

  async close(): Promise<void> {
    this.#hasEnded = true
    if (await isDoneWithin(closeBoth(this.#source, this.#target), closeWithinMs)) return
    this.#log.warn({}, 'clusters did not close in time')
  }

  /** Undefined before the run has begun. */
  state(): LinkState | undefined {
    return this.#run?.state()
  }

  /** As they are at this moment; undefined before the run has begun. */
  totals(): LinkTotals | undefined {
    return this.#run?.totals()
  }

  /** Takes over what may change while the link runs. What waits is named again each time. */
  reload(read: Reloadable): Reloaded {
    const own = read.links.find(({ source }) => source.alias === this.alias)
    if (!own) return { taken: [], waiting: [] }
    const targets = { running: this.#targetConfig, read: read.target }
    const changes = compareLink(this.#own, own, targets)
    const { source, target, commitIntervalMs, taken, waiting } = changes
    if (source) {
      this.#source.setCredentials(source.username, source.password)
      this.#run?.setCredentials(source)
      this.#own = { ...this.#own, source: withCredentials(this.#own.source, source) }
    }
    if (target) {
      this.#target.setCredentials(target.username, target.password)
      this.#targetConfig = withCredentials(this.#targetConfig, target)
    }
    if (commitIntervalMs !== undefined) {
      this.#run?.setCommitInterval(commitIntervalMs)
      this.#own = { ...this.#own, commitIntervalMs }
    }
    return { taken, waiting }
  }

  checks(): Check[] {
    const { own, config } = this.#options
    return [
      clusterCheck('source', own.source.alias, this.#reached.source),
      clusterCheck('target', config.target.alias, this.#reached.target),
      ...(this.#run?.checks() ?? [
        { name: 'group', ok: false, detail: 'not joined yet' },
        { name: 'topics', ok: false, detail: 'not looked at yet' }
      ])
    ]
  }

  async #reach(stop: AbortSignal): Promise<boolean> {
    const { own, config } = this.#options
    // When one side cannot be had, nobody waits for the other any more.
    const failed = new AbortController()
    const either = AbortSignal.any([stop, failed.signal])
    const reach = async (side: 'source' | 'target', cluster: Cluster): Promise<boolean> => {
      const { alias, connection } = side === 'source' ? own.source : config.target
      const id = await reachCluster(cluster, { side, alias, connection }, this.#log, either)
      if (id === undefined) return false
      this.#reached[side] = id
      return true
    }
    const reachSource = async (): Promise<boolean> => {
      const isReached = await reach('source', this.#source)
      const { alias, connection } = own.source
      const servers = connection['bootstrap.servers'] ?? ''
      if (isReached) checkSourceAge(alias, servers, this.#source.fetchVersion(), this.#log)
      return isReached
    }
    try {
      const reached = await Promise.all([reachSource(), reach('target', this.#target)])
      return reached.every(Boolean)
    } finally {
      failed.abort()
    }
  }
}

function withCredentials<Config extends { connection: Properties }>(
  config: Config,
  { username, password }: Credentials
): Config {
  const connection = {
    ...config.connection,
    'sasl.username': username,
    'sasl.password': password
  }
  return { ...config, connection }
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

function openTarget(properties: Properties, source: Cluster): Cluster {
  try {
    return openCluster('target', properties)
  } catch (error) {
    source.close().catch(() => undefined)
    throw error
  }
}

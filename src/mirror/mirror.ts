// The mirror: runs its links side by side, and says how it all ended.

import type { Logger } from 'pino'
import { Gathering } from '../topics/gathering.ts'
import { ClusterIds } from './cluster-ids.ts'
import { type Ended, mergeEnds } from './end.ts'
import { LinkLife } from './link-life.ts'
import { compareCodecs, compareSources, type Reloadable, type Reloaded } from './reload.ts'
import type {
  Check,
  LinkTotals,
  MirrorConfig,
  MirrorPhase,
  MirrorResult,
  MirrorState
} from './types.ts'

export interface RunOptions {
  /** Asks the mirror to drain and end. */
  stop: AbortSignal
}

/** From the least that a link does to the most. */
const progress: readonly MirrorPhase[] = ['ended', 'mirroring', 'joining', 'connecting', 'draining']

export class Mirror {
  readonly #config: MirrorConfig
  readonly #links: LinkLife[] = []
  #startedAt = Date.now()

  /** Throws a ConfigError when a client refuses its settings. */
  constructor(config: MirrorConfig, log: Logger) {
    this.#config = config
    const ids = new ClusterIds()
    const gathering = new Gathering(config.links.map(({ source }) => source.alias))
    try {
      for (const own of config.links) {
        this.#links.push(new LinkLife({ own, config, gathering, ids, log }))
      }
    } catch (error) {
      for (const link of this.#links) link.close().catch(() => undefined)
      throw error
    }
  }

  /** Fails with a ConfigError when the configuration turns out to be a loop. To be called once. */
  async run({ stop }: RunOptions): Promise<MirrorResult> {
    this.#startedAt = Date.now()
    const failed = new AbortController()
    const signal = AbortSignal.any([stop, failed.signal])
    const ends = await Promise.allSettled(
      this.#links.map(link => runLink(link, signal, () => failed.abort()))
    )
    const broken = ends.find(end => end.status === 'rejected')
    if (broken) throw broken.reason
    const { exitCode, reason } = mergeEnds(ends.flatMap(end => ('value' in end ? end.value : [])))
    return { exitCode, reason, state: this.state() }
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
      budgetBytes: this.#config.links.reduce((sum, { link }) => sum + link.budgetBytes, 0),
      links: this.#links.flatMap(link => link.state() ?? [])
    }
  }

  /** Totals of the links that run, as they are at this moment; those of `state` may be a second old. */
  totals(): LinkTotals[] {
    return this.#links.flatMap(link => link.totals() ?? [])
  }

  /** Takes over what may change while the mirror runs, and names what has to wait for a restart. */
  reload(read: Reloadable): Reloaded {
    const changes = this.#links.map(link => link.reload(read))
    return {
      taken: unique(changes.flatMap(({ taken }) => taken)),
      waiting: unique([
        ...compareCodecs(this.#config, read),
        ...compareSources(this.#config, read),
        ...changes.flatMap(({ waiting }) => waiting)
      ])
    }
  }

  #phase(): MirrorPhase {
    const phases = this.#links.map(({ phase }) => phase)
    const rank = Math.max(...phases.map(phase => progress.indexOf(phase)))
    return progress[rank] ?? 'ended'
  }

  #checks(): Check[] {
    const isOne = this.#links.length === 1
    return this.#links.flatMap(link => {
      const checks = link.checks()
      return isOne
        ? checks
        : checks.map(check => ({ ...check, name: `${check.name} (${link.alias})` }))
    })
  }
}

/** Links share the target, and so its changes. */
function unique(names: readonly string[]): string[] {
  return [...new Set(names)]
}

/** A link that fails ends the others too: whoever watches the process has to hear of it. */
async function runLink(
  link: LinkLife,
  stop: AbortSignal,
  onFailed: () => void
): Promise<{ alias: string; end: Ended }> {
  try {
    const end = await link.run(stop)
    if (end.isBroken) onFailed()
    return { alias: link.alias, end }
  } catch (error) {
    onFailed()
    throw error
  }
}

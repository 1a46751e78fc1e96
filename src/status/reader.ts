// Holds the connections of the links that are looked at, and reads their status again and again.

import { KafkaError } from '../errors.ts'
import { openCluster } from '../mirror/open-client.ts'
import type { Cluster } from '../native/index.ts'
import { TopicSelector } from '../topics/select.ts'
import { causeOf } from './answers.ts'
import { gatherLink, readTopics } from './gather.ts'
import { describeLink } from './link-status.ts'
import { missingAcl } from './notes.ts'
import { type ReachedTarget, reachTarget } from './target.ts'
import type { LinkFailure, LinkStatus } from './types.ts'
import type { WatchedLink, WatchedLinks } from './watched-links.ts'

const groupAuthorizationFailed = 30

export interface ReaderOptions {
  watched: WatchedLinks
  /** Only these topics, when there are any. */
  askedTopics: readonly string[]
  limitMs: number
}

export class StatusReader {
  readonly #options: ReaderOptions
  readonly #sources: readonly Cluster[]
  readonly #target: Cluster | undefined
  readonly #selector: TopicSelector | undefined

  constructor(options: ReaderOptions) {
    this.#options = options
    const { links, targetConnection, pattern } = options.watched
    this.#selector = pattern && new TopicSelector(pattern)
    this.#sources = links.map(link => openCluster(link.source, link.sourceConnection))
    this.#target = targetConnection && openCluster('target', targetConnection)
  }

  /** One answer a link, in their order. A link that cannot be read does not hide the others. */
  read(): Promise<(LinkStatus | LinkFailure)[]> {
    const { watched, limitMs } = this.#options
    const target = this.#target && reachTarget(this.#target, limitMs)
    return Promise.all(
      watched.links.map((link, index) =>
        this.#readLink(link, this.#sources[index] as Cluster, target)
      )
    )
  }

  async close(): Promise<void> {
    await this.#selector?.close()
    await Promise.all(this.#sources.map(source => source.close()))
    await this.#target?.close()
  }

  async #readLink(
    link: WatchedLink,
    source: Cluster,
    target: ReachedTarget | undefined
  ): Promise<LinkStatus | LinkFailure> {
    const { askedTopics, limitMs } = this.#options
    const { source: name, target: targetName, group, isolation } = link
    let isReached = false
    try {
      const metadata = await readTopics(source, limitMs)
      isReached = true
      const facts = await gatherLink({
        source,
        metadata,
        target,
        group,
        isolation,
        chooseTopics: (all, ofGroup) => this.#choose(all, ofGroup),
        limitMs
      })
      return describeLink(facts, { source: name, target: targetName, askedTopics })
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const why = isReached ? explain(error, group) : explainUnreached(error, link)
      return { source: name, target: targetName, group, error: why }
    }
  }

  async #choose(all: readonly string[], ofGroup: readonly string[]): Promise<string[]> {
    const { askedTopics } = this.#options
    const known = [...new Set([...all, ...ofGroup])]
    const asked = known.filter(topic => askedTopics.includes(topic))
    if (!this.#selector) return askedTopics.length > 0 ? asked : [...ofGroup]
    const { selected } = await this.#selector.select(askedTopics.length > 0 ? asked : known)
    return selected
  }
}

function explain(error: KafkaError, group: string): string {
  if (error.kafkaCode === groupAuthorizationFailed) {
    return `${error.message}: ${missingAcl('Describe', 'group', group)}`
  }
  // A broker that has just gone is still named until the others have chosen in its place.
  return error.kafkaCode < 0 ? `${error.message}. Try again in a few seconds` : error.message
}

function explainUnreached(error: KafkaError, { source, sourceConnection }: WatchedLink): string {
  const servers = sourceConnection['bootstrap.servers'] ?? ''
  return `${source} at ${servers} cannot be reached: ${causeOf(error)}. Check address, security settings and network`
}

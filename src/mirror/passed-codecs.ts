// Says once when batches pass in another codec than the target's file asks for: it asks for rebuilt ones only.

import type { Logger } from 'pino'
import {
  type BatchHeader,
  type Cluster,
  failureOf,
  type Isolation,
  type TopicPartition
} from '../native/index.ts'
import type { CodecRules } from '../topics/codec-rules.ts'

export interface PassedCodecsOptions {
  source: Pick<Cluster, 'readHeaders'>
  codecs: Pick<CodecRules, 'ruleFor'>
  isolation: Isolation
  log: Logger
}

/** Where a lane begins on the source. */
export type Beginning = TopicPartition & { offset: number }

const timeoutMs = 5_000
const headerBytes = 4_096

// The first batches of so many topics show what a file says of all of them.
const mostTopics = 50

export class PassedCodecs {
  readonly #options: PassedCodecsOptions
  #isTold = false

  constructor(options: PassedCodecsOptions) {
    this.#options = options
  }

  /** Looks at the first batches of one lane a topic. What cannot be read is left to the lanes, which will say so. */
  async look(beginnings: readonly Beginning[]): Promise<void> {
    const { source, isolation, log } = this.#options
    if (this.#isTold) return
    const byTopic = new Map(beginnings.map(beginning => [beginning.topic, beginning]))
    const asked = [...byTopic.values()].filter(({ topic }) => this.#mayDiffer(topic))
    if (asked.length === 0) return
    try {
      const places = asked.slice(0, mostTopics)
      const found = await source.readHeaders(places, headerBytes, isolation, timeoutMs)
      for (const { topic, batches } of found) this.#judge(topic, batches)
    } catch (error) {
      const failure = failureOf(error)
      if (!failure) throw error
      log.debug({ error: failure.name }, 'codecs on the source cannot be read')
    }
  }

  #mayDiffer(topic: string): boolean {
    const { codec, isForced } = this.#options.codecs.ruleFor(topic)
    return codec !== undefined && !isForced
  }

  #judge(topic: string, batches: readonly BatchHeader[]): void {
    const { codecs, log } = this.#options
    const { codec: asked } = codecs.ruleFor(topic)
    const other = batches.find(batch => passes(batch) && batch.codec !== asked)
    if (other === undefined || this.#isTold) return
    this.#isTold = true
    log.warn(
      { topic, codec: other.codec, asked, fix: `--recompress ${asked} rebuilds those too` },
      'batches pass in the codec of the source; compression.type is for rebuilt ones only'
    )
  }
}

/** As far as its header tells. */
function passes({ magic, isControl, records, baseOffset, lastOffset }: BatchHeader): boolean {
  return magic === 2 && !isControl && records === lastOffset - baseOffset + 1
}

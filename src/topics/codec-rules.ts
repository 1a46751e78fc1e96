// Decides in which codec the batches of a topic are written.

import type { Codec, Compression } from '../batches/codec.ts'
import { TopicSelector } from './select.ts'

/** Topics of which every batch is to have one codec. */
export interface Recompression {
  /** A Java regular expression on whole names; undefined: every topic that no other one names. */
  pattern: string | undefined
  codec: Codec
  /** The codec's own choice unless given. */
  level?: number
}

/** What the target's file says of batches that are written anew. */
export interface TargetCompression extends Compression {
  /** Those that get `codec`; every topic unless given. */
  topics?: readonly string[]
}

export interface CodecSettings {
  recompress: readonly Recompression[]
  compression: TargetCompression
}

export interface CodecRule extends Compression {
  /** Batches that have another codec are rebuilt for that alone. */
  isForced: boolean
}

const asTheyCame: CodecSettings = { recompress: [], compression: { levels: {} } }

export class CodecRules {
  readonly #compression: TargetCompression
  readonly #patterns: readonly { selector: TopicSelector; rule: CodecRule }[]
  /** Undefined: topics that no pattern names are not recompressed. */
  readonly #forEvery: CodecRule | undefined
  readonly #rules = new Map<string, CodecRule>()

  constructor({ recompress, compression }: CodecSettings = asTheyCame) {
    const { levels } = compression
    const toRule = ({ codec, level }: Recompression): CodecRule => ({
      codec,
      levels: level === undefined ? levels : { ...levels, [codec]: level },
      isForced: true
    })
    this.#compression = compression
    this.#patterns = recompress.flatMap(one =>
      one.pattern === undefined
        ? []
        : { selector: new TopicSelector({ include: one.pattern }), rule: toRule(one) }
    )
    const forEvery = recompress.find(({ pattern }) => pattern === undefined)
    this.#forEvery = forEvery && toRule(forEvery)
  }

  /** The first pattern that matches counts. To be awaited before `ruleFor`; a ConfigError where it takes too long. */
  async learn(topics: readonly string[]): Promise<void> {
    let unknown = [...new Set(topics)].filter(topic => !this.#rules.has(topic))
    for (const { selector, rule } of this.#patterns) {
      if (unknown.length === 0) return
      const { selected } = await selector.select(unknown)
      for (const topic of selected) this.#rules.set(topic, rule)
      unknown = unknown.filter(topic => !this.#rules.has(topic))
    }
    for (const topic of unknown) this.#rules.set(topic, this.#forEvery ?? this.#unforced(topic))
  }

  ruleFor(topic: string): CodecRule {
    const rule = this.#rules.get(topic)
    if (rule === undefined) throw new Error(`nobody has asked for the codec of topic "${topic}"`)
    return rule
  }

  async close(): Promise<void> {
    await Promise.all(this.#patterns.map(({ selector }) => selector.close()))
  }

  #unforced(topic: string): CodecRule {
    const { codec, levels, topics } = this.#compression
    const isOneOfThem = topics === undefined || topics.includes(topic)
    return { ...(codec && isOneOfThem && { codec }), levels, isForced: false }
  }
}

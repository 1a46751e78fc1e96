// Topics of one name at several sources share one target topic, which is as large as the largest of them.

import { setTimeout as delay } from 'node:timers/promises'

/** A source that cannot be reached must not hold up the others; what it has is added when it comes. */
const patienceMs = 5_000

const lookAgainMs = 50

export class Gathering {
  /** Partitions of each topic, by source. */
  readonly #sizes = new Map<string, ReadonlyMap<string, number>>()
  readonly #awaited: Set<string>
  readonly #openedAt = performance.now()
  /** By topic, since the first look at it: whether the target had all partitions of the sources'. */
  readonly inStep = new Map<string, boolean>()

  constructor(sources: Iterable<string>) {
    this.#awaited = new Set(sources)
  }

  /** What a source has now. */
  note(source: string, sizes: ReadonlyMap<string, number>): void {
    this.#sizes.set(source, sizes)
    this.#awaited.delete(source)
  }

  /** A source that is not mirrored any more counts no longer. */
  leave(source: string): void {
    this.#sizes.delete(source)
    this.#awaited.delete(source)
  }

  /** Partitions of the largest topic of that name; 0 when no source has it. */
  largest(topic: string): number {
    return Math.max(0, ...[...this.#sizes.values()].map(sizes => sizes.get(topic) ?? 0))
  }

  /** Sources that have a topic of that name. */
  sourcesOf(topic: string): string[] {
    return [...this.#sizes].flatMap(([source, sizes]) => (sizes.has(topic) ? source : []))
  }

  /** Waits a moment for sources that have not told their topics yet, so that topics are created at their size. */
  async complete(): Promise<void> {
    const until = this.#openedAt + patienceMs
    while (this.#awaited.size > 0 && performance.now() < until) await delay(lookAgainMs)
  }
}

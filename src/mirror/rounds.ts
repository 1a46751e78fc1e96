// Requests name a partition once: what is about one several times goes in rounds.

import type { TopicPartition } from '../native/index.ts'
import { laneName } from './lane.ts'

/** Each of them in one round, and in a later one than those of its partition that stand before it. */
export function inRounds<Item extends TopicPartition>(items: readonly Item[]): Item[][] {
  const rounds: Item[][] = []
  const seen = new Map<string, number>()
  for (const item of items) {
    const name = laneName(item.topic, item.partition)
    const round = seen.get(name) ?? 0
    seen.set(name, round + 1)
    rounds[round] ??= []
    rounds[round].push(item)
  }
  return rounds
}

// Owns chance that can be had again: the numbers of a test follow from a seed, which the test tells.

import type { TestContext } from 'node:test'

export type Random = {
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number
  pick<T>(choices: readonly T[]): T
  /** Chance of its own, for what goes on side by side: who comes when changes nothing. */
  split(): Random
}

/** SEED in the environment, or another one in every run. */
export function seededRandom(t: TestContext): Random {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000)
  t.diagnostic(`SEED=${seed}`)
  return randomFrom(seed)
}

export function randomFrom(seed: number): Random {
  const next = lehmer(seed)
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    between,
    pick: <T>(choices: readonly T[]) => choices[between(0, choices.length - 1)] as T,
    split: () => randomFrom(between(1, modulus - 2))
  }
}

const modulus = 2_147_483_647

/** Numbers in [0, 1), the same for the same seed. */
function lehmer(seed: number): () => number {
  let state = (seed % (modulus - 1)) + 1
  return () => {
    state = (state * 48_271) % modulus
    return (state - 1) / (modulus - 1)
  }
}

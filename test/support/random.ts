// Owns chance that can be had again: the numbers of a test follow from a seed, which the test tells.

import type { TestContext } from 'node:test'

export type Random = {
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number
}

/** SEED in the environment, or another one in every run. */
export function seededRandom(t: TestContext): Random {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000)
  t.diagnostic(`SEED=${seed}`)
  const next = lehmer(seed)
  return { between: (least, most) => least + Math.floor(next() * (most - least + 1)) }
}

/** Numbers in [0, 1), the same for the same seed. */
function lehmer(seed: number): () => number {
  const modulus = 2_147_483_647
  let state = (seed % (modulus - 1)) + 1
  return () => {
    state = (state * 48_271) % modulus
    return (state - 1) / (modulus - 1)
  }
}

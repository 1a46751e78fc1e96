// Finds out what the handlers of a run are before anything is moved: each is loaded, in a worker, and says so.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ConfigError } from '../errors.ts'
import { inspectChains } from './pool.ts'
import type { Transforms } from './rules.ts'

export interface TransformPlan extends Transforms {
  /** For each chain. */
  facts: readonly ChainFacts[]
}

export interface ChainFacts {
  isDeterministic: boolean
  /** Stands for the handlers and their arguments: another one may make other records of the same. 31 bits. */
  version: number
}

/** A ConfigError says which handler cannot be used, and why. */
export async function planTransforms(transforms: Transforms): Promise<TransformPlan> {
  const inspected = await inspectChains(transforms)
  if ('problem' in inspected) throw new ConfigError(inspected.problem)
  const facts = inspected.map(async ({ isDeterministic }, index) => ({
    isDeterministic,
    version: await versionOf(transforms.chains[index] as Transforms['chains'][number])
  }))
  return { ...transforms, facts: await Promise.all(facts) }
}

/** What a module imports is not seen: whoever changes that alone changes the module too. */
async function versionOf(chain: Transforms['chains'][number]): Promise<number> {
  const hash = createHash('sha256')
  for (const { name, file, args } of chain) {
    hash.update(JSON.stringify([name, args]))
    if (file !== undefined) hash.update(await readFile(file))
  }
  return hash.digest().readInt32BE() >>> 1
}

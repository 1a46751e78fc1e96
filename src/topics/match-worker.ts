// Matches topic names in a worker thread, which the selector can end when a pattern takes too long.

import type { NamePattern } from './pattern.ts'
import type { MatchTask } from './select.ts'

export default function match({ include, exclude, names, done }: MatchTask): boolean[] {
  const isIncluded = include && compile(include)
  const isExcluded = exclude && compile(exclude)
  return names.map((name, index) => {
    Atomics.store(done, 0, index)
    return (isIncluded?.test(name) ?? true) && !(isExcluded?.test(name) ?? false)
  })
}

function compile({ source, flags }: NamePattern): RegExp {
  return new RegExp(source, flags)
}

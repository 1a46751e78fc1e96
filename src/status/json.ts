// The status as JSON: every key is always there, and null is what is not known.

import type { AboveLimit } from './above-limit.ts'
import type { LinkFailure, LinkStatus } from './types.ts'

/** `above` is undefined without --max-lag. */
export function writeJson(
  answers: readonly (LinkStatus | LinkFailure)[],
  readAt: number,
  above: readonly AboveLimit[] | undefined,
  indent?: number
): string {
  const document = {
    at: new Date(readAt).toISOString(),
    links: answers,
    ...(above === undefined ? {} : { aboveMaxLag: above })
  }
  return JSON.stringify(document, (_, value) => value ?? null, indent)
}

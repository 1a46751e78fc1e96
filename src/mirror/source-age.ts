// Sources from before Kafka 0.11: what they are too old to tell, and which are too old to be read.

import type { Logger } from 'pino'
import { ConfigError } from '../errors.ts'
import { copiedConfigs } from '../topics/configs.ts'
import { adviseOnAge } from './connection-trouble.ts'

/** Fetch of 0.10.0, the oldest that is spoken, and of 0.11. */
const oldestFetch = 2
const fetchOfNewFormat = 4

/** What a mirror of an old source goes without. */
export const oldSource = {
  text:
    'the source is from before Kafka 0.11: every batch is rebuilt (old-broker); target topics that are made get no ' +
    'configs of the source; a topic that is made anew, or a log that is cut, is noticed only when it ends before what ' +
    'was mirrored; and with auto.create.topics.enable there a topic that is deleted may come back empty',
  fix:
    'make target topics whose configs matter by hand before the start, and do not delete topics of the source while ' +
    'they are mirrored'
} as const

/** As a `Cluster` tells its version. Of one that is not known nothing is said. */
export function isOldSource(fetchVersion: number): boolean {
  return fetchVersion >= 0 && fetchVersion < fetchOfNewFormat
}

/**
 * Says once what a mirror of an old source goes without. Fails with a ConfigError when it cannot be read at all, which
 * is known here where the settings forbid to ask for API versions.
 */
export function checkSourceAge(
  alias: string,
  servers: string,
  fetchVersion: number,
  log: Logger
): void {
  if (!isOldSource(fetchVersion)) return
  if (fetchVersion < oldestFetch) {
    const { cause, fix } = adviseOnAge(servers)
    throw new ConfigError(`source "${alias}": ${cause}: ${fix}`)
  }
  const { text, fix } = oldSource
  log.warn({ fetchVersion, notCopied: copiedConfigs, fix }, text)
}

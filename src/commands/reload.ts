// Reads the configuration again while the mirror runs, and takes over what may change.

import { isDeepStrictEqual } from 'node:util'
import type { LoadedConfig } from '../config/load.ts'
import { ConfigError, UsageError } from '../errors.ts'
import type { Reloaded } from '../mirror/reload.ts'
import type { ReloadState } from '../mirror/types.ts'
import type { Logger } from '../observe/log.ts'

export interface ReloadOptions {
  /** Reads everything as at the start: the same flags and variables, the files as they are now. */
  load: () => LoadedConfig
  take: (read: LoadedConfig) => Reloaded
  logger: Logger
}

/** Whatever goes wrong, the mirror goes on with what it has. Returns whether all that was read is in use. */
export function reload({ load, take, logger }: ReloadOptions): boolean {
  try {
    const { taken, waiting } = take(load())
    logger.info({ taken }, 'configuration read again')
    if (waiting.length === 0) return true
    logger.warn({ waiting }, 'changed settings are not taken over until a restart')
  } catch (error) {
    const facts = describeProblems(error)
    logger.error(
      facts,
      'configuration cannot be taken over; the mirror goes on with the one it has'
    )
  }
  return false
}

type Handlers = Pick<LoadedConfig, 'transforms' | 'rules'>

/** Handlers are loaded once: other ones wait for a restart, and so do other arguments and topics. */
export function changedHandlers(running: Handlers, read: Handlers): string[] {
  return isDeepStrictEqual(comparable(running), comparable(read)) ? [] : ['transforms']
}

/** A rule that stands on another line is the same. */
function comparable({ transforms, rules }: Handlers) {
  return { chains: transforms?.chains, rules: rules.map(({ origin: _, ...rule }) => rule) }
}

/** For the metrics. */
export function noteReload(before: ReloadState | undefined, ok: boolean, at: number): ReloadState {
  const lastOkAt = ok ? at : before?.lastOkAt
  return { ok, at, ...(lastOkAt === undefined ? {} : { lastOkAt }) }
}

function describeProblems(error: unknown): Record<string, unknown> {
  if (error instanceof ConfigError) return { problems: error.problems }
  return error instanceof UsageError ? { problems: [error.message] } : { err: error }
}

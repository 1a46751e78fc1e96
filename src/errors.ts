// Every error class of heliostat, and the exit code that each leads to.

import type { KafkaFailure } from './native/index.ts'

export type ErrorCode =
  | 'HELIOSTAT_CONFIG'
  | 'HELIOSTAT_USAGE'
  | 'HELIOSTAT_KAFKA'
  | 'HELIOSTAT_BUILD'
  | 'HELIOSTAT_MIRROR'

interface Details {
  cause?: unknown
  retriable?: boolean
}

export abstract class MirrorError extends Error {
  static readonly code: ErrorCode
  readonly code: ErrorCode
  readonly retriable: boolean

  constructor(message: string, { cause, retriable = false }: Details = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = new.target.code
    this.retriable = retriable
  }
}

/** The configuration cannot be used as it stands. Nothing was started. */
export class ConfigError extends MirrorError {
  static override readonly code = 'HELIOSTAT_CONFIG'
  readonly problems: readonly string[]

  constructor(problems: string | readonly string[], details: Details = {}) {
    const list = typeof problems === 'string' ? [problems] : problems
    super(list.join('\n'), details)
    this.problems = list
  }
}

/** The command line cannot be understood. Nothing was started. */
export class UsageError extends MirrorError {
  static override readonly code = 'HELIOSTAT_USAGE'
  readonly problems: readonly string[]

  constructor(problems: string | readonly string[], details: Details = {}) {
    const list = typeof problems === 'string' ? [problems] : problems
    super(list.join('\n'), details)
    this.problems = list
  }
}

/** Neither flags nor files say which topics: whoever only looks at files can go on without. */
export class NoTopicsError extends UsageError {}

/** The native addon, or a feature of it that is needed, is not there. */
export class BuildError extends MirrorError {
  static override readonly code = 'HELIOSTAT_BUILD'
}

/** The mirror itself cannot go on, with no answer of a cluster behind it. */
export class RunError extends MirrorError {
  static override readonly code = 'HELIOSTAT_MIRROR'
}

/** A cluster, or the client library on its behalf, said no. */
export class KafkaError extends MirrorError {
  static override readonly code = 'HELIOSTAT_KAFKA'
  readonly kafkaCode: number
  readonly kafkaName: string
  readonly fatal: boolean
  /** What the addon said, for those who decide by it. */
  readonly failure: KafkaFailure

  /** `what` names the side and what was tried: `source "east": read metadata`. */
  constructor(what: string, failure: KafkaFailure, cause?: unknown) {
    super(`${what}: ${failure.name} (${failure.code}): ${failure.message}`, {
      cause,
      retriable: failure.retriable
    })
    this.kafkaCode = failure.code
    this.kafkaName = failure.name
    this.fatal = failure.fatal
    this.failure = failure
  }
}

/** Turns what the addon threw into a KafkaError; everything else comes back as it is. */
export function describeFailure(what: string, error: unknown): unknown {
  if (error instanceof KafkaError) return error
  if (!(error instanceof Error) || !('failure' in error)) return error
  return new KafkaError(what, error.failure as KafkaFailure, error)
}

/** 2: what the user wrote cannot be used, a restart does not help. 1: it failed while running. */
export function exitCodeOf(error: unknown): 1 | 2 {
  const isFromInput =
    error instanceof ConfigError || error instanceof UsageError || error instanceof BuildError
  return isFromInput ? 2 : 1
}

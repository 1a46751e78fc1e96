// Reads what the flags say of a message handler.

import { resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { builtIns } from '../transform/built-ins.ts'
import type { HandlerSpec } from '../transform/chain.ts'
import type { Transforms } from '../transform/rules.ts'
import type { RunOptions } from './options.ts'

// A path has a slash or the extension of a module; everything else that has dots is a Java class.
const modulePath = /[/\\]|\.(?:[cm]?js|[cm]?ts)$/

/** Undefined without a handler. Whether it can be used is seen when it is loaded. */
export function readHandler(options: RunOptions): Transforms | undefined {
  const value = options['message.handler']
  const args = options['message.handler.args']
  if (value === undefined) {
    if (args === undefined) return undefined
    throw new UsageError('--message.handler.args: there is no --message.handler that it is for')
  }
  const rule = {
    chain: 0,
    onError: options['on-handler-error'],
    maxErrors: options['max-handler-errors']
  }
  return {
    chains: [[handlerOf(value, args)]],
    timeLimitMs: options['handler-timeout-ms'],
    ruleFor: () => rule
  }
}

function handlerOf(value: string, args: string | undefined): HandlerSpec {
  if (modulePath.test(value)) return { name: value, file: resolve(value), args }
  if (value in builtIns) return { name: value, args }
  const instead =
    'a handler is an ES module here (a path, such as ./handler.mjs) or one that comes with heliostat: ' +
    Object.keys(builtIns).join(', ')
  throw new UsageError(
    value.includes('.')
      ? `--message.handler: the Java class ${value} cannot run; ${instead}`
      : `--message.handler: there is no handler "${value}"; ${instead}`
  )
}

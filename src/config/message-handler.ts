// Reads what flags say of handlers: of one for all topics, or of a file with rules for some.

import { ConfigError, UsageError } from '../errors.ts'
import { builtIns } from '../transform/built-ins.ts'
import type { HandlerSpec } from '../transform/chain.ts'
import { ArgumentError } from '../transform/handlers/arguments.ts'
import type { Transforms } from '../transform/rules.ts'
import { builtInSpec, isBuiltIn, isModulePath, moduleSpec } from './handler-spec.ts'
import type { RunOptions } from './options.ts'
import { type DescribedRule, readTransformsFile } from './transforms-file.ts'
import { yaml } from './yaml.ts'

/** The options that say what is done to records. */
export type HandlerOptions = Pick<
  RunOptions,
  | 'message.handler'
  | 'message.handler.args'
  | 'transforms'
  | 'on-handler-error'
  | 'max-handler-errors'
  | 'handler-timeout-ms'
>

/** Also as it is shown. */
export interface ReadTransforms {
  transforms: Transforms
  rules: readonly DescribedRule[]
}

/** Undefined without a handler. Whether a module can be used is seen when it is loaded. */
export function readTransforms(options: HandlerOptions): ReadTransforms | undefined {
  const value = options['message.handler']
  const args = options['message.handler.args']
  const file = options.transforms
  const defaults = {
    onError: options['on-handler-error'],
    maxErrors: options['max-handler-errors'],
    timeLimitMs: options['handler-timeout-ms']
  }
  if (value === undefined) {
    if (args !== undefined) {
      throw new UsageError('--message.handler.args: there is no --message.handler that it is for')
    }
    return file === undefined ? undefined : readTransformsFile(file, defaults)
  }
  if (file !== undefined) {
    throw new UsageError(
      '--transforms and --message.handler exclude each other: put the handler into the file'
    )
  }
  const { onError, maxErrors, timeLimitMs } = defaults
  const rule = { chain: 0, onError, maxErrors }
  const spec = handlerOf('--message.handler', value, args)
  return {
    transforms: { chains: [[spec]], timeLimitMs, ruleFor: () => rule },
    rules: [
      { topics: '.*', handlers: [spec.name], onError, maxErrors, origin: '--message.handler' }
    ]
  }
}

/** `flag` has the name of the handler, and `flag`.args what it is given. */
export function handlerOf(flag: string, value: string, args: string | undefined): HandlerSpec {
  if (!isModulePath(value) && !isBuiltIn(value)) throw new UsageError(unknownHandler(flag, value))
  try {
    return isBuiltIn(value) ? builtInSpec(value, readArgs(args), '.') : moduleSpec(value, args, '.')
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause
    throw new ConfigError(`handler ${value}: ${cause.message}`, { cause })
  }
}

function unknownHandler(flag: string, value: string): string {
  const instead =
    'a handler is an ES module here (a path, such as ./handler.mjs) or one that comes with heliostat: ' +
    Object.keys(builtIns).join(', ')
  // Everything else that has dots is a Java class.
  return value.includes('.')
    ? `${flag}: the Java class ${value} cannot run; ${instead}`
    : `${flag}: there is no handler "${value}"; ${instead}`
}

/** `key: ^eu-` and `{ key: ^eu-, action: drop }` are YAML, and so is JSON. */
function readArgs(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return yaml().parse(text)
  } catch (cause) {
    if (!(cause instanceof yaml().YAMLParseError)) throw cause
    const [first = ''] = cause.message.split('\n')
    throw new ArgumentError(
      `the arguments are neither JSON nor YAML: ${first.replace(/:$/, '')}. ` +
        `A pattern with brackets or backslashes goes in quotes: { key: '[a-z]\\d' }`,
      { cause }
    )
  }
}

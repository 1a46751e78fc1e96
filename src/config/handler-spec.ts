// Reads one handler of a chain: a built-in with its arguments, which are checked here, or a module that is there.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { builtIns } from '../transform/built-ins.ts'
import type { HandlerSpec } from '../transform/chain.ts'
import { ArgumentError } from '../transform/handlers/arguments.ts'
import { didYouMean } from './suggest.ts'

// A path has a slash or the extension of a module.
const modulePath = /[/\\]|\.(?:[cm]?js|[cm]?ts)$/

export function isModulePath(name: string): boolean {
  return modulePath.test(name)
}

export function isBuiltIn(name: string): boolean {
  return Object.hasOwn(builtIns, name)
}

/** An ArgumentError where the arguments are not what it takes, or there is none of that name. */
export function builtInSpec(name: string, args: unknown, folder: string): HandlerSpec {
  const make = isBuiltIn(name) ? builtIns[name] : undefined
  if (make === undefined) {
    const names = Object.keys(builtIns)
    const meant = didYouMean(name, names) || `. There are ${names.join(', ')}.`
    throw new ArgumentError(
      `there is no built-in handler "${name}"${meant} A module is written as a path, such as ./handler.mjs`
    )
  }
  make(args, folder)
  return { name, args, folder }
}

/** An ArgumentError where there is no such file; what is in it is seen when it is loaded. */
export function moduleSpec(name: string, args: unknown, folder: string): HandlerSpec {
  const file = resolve(folder, name)
  if (!existsSync(file)) throw new ArgumentError(`there is no file ${file}`)
  return { name, file, args }
}

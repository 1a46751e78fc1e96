// Where Kafka's config providers get their values from: a key of a file, a file of a folder, a variable.

import { readFileSync, realpathSync } from 'node:fs'
import { basename, join, resolve, sep } from 'node:path'
import { readPropertiesFile } from './properties-file.ts'
import type { Environment } from './read-options.ts'

export interface ProviderSource {
  environment: Environment
  /** Values of config.providers.ALIAS.param.*. */
  allowedPaths: readonly string[]
  allowedNames: RegExp | undefined
}

/** One reference, `path` empty where there is none. Throws an Error that never quotes a value. */
type Provider = (path: string, key: string, source: ProviderSource) => string

export const providerClasses: ReadonlyMap<string, Provider> = new Map([
  ['FileConfigProvider', readFileKey],
  ['DirectoryConfigProvider', readDirectoryFile],
  ['EnvVarConfigProvider', readVariable]
])

function readVariable(
  _path: string,
  key: string,
  { environment, allowedNames }: ProviderSource
): string {
  if (allowedNames && !allowedNames.test(key))
    throw new Error(`the variable ${key} is not allowed by param.allowlist.pattern`)
  const value = environment[key]
  if (value === undefined) throw new Error(`the variable ${key} is not set. Set it`)
  return value
}

function readFileKey(path: string, key: string, source: ProviderSource): string {
  checkAllowed(path, source)
  const file = readPropertiesFile(path)
  if (file.problems[0] !== undefined) throw new Error(file.problems[0])
  const setting = file.settings.find(row => row.name === key)
  if (!setting) throw new Error(`${path} has no ${key}. Set the name of one that it has`)
  return setting.value
}

function readDirectoryFile(path: string, key: string, source: ProviderSource): string {
  if (key !== basename(key) || key === '..') throw new Error(`"${key}" is not the name of a file`)
  const file = join(path, key)
  checkAllowed(file, source)
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

/** Links are followed before the folders are compared. */
function checkAllowed(path: string, { allowedPaths }: ProviderSource): void {
  if (allowedPaths.length === 0) return
  const real = realPath(path)
  const isAllowed = allowedPaths.some(allowed => {
    const folder = realPath(allowed)
    return real === folder || real.startsWith(folder.endsWith(sep) ? folder : folder + sep)
  })
  if (!isAllowed) throw new Error(`${path} is outside of param.allowed.paths`)
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

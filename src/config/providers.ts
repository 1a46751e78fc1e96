// Resolves ${file:PATH:KEY}, ${dir:PATH:FILE} and ${env:NAME} in values, as Kafka's providers do.

import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readPropertiesFile, type Setting } from './properties-file.ts'
import type { Environment } from './read-options.ts'

type Provider = (path: string, key: string, environment: Environment) => string

const providerClasses: Readonly<Record<string, Provider>> = {
  FileConfigProvider: readFileKey,
  DirectoryConfigProvider: readDirectoryFile,
  EnvVarConfigProvider: (_path, key, environment) => {
    const value = environment[key]
    if (value === undefined) throw new Error(`the variable ${key} is not set`)
    return value
  }
}

export interface Resolved {
  settings: Setting[]
  problems: string[]
}

/** Takes the config.providers settings out and puts what they name into the other values. */
export function resolveProviders(settings: readonly Setting[], environment: Environment): Resolved {
  const problems: string[] = []
  const own = settings.filter(setting => setting.name.startsWith('config.providers'))
  const providers = new Map<string, Provider>()
  for (const alias of namesOf(own)) {
    const provider = findProvider(alias, own, problems)
    if (provider) providers.set(alias, provider)
  }
  const others = settings.filter(setting => !own.includes(setting))
  const resolved = others.map(setting => {
    try {
      return { ...setting, value: resolveValue(setting.value, providers, environment) }
    } catch (error) {
      problems.push(`${setting.origin}: ${setting.name}: ${(error as Error).message}`)
      return setting
    }
  })
  return { settings: resolved, problems }
}

function namesOf(own: readonly Setting[]): string[] {
  const list = own.find(setting => setting.name === 'config.providers')
  return (list?.value ?? '').split(',').flatMap(name => name.trim() || [])
}

function findProvider(
  alias: string,
  own: readonly Setting[],
  problems: string[]
): Provider | undefined {
  const row = own.find(setting => setting.name === `config.providers.${alias}.class`)
  const provider = providerClasses[(row?.value ?? '').split('.').at(-1) as string]
  if (provider) return provider
  const origin = row?.origin ?? own[0]?.origin
  const name = `config.providers.${alias}.class`
  const known = Object.keys(providerClasses).join(', ')
  problems.push(
    `${origin}: ${name}: ${row ? `${row.value} cannot run here` : 'it is missing'}. Set one of ${known}`
  )
  return undefined
}

function resolveValue(
  value: string,
  providers: Map<string, Provider>,
  environment: Environment
): string {
  return value.replaceAll(
    /\$\{(\w+):(?:([^}]*):)?([^}:]+)\}/g,
    (whole, alias: string, path, key: string) => {
      const provider = providers.get(alias)
      return provider ? provider(path ?? '', key, environment) : whole
    }
  )
}

function readFileKey(path: string, key: string): string {
  const file = readPropertiesFile(path)
  if (file.problems[0] !== undefined) throw new Error(file.problems[0])
  const setting = file.settings.find(row => row.name === key)
  if (!setting) throw new Error(`${path} has no ${key}`)
  return setting.value
}

function readDirectoryFile(path: string, key: string): string {
  if (key !== basename(key)) throw new Error(`"${key}" is not the name of a file`)
  try {
    return readFileSync(join(path, key), 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new Error(`${join(path, key)} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

// Resolves ${file:PATH:KEY}, ${dir:PATH:FILE} and ${env:NAME} in values, as Kafka's providers do.

import type { Setting } from './properties-file.ts'
import { type ProviderSource, providerClasses } from './provider-classes.ts'
import type { Environment } from './read-options.ts'
import { isSecret } from './redact.ts'
import { isLocalOnly } from './rules/places.ts'
import { readableByOthers } from './secret-files.ts'

export interface Resolved {
  settings: Setting[]
  warnings: string[]
  problems: string[]
}

type Use = (path: string, key: string) => string

/** Takes the config.providers settings out and puts what they name into the other values. */
export function resolveProviders(settings: readonly Setting[], environment: Environment): Resolved {
  const warnings: string[] = []
  const problems: string[] = []
  const own = settings.filter(({ name }) => /^config\.providers(?:\.|$)/.test(name))
  const providers = new Map<string, Use>()
  for (const alias of namesOf(own)) {
    const provider = findProvider(alias, own, environment, problems)
    if (provider) providers.set(alias, provider)
  }
  const others = settings.filter(setting => !own.includes(setting))
  const resolved = others.map(setting => {
    try {
      const value = resolveValue(setting.value, providers, alias => {
        const what = `\${${alias}:…} stays as it is, because config.providers does not name ${alias}`
        warnings.push(`${setting.origin}: ${setting.name}: ${what}`)
      })
      // A path among the values may come from anywhere else, but not what is to be read or run.
      if (value !== setting.value) refuseCommand(setting.name)
      return { ...setting, value }
    } catch (error) {
      problems.push(`${setting.origin}: ${setting.name}: ${(error as Error).message}`)
      return setting
    }
  })
  warnings.push(...openFiles(others, providers))
  return { settings: resolved, warnings, problems }
}

function namesOf(own: readonly Setting[]): string[] {
  const list = own.find(({ name }) => name === 'config.providers')
  return (list?.value ?? '').split(',').flatMap(name => name.trim() || [])
}

function findProvider(
  alias: string,
  own: readonly Setting[],
  environment: Environment,
  problems: string[]
): Use | undefined {
  const name = `config.providers.${alias}.class`
  const row = own.find(setting => setting.name === name)
  const provider = providerClasses.get((row?.value ?? '').split('.').at(-1) as string)
  if (provider) {
    const source = sourceOf(alias, own, environment, problems)
    return (path, key) => provider(path, key, source)
  }
  const origin = row?.origin ?? own[0]?.origin
  const known = [...providerClasses.keys()].join(', ')
  problems.push(
    `${origin}: ${name}: ${row ? `${row.value} cannot run here` : 'it is missing'}. Set one of ${known}`
  )
  return undefined
}

function sourceOf(
  alias: string,
  own: readonly Setting[],
  environment: Environment,
  problems: string[]
): ProviderSource {
  const param = (name: string): Setting | undefined =>
    own.find(setting => setting.name === `config.providers.${alias}.param.${name}`)
  const paths = param('allowed.paths')?.value.split(',') ?? []
  const pattern = param('allowlist.pattern')
  let allowedNames: RegExp | undefined
  try {
    if (pattern) allowedNames = new RegExp(`^(?:${pattern.value})$`)
  } catch {
    problems.push(`${pattern?.origin}: ${pattern?.name}: it is no pattern. Set one`)
  }
  return {
    environment,
    allowedPaths: paths.map(path => path.trim()).filter(Boolean),
    allowedNames
  }
}

const reference = /\$\{([^}:\s]+):(?:([^}]*):)?([^}:]+)\}/g

/** One pass: what a value brings in is not looked at again. */
function resolveValue(
  value: string,
  providers: ReadonlyMap<string, Use>,
  onUnknown: (alias: string) => void
): string {
  return value.replaceAll(reference, (whole, alias: string, path, key: string) => {
    const provider = providers.get(alias)
    if (provider) return provider(path ?? '', key)
    onUnknown(alias)
    return whole
  })
}

function refuseCommand(name: string): void {
  if (name !== 'sasl.kerberos.kinit.cmd') return
  throw new Error('a command is not put together from other places. Set it as a whole')
}

/** Files of secrets that others may read. */
function openFiles(settings: readonly Setting[], providers: ReadonlyMap<string, Use>): string[] {
  const paths = settings
    .filter(({ name }) => isSecret(name) && !isLocalOnly(name))
    .flatMap(({ value }) => [...value.matchAll(reference)])
    .filter(([, alias = '', path]) => path && providers.has(alias))
    .map(([, , path]) => path as string)
  return [...new Set(paths)].flatMap(path => {
    try {
      return readableByOthers(path) ?? []
    } catch {
      // That it cannot be read has been told already.
      return []
    }
  })
}

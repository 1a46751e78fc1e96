// Gathers the settings of one cluster: file, then environment, then overrides of the command line.

import { readFileSync } from 'node:fs'
import { type PropertiesFile, readPropertiesFile, type Setting } from './properties-file.ts'
import { resolveProviders } from './providers.ts'
import type { Environment } from './read-options.ts'
import { isSecret } from './redact.ts'
import { isLocalOnly } from './rules/places.ts'
import type { Side } from './rules/rule.ts'
import { readableByOthers } from './secret-files.ts'

export interface ClusterSource {
  side: Side
  /** Counts the sources from 0: variables of the second begin with HELIOSTAT_SOURCE2_. */
  index: number
  file: string
  /** `k=v` of the override flags. */
  overrides: readonly string[]
  environment: Environment
}

/** The settings in rising strength. */
export function gatherSettings({
  side,
  index,
  file,
  overrides,
  environment
}: ClusterSource): PropertiesFile {
  const read = readPropertiesFile(file)
  const resolved = resolveProviders(read.settings, environment)
  const gathered = {
    settings: resolved.settings,
    warnings: [...read.warnings, ...resolved.warnings],
    problems: [...read.problems, ...resolved.problems]
  }
  if (read.settings.some(isWrittenSecret)) {
    const warning = readableByOthers(file)
    if (warning !== undefined) gathered.warnings.push(warning)
  }
  addVariables(
    `HELIOSTAT_${side.toUpperCase()}${index === 0 ? '' : index + 1}_`,
    environment,
    gathered
  )
  for (const override of overrides) addOverride(side, override, gathered)
  return gathered
}

/** A secret that stands there itself; a user name alone opens nothing. */
function isWrittenSecret({ name, value }: Setting): boolean {
  if (!isSecret(name) || isLocalOnly(name) || name === 'sasl.username') return false
  return !/^\$\{[^}]*\}$/.test(value)
}

/** HELIOSTAT_SOURCE_SASL_USERNAME: `_` is a dot, `__` an underscore, `___` a dash. */
function addVariables(prefix: string, environment: Environment, into: PropertiesFile): void {
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(prefix) || value === undefined) continue
    const name = settingName(variable.slice(prefix.length))
    const secret = name.endsWith('.file') ? name.slice(0, -'.file'.length) : ''
    if (isSecret(secret) && !isLocalOnly(name)) {
      addSecretFile(variable, secret, value, environment, into)
    } else into.settings.push({ name, value: value.trim(), origin: variable, from: 'environment' })
  }
}

function settingName(text: string): string {
  return text.toLowerCase().replaceAll(/_{1,3}/g, run => ['.', '_', '-'][run.length - 1] as string)
}

function addSecretFile(
  variable: string,
  name: string,
  path: string,
  environment: Environment,
  into: PropertiesFile
): void {
  const direct = variable.slice(0, -'_FILE'.length)
  if (environment[direct] !== undefined) {
    into.problems.push(`${variable}: ${direct} is set too. Set one of the two`)
    return
  }
  try {
    const value = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    into.settings.push({ name, value, origin: variable, from: 'environment' })
    const warning = readableByOthers(path)
    if (warning !== undefined) into.warnings.push(`${variable}: ${warning}`)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    into.problems.push(`${variable}: ${path} cannot be read: ${code}. Set the path of a file`)
  }
}

function addOverride(side: Side, text: string, into: PropertiesFile): void {
  const origin = side === 'source' ? '--consumer.config.override' : '--producer.config.override'
  const at = text.indexOf('=')
  const name = text.slice(0, at).trim()
  if (at === -1 || name === '') {
    into.problems.push(`${origin}: expected name=value, got "${at === -1 ? text : ''}"`)
    return
  }
  // A path is no secret, whatever lies there.
  if (isSecret(name) && !isLocalOnly(name)) {
    const where = `Put it into the file, or into HELIOSTAT_${side.toUpperCase()}_…_FILE`
    into.problems.push(
      `${origin}: ${name}: every user of this host can read a command line. ${where}`
    )
    return
  }
  const setting: Setting = { name, value: text.slice(at + 1).trim(), origin, from: 'flag' }
  into.settings.push(setting)
}

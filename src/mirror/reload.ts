// What a configuration that was read again changes: some of it at once, the rest at the next start.

import { isDeepStrictEqual } from 'node:util'
import type { Properties } from '../native/index.ts'
import type { LinkConfig, MirrorConfig } from './types.ts'

export interface Credentials {
  username: string
  password: string
}

/** Names only, each with its cluster: values may be secret. */
export interface Reloaded {
  taken: string[]
  waiting: string[]
}

export type Reloadable = Pick<MirrorConfig, 'links' | 'target' | 'codecs'>

const credentialNames: ReadonlySet<string> = new Set(['sasl.username', 'sasl.password'])

/** Only one link and its two clusters; sources that come or go are for `compareSources`. */
export interface LinkChanges extends Reloaded {
  source: Credentials | undefined
  target: Credentials | undefined
  commitIntervalMs: number | undefined
}

export function compareLink(
  running: LinkConfig,
  read: LinkConfig,
  targets: { running: MirrorConfig['target']; read: MirrorConfig['target'] }
): LinkChanges {
  const { alias } = running.source
  const source = compareProperties(alias, running.source.connection, read.source.connection)
  const target = compareProperties(
    targets.running.alias,
    targets.running.connection,
    targets.read.connection
  )
  const group = compareProperties(alias, running.source.group, read.source.group)
  const engine = changedNames({ ...running.link }, { ...read.link })
  const others = changedNames(
    { 'auto.offset.reset': running.autoOffsetReset },
    { 'auto.offset.reset': read.autoOffsetReset }
  )
  const isOtherInterval = running.commitIntervalMs !== read.commitIntervalMs
  return {
    source: source.credentials,
    target: target.credentials,
    commitIntervalMs: isOtherInterval ? read.commitIntervalMs : undefined,
    taken: [
      ...source.taken,
      ...target.taken,
      ...(isOtherInterval ? [`${alias}: commit interval`] : [])
    ],
    waiting: [
      ...source.waiting,
      ...target.waiting,
      ...group.waiting,
      ...[...engine, ...others].map(name => `${alias}: ${name}`)
    ]
  }
}

/** Sources that came or went, which needs a restart. */
export function compareSources(running: Reloadable, read: Reloadable): string[] {
  const aliases = ({ links }: Reloadable) => new Set(links.map(({ source }) => source.alias))
  const [before, after] = [aliases(running), aliases(read)]
  return [
    ...[...after].filter(alias => !before.has(alias)).map(alias => `${alias}: a new source`),
    ...[...before].filter(alias => !after.has(alias)).map(alias => `${alias}: no source any more`)
  ]
}

/** Lanes are begun with their codec, so another one needs a restart. */
export function compareCodecs(running: Reloadable, read: Reloadable): string[] {
  if (isDeepStrictEqual(running.codecs, read.codecs)) return []
  return [`${running.target.alias}: compression`]
}

function compareProperties(
  alias: string,
  running: Properties,
  read: Properties
): Reloaded & { credentials: Credentials | undefined } {
  const changed = changedNames(running, read)
  const username = read['sasl.username']
  const password = read['sasl.password']
  const isLogin = (name: string) =>
    credentialNames.has(name) && username !== undefined && password !== undefined
  const taken = changed.filter(isLogin)
  const label = (name: string) => `${alias}: ${name}`
  return {
    credentials:
      taken.length > 0 && username !== undefined && password !== undefined
        ? { username, password }
        : undefined,
    taken: taken.map(label),
    waiting: changed.filter(name => !isLogin(name)).map(label)
  }
}

function changedNames(
  running: Readonly<Record<string, unknown>>,
  read: Readonly<Record<string, unknown>>
): string[] {
  const names = new Set([...Object.keys(running), ...Object.keys(read)])
  return [...names].filter(name => running[name] !== read[name])
}

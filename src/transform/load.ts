// Loads the handlers of a chain, in the thread that runs them.

import { register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { builtIns } from './built-ins.ts'
import { Chain, type HandlerSpec, type Link } from './chain.ts'
import type { HandlerModule } from './record.ts'

/** A handler that cannot be used, in one sentence that begins with its name. */
export class HandlerError extends Error {
  constructor(spec: HandlerSpec, what: string, cause?: unknown) {
    super(`handler ${spec.name}: ${what}`, cause === undefined ? undefined : { cause })
    this.name = 'HandlerError'
  }
}

export interface LoadedChain {
  chain: Chain
  isDeterministic: boolean
}

/** Loads and begins every handler; a HandlerError says which one cannot be used, and why. */
export async function loadChain(specs: readonly HandlerSpec[]): Promise<LoadedChain> {
  const links: Link[] = []
  for (const spec of specs) links.push({ spec, module: await loadHandler(spec) })
  return {
    chain: new Chain(links),
    isDeterministic: links.every(({ module }) => module.deterministic !== false)
  }
}

async function loadHandler(spec: HandlerSpec): Promise<HandlerModule> {
  const module = spec.file === undefined ? findBuiltIn(spec) : await importFile(spec, spec.file)
  for (const [name, isNeeded] of [
    ['default', module.handleBatch === undefined],
    ['handleBatch', false],
    ['init', false],
    ['close', false]
  ] as const) {
    const found: unknown = module[name]
    if (found === undefined && !isNeeded) continue
    if (typeof found !== 'function') {
      throw new HandlerError(
        spec,
        found === undefined
          ? 'it has no default export; write "export default function handle(record, context) { … }"'
          : `its export ${name} is no function`
      )
    }
  }
  try {
    await module.init?.(spec.args)
  } catch (error) {
    throw new HandlerError(spec, said(error), error)
  }
  return module
}

function findBuiltIn(spec: HandlerSpec): HandlerModule {
  const make = Object.hasOwn(builtIns, spec.name) ? builtIns[spec.name] : undefined
  if (make === undefined) {
    throw new HandlerError(
      spec,
      `there is no such built-in; there are ${Object.keys(builtIns).join(', ')}. ` +
        'The name of a module has a slash, or ends in .js, .mjs or .ts'
    )
  }
  try {
    return make(spec.args, spec.folder ?? '.')
  } catch (error) {
    throw new HandlerError(spec, said(error), error)
  }
}

async function importFile(spec: HandlerSpec, file: string): Promise<HandlerModule> {
  if (/\.[cm]?ts$/.test(file)) readTypeScript()
  try {
    return (await import(ownUrl(file))) as HandlerModule
  } catch (error) {
    throw new HandlerError(spec, `it cannot be loaded: ${said(error)}`, error)
  }
}

const timesImported = new Map<string, number>()

/** A module that several chains name is loaded for each of them: what `init` keeps is theirs alone. */
function ownUrl(file: string): string {
  const url = pathToFileURL(file)
  const times = timesImported.get(file) ?? 0
  timesImported.set(file, times + 1)
  if (times > 0) url.search = `${times}`
  return url.href
}

let isTypeScriptRead = false

/** Node does it by itself from 22.18 on. */
function readTypeScript(): void {
  const { typescript } = process.features as { typescript?: unknown }
  if (isTypeScriptRead || typescript) return
  register(new URL('./typescript-hooks.js', import.meta.url))
  isTypeScriptRead = true
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

// Lets Node load TypeScript where it cannot by itself, before 22.18: types are blanked out, nothing else is changed.

import { readFile } from 'node:fs/promises'
import type { LoadHook } from 'node:module'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'amaro'

const isTypeScript = /\.[cm]?ts(?:\?|$)/

export const load: LoadHook = async (url, context, nextLoad) => {
  if (!url.startsWith('file:') || !isTypeScript.test(url)) return nextLoad(url, context)
  const code = await readFile(fileURLToPath(url), 'utf8')
  const { code: source } = transformSync(code, { mode: 'strip-only' })
  return { format: 'module', source, shortCircuit: true }
}

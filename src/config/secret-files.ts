// Says which files with secrets other users of the host can read.

import { statSync } from 'node:fs'
import { platform } from 'node:os'

/** A warning, or nothing. Windows has no such modes. */
export function readableByOthers(path: string): string | undefined {
  if (platform() === 'win32') return undefined
  const { mode } = statSync(path)
  if ((mode & 0o077) === 0) return undefined
  const shown = (mode & 0o777).toString(8)
  return `${path}: it holds a secret and others may read it (mode ${shown}). chmod 600 mends it`
}

// A handler's module in a folder of its own.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from './mirror-process.ts'

/** Returns its path; it is there until the test ends. */
export async function writeHandler(t: Scope, code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-handler-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'handler.mjs')
  await writeFile(file, code)
  return file
}

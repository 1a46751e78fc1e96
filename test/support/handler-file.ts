// A handler's module in a folder of its own.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { makeFolder } from './mirror-maker.ts'

/** Returns its path; it is there until the test ends. */
export async function writeHandler(t: TestContext, code: string): Promise<string> {
  const file = join(await makeFolder(t), 'handler.mjs')
  await writeFile(file, code)
  return file
}

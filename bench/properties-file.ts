// Owns the writing of Java `.properties` files for contenders.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Returns the file's path. Values are plain: hosts, names and numbers need no escapes. */
export async function writeProperties(
  folder: string,
  name: string,
  properties: Readonly<Record<string, string | number | boolean>>
): Promise<string> {
  const path = join(folder, name)
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  await writeFile(path, lines.join(''))
  return path
}

// Owns the folder for what the bench makes once and uses again.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { projectRoot } from '../test/support/kafka-jars.ts'

export async function cacheFolder(): Promise<string> {
  const folder = join(process.env.HELIOSTAT_CACHE ?? join(projectRoot(), '.cache'), 'bench')
  await mkdir(folder, { recursive: true })
  return folder
}

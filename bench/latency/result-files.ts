// Owns the files of a latency result: JSON with every run, and Markdown.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { projectRoot } from '../../test/support/kafka-jars.ts'
import { latencyMarkdown } from './report.ts'
import type { LatencyResult } from './result.ts'

/** Returns the Markdown file's path; the JSON lies beside it. */
export async function writeLatencyResult(
  result: LatencyResult,
  folder = join(projectRoot(), 'bench', 'results')
): Promise<string> {
  const time = result.startedAt.slice(0, 16).replaceAll(':', '')
  const commit = result.versions.commit.split(' ')[0]
  const path = join(folder, `latency-${time}-${commit}`)
  await mkdir(folder, { recursive: true })
  await writeFile(`${path}.json`, `${JSON.stringify(result, null, 2)}\n`)
  await writeFile(`${path}.md`, latencyMarkdown(result))
  return `${path}.md`
}

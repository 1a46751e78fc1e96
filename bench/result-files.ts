// Owns the files of results: JSON, Markdown and charts.

import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { projectRoot } from '../test/support/kafka-jars.ts'
import { allOf, drawCharts } from './charts.ts'
import { markdownReport } from './report.ts'
import type { Result } from './result.ts'

/** Returns the Markdown file's path; the JSON lies beside it, and the charts in a folder of the same name. */
export async function writeResult(
  result: Result,
  folder = join(projectRoot(), 'bench', 'results')
): Promise<string> {
  const time = result.startedAt.slice(0, 16).replaceAll(':', '')
  const commit = result.versions.commit.split(' ')[0]
  const path = join(folder, `${time}-${commit}`)
  const charts = drawCharts(result.cells)
  await mkdir(path, { recursive: true })
  for (const { file, svg } of allOf(charts)) await writeFile(join(path, file), svg)
  await writeFile(`${path}.json`, `${JSON.stringify(result, null, 2)}\n`)
  await writeFile(`${path}.md`, markdownReport(result, charts, basename(path)))
  return `${path}.md`
}

// Owns the files of results: written as JSON, Markdown and charts, and read again, those of older commits too.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { projectRoot } from '../test/support/kafka-jars.ts'
import { allOf, drawCharts } from './charts.ts'
import type { Comparison } from './comparison.ts'
import { reasonOf, UsageError } from './failure.ts'
import { markdownReport, profileFile } from './report.ts'
import type { Result } from './result.ts'
import { problemOf, revive } from './result-form.ts'

/** Returns the Markdown file's path; the JSON lies beside it, and the charts in a folder of the same name. */
export async function writeResult(
  result: Result,
  folder = join(projectRoot(), 'bench', 'results'),
  comparison?: Comparison
): Promise<string> {
  const time = result.startedAt.slice(0, 16).replaceAll(':', '')
  const commit = result.versions.commit.split(' ')[0]
  const path = join(folder, `${time}-${commit}`)
  const charts = drawCharts(result.cells)
  await mkdir(path, { recursive: true })
  for (const { file, svg } of allOf(charts)) await writeFile(join(path, file), svg)
  for (const { scenario, profile } of result.cells) {
    if (profile) await writeFile(join(path, profileFile(scenario.name)), profile.listing)
  }
  await writeFile(`${path}.json`, `${JSON.stringify(result, null, 2)}\n`)
  await writeFile(`${path}.md`, markdownReport(result, charts, basename(path), comparison))
  return `${path}.md`
}

export async function readResult(path: string): Promise<Result> {
  const refuse = (why: string) => new UsageError(`--compare: ${path}: ${why}`)
  let parsed: unknown
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'), revive)
  } catch (error) {
    if (error instanceof SyntaxError) throw refuse(`no JSON: ${error.message}`)
    throw refuse(`cannot be read: ${reasonOf(error)}`)
  }
  const problem = problemOf(parsed)
  if (problem !== undefined) throw refuse(`no result of this benchmark: ${problem}`)
  return parsed as Result
}

// `heliostat verify`: whether the target holds what the source holds, record by record. It changes nothing.

import { loadConfig } from '../config/load.ts'
import { verifyOptions } from '../config/options.ts'
import { originOf, readOptions, refuseUnknownVariables } from '../config/read-options.ts'
import { UsageError } from '../errors.ts'
import { nativeVersion } from '../native/index.ts'
import { packageVersion } from '../observe/package-version.ts'
import { openStatusLine } from '../observe/status-line.ts'
import { TopicSelector } from '../topics/select.ts'
import { watchComparison } from '../verify/progress.ts'
import { readSample } from '../verify/sample.ts'
import { showResult } from '../verify/show.ts'
import { readSince } from '../verify/since.ts'
import { exitCodeFor, sumUp } from '../verify/summary.ts'
import { verify as compare, type VerifySubject } from '../verify/verification.ts'

export async function verify(flags: Readonly<Record<string, unknown>>): Promise<number> {
  refuseUnknownVariables(process.env)
  const options = readOptions(verifyOptions, flags, process.env)
  if (options.counts && options.sample !== undefined) {
    throw new UsageError('--counts and --sample exclude each other: --counts reads no record')
  }
  const since = readSince(options.since)
  const sample = readSample(options.sample)
  const config = loadConfig(
    options,
    process.env,
    name => originOf(name, flags, process.env) !== 'default',
    nativeVersion().features
  )
  const topics = new TopicSelector(config.topics)
  const line = openStatusLine(process.stderr, process.env)
  try {
    const { links, target } = config
    const subject: VerifySubject = {
      links,
      target,
      topics,
      since,
      sample,
      isCounts: options.counts
    }
    const result = await compare(subject, comparison => watchComparison(comparison, line))
    const summary = sumUp(result.verdicts)
    if (options.format === 'json') {
      const document = {
        version: packageVersion,
        summary,
        figures: result.figures,
        lanes: result.verdicts
      }
      process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
      return exitCodeFor(summary)
    }
    for (const { level, text } of config.notes) {
      if (level === 'warn') process.stderr.write(`warning: ${text}\n`)
    }
    const width = process.stdout.columns || Number.POSITIVE_INFINITY
    const lines = showResult(result, { width, since, isCounts: options.counts })
    process.stdout.write(`${lines.join('\n')}\n`)
    return exitCodeFor(summary)
  } finally {
    line?.clear()
    await topics.close()
  }
}

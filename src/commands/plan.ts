// `heliostat plan`: what a run would do, lane by lane, with what to mend before it. It changes nothing.

import { loadConfig } from '../config/load.ts'
import { planOptions } from '../config/options.ts'
import { originOf, readOptions, refuseUnknownVariables } from '../config/read-options.ts'
import { nativeVersion } from '../native/index.ts'
import { packageVersion } from '../observe/package-version.ts'
import { describeWarning } from '../plan/findings.ts'
import { gatherFacts } from '../plan/gather.ts'
import { buildPlan } from '../plan/plan.ts'
import { showPlan } from '../plan/show.ts'
import { TopicSelector } from '../topics/select.ts'

export async function plan(flags: Readonly<Record<string, unknown>>): Promise<number> {
  refuseUnknownVariables(process.env)
  const options = readOptions(planOptions, flags, process.env)
  const config = loadConfig(
    options,
    process.env,
    name => originOf(name, flags, process.env) !== 'default',
    nativeVersion().features
  )
  const topics = new TopicSelector(config.topics)
  try {
    const { links, target, creation, codecs, transforms } = config
    const facts = await gatherFacts({ links, target, topics, creation, codecs, transforms })
    const plan = buildPlan(facts, options.rate)
    if (options.format === 'json') {
      const document = { version: packageVersion, ...plan, notes: config.notes }
      process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
      return 0
    }
    const width = process.stdout.columns || Number.POSITIVE_INFINITY
    const lines = showPlan(plan, { width, hasLanes: options.lanes })
    process.stdout.write(`${lines.join('\n')}\n`)
    for (const { level, text } of config.notes) {
      if (level === 'warn') process.stderr.write(`warning: ${text}\n`)
    }
    for (const warning of plan.warnings) {
      process.stderr.write(`warning: ${describeWarning(warning)}\n`)
    }
    return 0
  } finally {
    await topics.close()
  }
}

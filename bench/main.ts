// The benchmark's entry: options, cells one after the other, then the report on stdout and under bench/results.

import { compareResults } from './comparison.ts'
import { terminalComparison } from './comparison-report.ts'
import type { Contender } from './contender.ts'
import { contenders } from './contenders.ts'
import type { Ends } from './ends.ts'
import { reasonOf, UsageError } from './failure.ts'
import { benchLatency } from './latency/main.ts'
import { describeMachine, describeVersions } from './machine.ts'
import { contendersOf, type Options, parseOptions, usage } from './options.ts'
import { lacksPerf } from './profile.ts'
import { realEnds } from './real-ends.ts'
import { terminalReport } from './report.ts'
import { benchReseal } from './reseal.ts'
import { type LeftOut, type Result, units } from './result.ts'
import { readResult, writeResult } from './result-files.ts'
import { type CellResult, runCell } from './runner.ts'
import type { Scenario } from './scenarios.ts'
import { SharedBrokers } from './shared-brokers.ts'
import { stubEnds } from './stub-ends.ts'
import { judge } from './verdict.ts'
import { benchVerify } from './verify.ts'

process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === 'latency') return benchLatency(argv.slice(1))
  if (argv[0] === 'reseal') return benchReseal(argv.slice(1))
  if (argv[0] === 'verify') return benchVerify(argv.slice(1))
  try {
    return await follow(argv)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${usage}`)
    return 2
  }
}

async function follow(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv)
  if (options === 'help') {
    console.log(usage)
    return 0
  }
  if ('old' in options) {
    const [old, now] = [await readResult(options.old), await readResult(options.new)]
    console.log(terminalComparison(compareResults(old, now)))
    return 0
  }
  // Read before anything runs: a wrong name shall not cost ten minutes.
  const old = options.compare === undefined ? undefined : await readResult(options.compare)
  const startedAt = new Date()
  const { runnable, leftOut } = await findRunnable(options)
  const { cells, unfit, failures } = await runCells(options, runnable)
  const result: Result = {
    startedAt: startedAt.toISOString(),
    settings: { argv },
    units,
    machine: describeMachine(),
    versions: await describeVersions(),
    contenders: Object.fromEntries([...runnable].map(([name, { says }]) => [name, says])),
    leftOut: [...leftOut, ...unfit, ...failures],
    cells,
    verdicts: judge(cells)
  }
  const comparison = old && compareResults(old, result)
  console.log(terminalReport(result, comparison))
  console.log(`\nwritten to ${await writeResult(result, options.results, comparison)}`)
  const hasFailed = cells.some(({ runs }) => runs.some(run => 'failure' in run))
  return hasFailed || failures.length > 0 ? 1 : 0
}

/** Of the contenders that the chosen cells need, those that can run here. */
async function findRunnable(
  options: Options
): Promise<{ runnable: Map<string, Contender>; leftOut: LeftOut[] }> {
  const needed = new Set(options.cells.flatMap(cell => contendersOf(cell, options)))
  const known = new Map([...Object.entries(contenders), ...options.commands])
  const runnable = new Map<string, Contender>()
  const leftOut: LeftOut[] = []
  for (const [name, contender] of known) {
    if (!needed.has(name)) continue
    const reason = await contender.missing?.()
    if (reason === undefined) runnable.set(name, contender)
    else leftOut.push({ contender: name, reason })
  }
  return { runnable, leftOut }
}

async function runCells(
  options: Options,
  runnable: ReadonlyMap<string, Contender>
): Promise<{ cells: CellResult[]; unfit: LeftOut[]; failures: LeftOut[] }> {
  const cells: CellResult[] = []
  const unfit: LeftOut[] = []
  const failures: LeftOut[] = []
  const brokers = new SharedBrokers()
  const wantsPerf = options.cells.some(({ profiled }) => profiled !== undefined)
  const noPerf = wantsPerf ? await lacksPerf() : undefined
  if (noPerf !== undefined) unfit.push({ contender: 'perf', reason: noPerf })
  for (const scenario of options.cells) {
    const names = contendersOf(scenario, options)
    const asked = [...runnable].filter(([name]) => names.includes(name))
    unfit.push(...asked.flatMap(entrant => reasonUnfit(entrant, scenario)))
    const taking = asked.filter(entrant => reasonUnfit(entrant, scenario).length === 0)
    if (taking.length === 0) continue
    let ends: Ends | undefined
    try {
      if (scenario.ends === 'real') {
        say(`${scenario.name}: preparing the source topic`)
        ends = await realEnds(scenario, await brokers.of(scenario))
      } else {
        ends = await stubEnds(scenario)
      }
      const { warmUp, limitMs } = options
      const repeats = options.repeats ?? scenario.repeats
      const profiled = scenario.profiled && noPerf === undefined ? scenario.profiled : undefined
      const plan = { scenario, contenders: new Map(taking), repeats, warmUp, limitMs, profiled }
      cells.push(await runCell(plan, ends, say))
    } catch (error) {
      failures.push({ contender: `all of ${scenario.name}`, reason: reasonOf(error) })
    } finally {
      await ends?.close()
    }
  }
  await brokers.close()
  return { cells, unfit, failures }
}

function reasonUnfit([name, contender]: [string, Contender], { codec, name: cell }: Scenario) {
  const reason = contender.unfit?.(codec)
  return reason === undefined ? [] : [{ contender: `${name} in ${cell}`, reason }]
}

function say(line: string): void {
  console.error(line)
}

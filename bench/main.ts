// The benchmark's entry: options, cells one after the other, then the report on stdout and under bench/results.

import { compareResults } from './comparison.ts'
import { terminalComparison } from './comparison-report.ts'
import type { ContenderName } from './contender.ts'
import { contenders } from './contenders.ts'
import type { Ends } from './ends.ts'
import { reasonOf, UsageError } from './failure.ts'
import { benchLatency } from './latency/main.ts'
import { describeMachine, describeVersions } from './machine.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { type Brokers, realEnds, startBrokers } from './real-ends.ts'
import { terminalReport } from './report.ts'
import { benchReseal } from './reseal.ts'
import { type LeftOut, type Result, units } from './result.ts'
import { readResult, writeResult } from './result-files.ts'
import { type CellResult, runCell } from './runner.ts'
import type { Scenario } from './scenarios.ts'
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
  const { cells, failures } = await runCells(options, runnable)
  const result: Result = {
    startedAt: startedAt.toISOString(),
    settings: { argv },
    units,
    machine: describeMachine(),
    versions: await describeVersions(),
    contenders: Object.fromEntries(runnable.map(name => [name, contenders[name].says])),
    leftOut: [...leftOut, ...failures],
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
): Promise<{ runnable: ContenderName[]; leftOut: LeftOut[] }> {
  const needed = new Set(options.cells.flatMap(cell => chosen(cell, options)))
  const runnable: ContenderName[] = []
  const leftOut: LeftOut[] = []
  for (const name of needed) {
    const reason = await contenders[name].missing?.()
    if (reason === undefined) runnable.push(name)
    else leftOut.push({ contender: name, reason })
  }
  return { runnable, leftOut }
}

function chosen(cell: Scenario, { contenders: names }: Options): readonly ContenderName[] {
  return cell.contenders.filter(name => names === undefined || names.includes(name))
}

async function runCells(
  options: Options,
  runnable: readonly ContenderName[]
): Promise<{ cells: CellResult[]; failures: LeftOut[] }> {
  const cells: CellResult[] = []
  const failures: LeftOut[] = []
  let brokers: Promise<Brokers & { close(): Promise<void> }> | undefined
  for (const scenario of options.cells) {
    const names = chosen(scenario, options).filter(name => runnable.includes(name))
    if (names.length === 0) continue
    let ends: Ends | undefined
    try {
      if (scenario.ends === 'real') {
        brokers ??= startBrokers()
        say(`${scenario.name}: preparing the source topic`)
        ends = await realEnds(scenario, await brokers)
      } else {
        ends = await stubEnds(scenario)
      }
      const { warmUp, limitMs } = options
      const repeats = options.repeats ?? scenario.repeats
      const plan = { scenario, contenders: names, repeats, warmUp, limitMs }
      cells.push(await runCell(plan, ends, say))
    } catch (error) {
      failures.push({ contender: `all of ${scenario.name}`, reason: reasonOf(error) })
    } finally {
      await ends?.close()
    }
  }
  await (await brokers?.catch(() => undefined))?.close()
  return { cells, failures }
}

function say(line: string): void {
  console.error(line)
}

// The benchmark of latency: how long records take to a consumer of the target, beside one of the source, at a steady
// rate. `npm run bench -- latency`; on real brokers.

import { UsageError } from '../failure.ts'
import { describeMachine, describeVersions } from '../machine.ts'
import { startBrokers } from '../real-ends.ts'
import { type LeftOut, units } from '../result.ts'
import { type LatencyMirrorName, latencyMirrors } from './mirrors.ts'
import { type LatencyOptions, latencyUsage, parseLatencyOptions } from './options.ts'
import { latencyTerminal } from './report.ts'
import type { LatencyResult } from './result.ts'
import { writeLatencyResult } from './result-files.ts'
import { type LatencyRun, runLatency } from './run.ts'
import { makeSchedule, type Schedule } from './schedule.ts'

const mostLate = 0.02

/** Returns the exit code: 1 when a run has failed. A figure that is too high fails nothing: the table says so. */
export async function benchLatency(argv: readonly string[]): Promise<number> {
  try {
    return await follow(argv)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${latencyUsage}`)
    return 2
  }
}

async function follow(argv: readonly string[]): Promise<number> {
  const options = parseLatencyOptions(argv)
  if (options === 'help') {
    console.log(latencyUsage)
    return 0
  }
  const startedAt = new Date().toISOString()
  const { runnable, leftOut } = await findRunnable(options.contenders)
  if (runnable.length === 0) {
    for (const { contender, reason } of leftOut) console.error(`left out: ${contender} (${reason})`)
    return 1
  }
  const schedule = makeSchedule(options)
  const runs = await runByTurns(runnable, options, schedule)
  const result: LatencyResult = {
    startedAt,
    settings: { argv: ['latency', ...argv] },
    units,
    machine: describeMachine(),
    versions: await describeVersions(),
    contenders: Object.fromEntries(runnable.map(name => [name, latencyMirrors[name].says])),
    leftOut,
    schedule,
    runs
  }
  console.log(latencyTerminal(result))
  console.log(`\nwritten to ${await writeLatencyResult(result, options.results)}`)
  return runs.some(run => 'failure' in run) ? 1 : 0
}

async function findRunnable(
  names: readonly LatencyMirrorName[]
): Promise<{ runnable: LatencyMirrorName[]; leftOut: LeftOut[] }> {
  const runnable: LatencyMirrorName[] = []
  const leftOut: LeftOut[] = []
  for (const contender of names) {
    const reason = await latencyMirrors[contender].missing?.()
    if (reason === undefined) runnable.push(contender)
    else leftOut.push({ contender, reason })
  }
  return { runnable, leftOut }
}

async function runByTurns(
  names: readonly LatencyMirrorName[],
  { repeats }: LatencyOptions,
  schedule: Schedule
): Promise<LatencyRun[]> {
  const runs: LatencyRun[] = []
  const brokers = await startBrokers()
  try {
    // The first load compiles the brokers' hot paths and would be the first contender's alone.
    const [first] = names
    if (first !== undefined) {
      const run = await runLatency(first, 0, { brokers, schedule, mostLate })
      console.error(`warm-up: ${first}: ${outcome(run)}`)
    }
    for (let repeat = 1; repeat <= repeats; repeat++) {
      for (const name of names) {
        const run = await runLatency(name, repeat, { brokers, schedule, mostLate })
        console.error(`${name} ${repeat}/${repeats}: ${outcome(run)}`)
        runs.push(run)
      }
    }
  } finally {
    await brokers.close()
  }
  return runs
}

function outcome(run: LatencyRun): string {
  if ('failure' in run) return run.failure.split('\n')[0] ?? ''
  const [direct, mirrored] = [run.direct.p99, run.mirrored.p99].map(ms => ms.toFixed(1))
  return `p99 ${mirrored} ms on the target, ${direct} ms on the source`
}

// Owns the order of runs in a cell: a warm-up, then the contenders by turns (A B C A B C), each in a fresh process.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makeFolder, removeFolder } from '../test/support/process-folder.ts'
import type { Contender, Task } from './contender.ts'
import { ContenderProcess, type ProcessCost } from './contender-process.ts'
import type { Cargo, Ends, Round, Sighting } from './ends.ts'
import { reasonOf } from './failure.ts'
import type { FailedRun, Measurement, Run } from './measurement.ts'
import { profile } from './profile.ts'
import type { Scenario } from './scenarios.ts'

export interface CellPlan {
  scenario: Scenario
  /** By name, in the order of their turns. */
  contenders: ReadonlyMap<string, Contender>
  repeats: number
  warmUp: boolean
  /** A run that takes longer is ended and has failed. */
  limitMs: number
  /** After all others, one more run of this contender that counts for nothing, under perf. */
  profiled?: string | undefined
}

export interface CellResult {
  scenario: Scenario
  cargo: Cargo
  runs: Run[]
  /** Where the profiled run spent its time. */
  profile?: { contender: string; listing: string }
}

const pollMs = 100
const stopLimitMs = 30_000

/** `say` is called before every run and with its outcome. */
export async function runCell(
  plan: CellPlan,
  ends: Ends,
  say: (line: string) => void
): Promise<CellResult> {
  const { scenario, contenders, repeats, warmUp, profiled } = plan
  const [first] = contenders
  if (warmUp && first !== undefined) {
    say(`${scenario.name}: warm-up`)
    await runOnce(first, 0, plan, ends)
  }
  const runs: Run[] = []
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const entrant of contenders) {
      const run = await runOnce(entrant, repeat, plan, ends)
      say(`${scenario.name}: ${run.contender} ${repeat}/${repeats}: ${outcome(run)}`)
      runs.push(run)
    }
  }
  const entrant = [...contenders].find(([name]) => name === profiled)
  if (entrant === undefined) return { scenario, cargo: ends.cargo, runs }
  say(`${scenario.name}: ${profiled} once more, under perf`)
  let listing = ''
  const run = await runOnce(entrant, 0, plan, ends, async ({ pid }) => {
    const profiling = await profile(pid)
    return async () => {
      listing = await profiling.listing()
    }
  })
  if ('failure' in run) listing = run.failure
  return { scenario, cargo: ends.cargo, runs, profile: { contender: entrant[0], listing } }
}

function outcome(run: Run): string {
  if ('failure' in run) return run.failure.split('\n')[0] ?? ''
  const { wireBytes, movingSeconds, userSeconds, systemSeconds } = run
  const mbPerSecond = wireBytes / 1e6 / movingSeconds
  return `${mbPerSecond.toFixed(0)} MB/s, ${(userSeconds + systemSeconds).toFixed(1)} CPU-seconds`
}

async function runOnce(
  [name, contender]: readonly [string, Contender],
  repeat: number,
  plan: CellPlan,
  ends: Ends,
  watch?: (mirror: ContenderProcess) => Promise<() => Promise<void>>
): Promise<Run> {
  const folder = await makeFolder()
  const round = await ends.begin()
  let sighting: Promise<Sighting> | undefined
  try {
    const task = await taskOf(round, plan.scenario, join(folder, name))
    const mirror = await ContenderProcess.start(await contender.command(task), task.folder)
    const unwatch = await watch?.(mirror)
    const end = await untilDone(contender, mirror, round, plan.limitMs)
    await unwatch?.()
    sighting = round.close()
    const run = measured(name, repeat, ends.cargo, mirror, end.cost, await sighting)
    const failure = end.failure ?? (await sighting).fault
    if (failure === undefined) return run
    return failed(name, repeat, `${failure}\n${await mirror.lastOutput()}`)
  } catch (error) {
    return failed(name, repeat, reasonOf(error))
  } finally {
    if (sighting === undefined) await round.close()
    await removeFolder(folder)
  }
}

export async function taskOf(round: Round, scenario: Scenario, folder: string): Promise<Task> {
  await mkdir(folder)
  const { topic, source, sourceCa, target, targetCa } = round
  const { rawSourcePort = 0, rawTargetPort = 0 } = round
  const { codec, batchBytes } = scenario
  const group = `bench-${process.pid}-${Date.now()}`
  const ends = { source, sourceCa, target, targetCa, rawSourcePort, rawTargetPort }
  const streams = scenario.ends === 'stub' ? scenario.streams : undefined
  return { topic, streams, ...ends, codec, batchBytes, group, folder }
}

/** Waits until the mirror has ended, or until the target has everything and the mirror has been ended. */
export async function untilDone(
  contender: Contender,
  mirror: ContenderProcess,
  round: Round,
  limitMs: number
): Promise<{ cost: ProcessCost; failure?: string }> {
  const deadline = Date.now() + limitMs
  while (!mirror.hasEnded) {
    if (Date.now() > deadline) {
      return { cost: await mirror.stop(0), failure: `not done after ${limitMs / 1000} s` }
    }
    if (!contender.endsByItself && (await round.hasAll())) {
      return { cost: await mirror.stop(stopLimitMs) }
    }
    await delay(pollMs)
  }
  const cost = await mirror.cost()
  if (!contender.endsByItself) return { cost, failure: `ended too early, with ${cost.exitCode}` }
  return cost.exitCode === 0 ? { cost } : { cost, failure: `ended with ${cost.exitCode}` }
}

function failed(contender: string, repeat: number, failure: string): FailedRun {
  return { contender, repeat, failure: `failed: ${failure}` }
}

function measured(
  contender: string,
  repeat: number,
  cargo: Cargo,
  mirror: ContenderProcess,
  cost: ProcessCost,
  sighting: Sighting
): Measurement {
  const { firstNs, lastNs, sourceCpuSeconds, targetCpuSeconds, targetBatchBytes } = sighting
  return {
    contender,
    repeat,
    ...cargo,
    movingSeconds: (lastNs - firstNs) / 1e9,
    processSeconds: cost.seconds,
    userSeconds: cost.userSeconds,
    systemSeconds: cost.systemSeconds,
    movingCpuSeconds: mirror.usage.cpuSecondsBetween(firstNs, lastNs),
    peakRssBytes: cost.peakRssBytes,
    sourceCpuSeconds,
    targetCpuSeconds,
    mainThreadShare: mirror.usage.mainThreadShare(firstNs, lastNs),
    ...(targetBatchBytes === undefined ? {} : { targetBatchBytes })
  }
}

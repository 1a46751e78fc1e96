// Owns what a process has used, as the kernel counts it in /proc.

import { readFileSync } from 'node:fs'

interface Sample {
  ns: number
  /** User and system seconds of all threads, ended ones included. */
  cpuSeconds: number
  mainThreadSeconds: number
}

// USER_HZ, the unit of /proc on every Linux.
const ticksPerSecond = 100
const sampleMs = 50
const shareWindowNs = 10e9

/** User and system seconds so far; 0 for a process that is not there. */
export function cpuSecondsOf(pid: number | undefined): number {
  return pid === undefined ? 0 : (readCpuSeconds(`/proc/${pid}/stat`) ?? 0)
}

/** Samples a process until it ends or `stop` is called. */
export class UsageSampler {
  readonly #pid: number
  readonly #samples: Sample[] = []
  readonly #timer: NodeJS.Timeout

  constructor(pid: number) {
    this.#pid = pid
    this.#take()
    this.#timer = setInterval(() => this.#take(), sampleMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** CPU seconds of the process between two times of the monotonic clock. */
  cpuSecondsBetween(fromNs: number, toNs: number): number {
    return this.#at(toNs, 'cpuSeconds') - this.#at(fromNs, 'cpuSeconds')
  }

  /** Share of a core that the first thread took in the middle ten seconds between two times. */
  mainThreadShare(fromNs: number, toNs: number): number {
    const middle = (fromNs + toNs) / 2
    const from = Math.max(fromNs, middle - shareWindowNs / 2)
    const to = Math.min(toNs, middle + shareWindowNs / 2)
    const seconds = this.#at(to, 'mainThreadSeconds') - this.#at(from, 'mainThreadSeconds')
    return seconds / ((to - from) / 1e9)
  }

  #take(): void {
    const cpuSeconds = readCpuSeconds(`/proc/${this.#pid}/stat`)
    const mainThreadSeconds = readCpuSeconds(`/proc/${this.#pid}/task/${this.#pid}/stat`)
    if (cpuSeconds === undefined || mainThreadSeconds === undefined) return
    this.#samples.push({ ns: monotonicNs(), cpuSeconds, mainThreadSeconds })
  }

  /** Between two samples the value is taken to grow evenly. */
  #at(ns: number, field: 'cpuSeconds' | 'mainThreadSeconds'): number {
    const after = this.#samples.findIndex(sample => sample.ns >= ns)
    const next = this.#samples.at(after)
    if (next === undefined) return Number.NaN
    const previous = this.#samples[after - 1]
    if (after <= 0 || previous === undefined) return next[field]
    const part = (ns - previous.ns) / (next.ns - previous.ns)
    return previous[field] + part * (next[field] - previous[field])
  }
}

/** Now, on the clock that the native parts use too. */
export function monotonicNs(): number {
  return Number(process.hrtime.bigint())
}

// pid (comm) state ppid … utime stime …: fields 14 and 15, counted after the name, which may hold anything.
function readCpuSeconds(path: string): number | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined // the process has ended
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

// Counts what a step has moved, and tells it once a second in between and once at the end.

import { performance } from 'node:perf_hooks'
import type { Latency, Step, StepKind } from './types.ts'

/** What moved within a time. */
export interface Window {
  records: number
  recordBytes: number
  wireBytes: number
  seconds: number
  latency: Latency | undefined
}

export interface MeterOptions {
  kind: StepKind
  connections: number
  /** Of one record, before compression. */
  recordBytes: number
  /** Once a second while the step runs. */
  onWindow(kind: StepKind, window: Window): void
}

interface Mark {
  at: number
  records: number
  wireBytes: number
}

const windowMs = 1_000

export class Meter {
  readonly #options: MeterOptions
  readonly #latencies = { window: new Latencies(), whole: new Latencies() }
  #timer: NodeJS.Timeout | undefined
  #start: Mark = { at: performance.now(), records: 0, wireBytes: 0 }
  #before = this.#start
  #now = { records: 0, wireBytes: 0 }
  #cpu = process.cpuUsage()
  #loop = performance.eventLoopUtilization()
  #end: { at: number; cpuSeconds: number; mainThread: number } | undefined

  constructor(options: MeterOptions) {
    this.#options = options
  }

  /** In all since the begin. */
  get records(): number {
    return this.#now.records
  }

  /** To be called again as long as all is preparation: the time begins at the last call. */
  begin(): void {
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.#tell(), windowMs)
    this.#start = { at: performance.now(), ...this.#now }
    this.#before = this.#start
    this.#cpu = process.cpuUsage()
    this.#loop = performance.eventLoopUtilization()
  }

  /** Totals since the begin. */
  reach(records: number, wireBytes: number): void {
    this.#now = { records, wireBytes }
  }

  /** So many requests were answered, after these times. */
  took(averageMs: number, maxMs = averageMs, count = 1): void {
    for (const latencies of Object.values(this.#latencies)) latencies.add(averageMs, maxMs, count)
  }

  /** The time is over here; the last counts may still come in. Once is enough. */
  stop(): void {
    clearInterval(this.#timer)
    if (this.#end) return
    const { user, system } = process.cpuUsage(this.#cpu)
    this.#end = {
      at: performance.now(),
      cpuSeconds: (user + system) / 1e6,
      mainThread: performance.eventLoopUtilization(this.#loop).utilization
    }
  }

  /** Of a meter that was stopped. */
  result(): Step {
    if (!this.#end) throw new Error('the meter still runs')
    const { kind, connections } = this.#options
    const { at, cpuSeconds, mainThread } = this.#end
    const window = this.#windowSince(this.#start, at, this.#latencies.whole)
    return { kind, connections, ...window, ...ratesOf(window), cpuSeconds, mainThread }
  }

  #tell(): void {
    const at = performance.now()
    const { window: latencies } = this.#latencies
    this.#options.onWindow(this.#options.kind, this.#windowSince(this.#before, at, latencies))
    latencies.clear()
    this.#before = { at, ...this.#now }
  }

  #windowSince(from: Mark, at: number, latencies: Latencies): Window {
    const records = this.#now.records - from.records
    return {
      records,
      recordBytes: records * this.#options.recordBytes,
      wireBytes: this.#now.wireBytes - from.wireBytes,
      seconds: (at - from.at) / 1_000,
      latency: latencies.sumUp()
    }
  }
}

class Latencies {
  #sumMs = 0
  #maxMs = 0
  #count = 0

  add(averageMs: number, maxMs: number, count: number): void {
    this.#sumMs += averageMs * count
    this.#maxMs = Math.max(this.#maxMs, maxMs)
    this.#count += count
  }

  clear(): void {
    this.#sumMs = this.#maxMs = this.#count = 0
  }

  sumUp(): Latency | undefined {
    if (this.#count === 0) return undefined
    return { averageMs: this.#sumMs / this.#count, maxMs: this.#maxMs }
  }
}

/** Per second; MB is 10^6 bytes. */
export function ratesOf({
  records,
  recordBytes,
  wireBytes,
  seconds
}: Pick<Window, 'records' | 'recordBytes' | 'wireBytes' | 'seconds'>): Pick<
  Step,
  'recordsPerSecond' | 'recordMegabytesPerSecond' | 'wireMegabytesPerSecond'
> {
  const per = Math.max(seconds, 0.001)
  return {
    recordsPerSecond: records / per,
    recordMegabytesPerSecond: recordBytes / 1e6 / per,
    wireMegabytesPerSecond: wireBytes / 1e6 / per
  }
}

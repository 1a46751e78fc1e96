// Owns the process of one run of one contender: start, samples, end, and what the kernel says it cost.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { nativePart } from './native-parts.ts'
import { UsageSampler } from './process-usage.ts'

export interface ProcessCost {
  exitCode: number
  seconds: number
  userSeconds: number
  systemSeconds: number
  peakRssBytes: number
}

const shownLines = 8
const shownWidth = 300

export class ContenderProcess {
  readonly usage: UsageSampler
  readonly pid: number
  readonly #runner: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #folder: string

  static async start(command: readonly string[], folder: string): Promise<ContenderProcess> {
    const files = [join(folder, 'cost.json'), join(folder, 'output.log')]
    const runner = spawn(await nativePart('measured_run'), [...files, ...command], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const ended = once(runner, 'exit')
    const [pid] = (await once(createInterface({ input: runner.stdout }), 'line')) as [string]
    return new ContenderProcess(Number(pid), runner, ended, folder)
  }

  private constructor(pid: number, runner: ChildProcess, ended: Promise<unknown>, folder: string) {
    this.pid = pid
    this.#runner = runner
    this.#ended = ended
    this.#folder = folder
    this.usage = new UsageSampler(pid)
  }

  get hasEnded(): boolean {
    return this.#runner.exitCode !== null || this.#runner.signalCode !== null
  }

  /** Asks it to end, and makes it end when it does not within the time. */
  async stop(limitMs: number): Promise<ProcessCost> {
    if (!this.hasEnded) this.#runner.kill('SIGTERM')
    const timer = setTimeout(() => this.kill(), limitMs)
    const cost = await this.cost()
    clearTimeout(timer)
    return cost
  }

  kill(): void {
    if (!this.hasEnded) process.kill(this.pid, 'SIGKILL')
  }

  /** Waits for the end. */
  async cost(): Promise<ProcessCost> {
    await this.#ended
    this.usage.stop()
    return JSON.parse(await readFile(join(this.#folder, 'cost.json'), 'utf8')) as ProcessCost
  }

  /** The last lines that it wrote, cut to a readable width. */
  async lastOutput(): Promise<string> {
    const text = await readFile(join(this.#folder, 'output.log'), 'utf8').catch(() => '')
    const lines = text.trimEnd().split('\n').slice(-shownLines)
    return lines.map(line => line.slice(0, shownWidth)).join('\n')
  }
}

// Owns the mirror as users run it: the command in a process of its own, its log, its signals and its report.

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { PartitionReport, RunReport } from '../../src/observe/report.ts'
import { waitFor } from './wait.ts'

export type MirrorOptions = {
  source: { bootstrap: string }
  target: { bootstrap: string }
  /** Java regular expression of topics. */
  whitelist: string
  group?: string
  /** Lines of the two files, over the connection. */
  consumer?: Record<string, string | number>
  producer?: Record<string, string | number>
  /** Further sources, each with a file and a link of its own. */
  furtherSources?: FurtherSource[]
  /** Where its HTTP routes are served; nowhere when not given. */
  http?: string
  /** Further flags. */
  flags?: string[]
  /** Variables over those of the test itself. */
  environment?: Record<string, string>
  /** `run` comes first unless this is false: flags of MirrorMaker need no command word. */
  hasCommandWord?: boolean
  /** Mirrors up to the ends seen at start, and writes a report. */
  isBounded?: boolean
}

export type FurtherSource = {
  bootstrap: string
  group?: string
  consumer?: Record<string, string | number>
}

export type LogLine = { level: string; time: string; msg: string; [field: string]: unknown }
export type Exit = { code: number | null; signal: NodeJS.Signals | null }
export type LineMatch = { msg: string; [field: string]: unknown }

// The compiled file lies in dist/test/support.
const command = fileURLToPath(new URL('../../../bin/heliostat', import.meta.url))
const exitLimitMs = 50_000
const linesShown = 30

export class MirrorProcess {
  readonly lines: LogLine[] = []
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  readonly #folder: string
  #errors = ''

  constructor(child: ChildProcess, folder: string) {
    this.#child = child
    this.#folder = folder
    if (child.stdout === null) throw new Error('the log of the mirror is not piped')
    createInterface({ input: child.stdout }).on('line', line => this.lines.push(readLine(line)))
    child.stderr?.on('data', chunk => {
      this.#errors += chunk
    })
    // `close` comes when everything that was written has been read.
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal }))
    })
  }

  get pid(): number {
    return this.#child.pid as number
  }

  get errors(): string {
    return this.#errors
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Lines that have these fields. */
  linesLike(match: LineMatch): LogLine[] {
    return this.lines.filter(line =>
      Object.entries(match).every(([field, value]) => line[field] === value)
    )
  }

  /** The first line that has these fields, now or within the limit. */
  async line(match: LineMatch, limitMs = 60_000): Promise<LogLine> {
    return this.until(`the line ${JSON.stringify(match)}`, () => this.linesLike(match)[0], limitMs)
  }

  /** Waits for a condition while the mirror runs; its end is an error. */
  async until<T>(
    what: string,
    ask: () => T | undefined | false | Promise<T | undefined | false>,
    limitMs = 60_000
  ): Promise<T> {
    const describe = () => this.tail()
    const askWhileRunning = async () => {
      const wasOver = this.hasExited
      const answer = await ask()
      if (wasOver && (answer === undefined || answer === false)) {
        throw new Error(`the mirror ended before ${what}\n${this.tail()}`)
      }
      return answer
    }
    return waitFor(what, askWhileRunning, { limitMs, describe })
  }

  /** Waits for the end and gives the exit code; null when a signal ended it. */
  async exit(limitMs = exitLimitMs): Promise<number | null> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`the mirror still runs after ${limitMs} ms\n${this.tail()}`))
      }, limitMs)
    })
    try {
      return (await Promise.race([this.exited, late])).code
    } finally {
      clearTimeout(timer)
    }
  }

  /** Asks it to drain, and gives the exit code. */
  stop(limitMs = exitLimitMs): Promise<number | null> {
    this.kill('SIGTERM')
    return this.exit(limitMs)
  }

  async report(): Promise<RunReport> {
    return JSON.parse(await readFile(reportPath(this.#folder), 'utf8'))
  }

  /** The last lines of its log and everything on its standard error: for messages. */
  tail(): string {
    const lines = this.lines.slice(-linesShown).map(line => JSON.stringify(line))
    return [...lines, this.#errors].join('\n')
  }
}

/** Whoever cleans up: a test is one. */
export type Scope = { after(work: () => unknown): unknown }

/** Starts the command; what is left of it goes with the test. */
export async function startMirror(t: Scope, options: MirrorOptions): Promise<MirrorProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'heliostat-run-'))
  const args = await writeArguments(folder, options)
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe']
  const env = { ...plainEnvironment(), ...options.environment }
  const child = spawn(process.execPath, [command, ...args], { stdio, env })
  const mirror = new MirrorProcess(child, folder)
  t.after(async () => {
    mirror.kill('SIGKILL')
    await mirror.exited
    await rm(folder, { recursive: true, force: true })
  })
  return mirror
}

export type BoundedRun = { code: number | null; report: RunReport; mirror: MirrorProcess }

/** One run up to the ends seen at start. */
export async function mirrorOnce(
  t: TestContext,
  options: MirrorOptions,
  limitMs = exitLimitMs
): Promise<BoundedRun> {
  const mirror = await startMirror(t, { ...options, isBounded: true })
  const code = await mirror.exit(limitMs)
  try {
    return { code, report: await mirror.report(), mirror }
  } catch (cause) {
    throw new Error(`exit code ${code} and no report\n${mirror.tail()}`, { cause })
  }
}

/** The partitions of a topic in a report. */
export function partitionsOf(report: RunReport, topic: string): PartitionReport[] {
  return report.links.flatMap(link =>
    link.topics.flatMap(entry => (entry.topic === topic ? entry.partitions : []))
  )
}

async function writeArguments(folder: string, options: MirrorOptions): Promise<string[]> {
  const { source, target, whitelist, group = 'mirror', isBounded = false } = options
  const consumer = join(folder, 'source.properties')
  const producer = join(folder, 'target.properties')
  const consumerLines = {
    'bootstrap.servers': source.bootstrap,
    'group.id': group,
    ...options.consumer
  }
  await writeProperties(consumer, consumerLines)
  const further = await writeFurther(folder, options)
  await writeProperties(producer, { 'bootstrap.servers': target.bootstrap, ...options.producer })
  const args = options.hasCommandWord === false ? [] : ['run']
  for (const file of [consumer, ...further]) args.push('--consumer.config', file)
  args.push('--producer.config', producer)
  args.push('--whitelist', whitelist, '--http', options.http ?? 'off')
  if (isBounded) args.push('--until-caught-up', '--report', reportPath(folder))
  return [...args, ...(options.flags ?? [])]
}

async function writeFurther(folder: string, options: MirrorOptions): Promise<string[]> {
  const { furtherSources = [], group = 'mirror' } = options
  const writes = furtherSources.map(async (source, index) => {
    const file = join(folder, `source-${index + 2}.properties`)
    await writeProperties(file, {
      'bootstrap.servers': source.bootstrap,
      'group.id': source.group ?? group,
      ...source.consumer
    })
    return file
  })
  return Promise.all(writes)
}

/** Without what steers the tests: the command refuses variables of its name that it does not know. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env)
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('HELIOSTAT_')))
}

function writeProperties(path: string, values: Record<string, string | number>): Promise<void> {
  const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`)
  return writeFile(path, lines.join(''))
}

function reportPath(folder: string): string {
  return join(folder, 'report.json')
}

/** What is not JSON (a crash of Node) is kept as a line too. */
function readLine(line: string): LogLine {
  try {
    return JSON.parse(line)
  } catch {
    return { level: 'none', time: '', msg: line }
  }
}

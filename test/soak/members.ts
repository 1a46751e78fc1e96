// Owns the mirrors of a soak: members of one group that come and go, and what each of them has said and used.

import { startedLines } from '../support/killed-mirror.ts'
import { type MirrorOptions, type MirrorProcess, startMirror } from '../support/mirror-process.ts'
import { freePorts } from '../support/ports.ts'
import { type Figures, readFigures, readRetries } from './figures.ts'
import type { Journal } from './journal.ts'

export type Member = {
  name: string
  process: MirrorProcess
  /** It is never killed nor ended: what it holds of memory and descriptors over the whole run tells of leaks. */
  isWitness: boolean
  http: string
}

/** What the mirrors told in all, of lives that are over and of those that go on. */
export type Said = {
  lives: number
  /** Records found on the target behind the commits. */
  arrived: number
  /** Times that a lane looked anew for what had arrived. */
  resumes: number
  maybeDoubled: number
  retries: number
  /** What no fault of a soak may cause, in sentences. */
  wrong: string[]
}

const endLimitMs = 90_000

export class Members {
  readonly live: Member[] = []
  readonly said: Said = { lives: 0, arrived: 0, resumes: 0, maybeDoubled: 0, retries: 0, wrong: [] }
  peakRssBytes = 0
  readonly #options: MirrorOptions
  readonly #lastRetries = new Map<Member, number>()
  readonly #cleanups = new Map<Member, () => Promise<void>>()

  readonly #journal: Journal

  constructor(options: MirrorOptions, journal: Journal) {
    this.#options = options
    this.#journal = journal
  }

  async join(isWitness = false): Promise<Member> {
    const [port] = await freePorts(1)
    const http = `127.0.0.1:${port}`
    const cleanups: (() => unknown)[] = []
    const scope = { after: (work: () => unknown) => cleanups.push(work) }
    const process = await startMirror(scope, { ...this.#options, http })
    const member = { name: `mirror-${++this.said.lives}`, process, isWitness, http }
    this.live.push(member)
    this.#cleanups.set(member, async () => {
      for (const cleanup of cleanups) await cleanup()
    })
    return member
  }

  /** A signal that ends it; gives the exit code, null after SIGKILL. */
  async end(member: Member, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    // From here on nobody else takes it for a victim.
    this.live.splice(this.live.indexOf(member), 1)
    if (member.process.hasExited) this.#note(`${member.name} ended by itself`)
    await this.measure(member)
    member.process.kill(signal)
    const code = await member.process.exit(endLimitMs)
    await this.#bury(member)
    return code
  }

  /** Looks at one: memory, descriptors, retries so far. */
  async measure(member: Member): Promise<Figures | undefined> {
    if (member.process.hasExited) return undefined
    const figures = readFigures(member.process.pid)
    this.peakRssBytes = Math.max(this.peakRssBytes, figures?.peakRssBytes ?? 0)
    const retries = await readRetries(member.http)
    if (retries !== undefined) this.#lastRetries.set(member, retries)
    return figures
  }

  async close(): Promise<void> {
    for (const member of [...this.live]) {
      member.process.kill('SIGCONT')
      const code = await this.end(member, 'SIGTERM')
      if (code !== 0) this.#note(`${member.name} ended with ${code} on healthy clusters`)
    }
  }

  /** What is left when a run could not come to its end. */
  async abandon(): Promise<void> {
    for (const member of [...this.live]) await this.end(member, 'SIGKILL')
  }

  async #bury(member: Member): Promise<void> {
    const { said } = this
    await this.#journal.keepLog(member.name, member.process)
    for (const line of startedLines(member.process)) {
      said.arrived += (line.arrived as number | undefined) ?? 0
      if (line.delivery !== 'exactly-once')
        this.#note(`${member.name}: lanes at least once: ${JSON.stringify(line)}`)
    }
    for (const line of member.process.lines) {
      if (line.msg.startsWith('target does not know the sequence')) said.resumes += countOf(line)
      if (line.msg.startsWith('target forgot the sequence')) {
        said.maybeDoubled += (line.to as number) - (line.from as number)
      }
      if (line.msg === 'lane stopped') this.#note(`${member.name}: ${JSON.stringify(line)}`)
      if (line.level === 'none') this.#note(`${member.name}: not a line of its log: ${line.msg}`)
    }
    said.retries += this.#lastRetries.get(member) ?? 0
    this.#lastRetries.delete(member)
    await this.#cleanups.get(member)?.()
    this.#cleanups.delete(member)
  }

  #note(what: string): void {
    this.said.wrong.push(what)
  }
}

function countOf({ count }: { [field: string]: unknown }): number {
  return typeof count === 'number' ? count : 1
}

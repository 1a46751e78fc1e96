// Decides which source topics are mirrored: patterns as MirrorMaker reads them, less internal topics.

import { ConfigError } from '../errors.ts'
import { type Piscina, threadPool } from '../thread-pool.ts'
import { type NamePattern, readTopicPattern } from './pattern.ts'
import { whyNeverMirrored } from './reserved.ts'

export interface LeftOut {
  topic: string
  why: string
}

export interface Selection {
  selected: string[]
  /** Topics that the patterns match and that are not mirrored all the same. */
  leftOut: LeftOut[]
}

export interface SelectorOptions {
  include?: string | undefined
  exclude?: string | undefined
  /** Most time that one call may spend on matching. */
  timeLimitMs?: number
}

/** A message to the matching worker; it counts the names it is done with in `done`. */
export interface MatchTask {
  include: NamePattern | undefined
  exclude: NamePattern | undefined
  names: string[]
  done: Int32Array
}

export class TopicSelector {
  readonly #include: NamePattern | undefined
  readonly #exclude: NamePattern | undefined
  readonly #timeLimitMs: number
  // A name's verdict never changes, so each is matched once and the worker sleeps between new topics.
  readonly #verdicts = new Map<string, boolean>()
  #pool: Piscina<MatchTask, boolean[]> | undefined

  constructor({ include, exclude, timeLimitMs = 5_000 }: SelectorOptions) {
    this.#include = include === undefined ? undefined : readTopicPattern(include)
    this.#exclude = exclude === undefined ? undefined : readTopicPattern(exclude)
    this.#timeLimitMs = timeLimitMs
  }

  /** Keeps the order of the names. Fails with a ConfigError when a pattern takes too long on a name. */
  async select(names: string[]): Promise<Selection> {
    await this.#judge(names.filter(name => !this.#verdicts.has(name)))
    const selection: Selection = { selected: [], leftOut: [] }
    for (const topic of names) {
      if (this.#verdicts.get(topic) !== true) continue
      const why = whyNeverMirrored(topic)
      if (why === undefined) selection.selected.push(topic)
      else selection.leftOut.push({ topic, why })
    }
    return selection
  }

  async close(): Promise<void> {
    await this.#pool?.destroy()
    this.#pool = undefined
  }

  async #judge(names: string[]): Promise<void> {
    if (names.length === 0) return
    const done = new Int32Array(new SharedArrayBuffer(4))
    const task = { include: this.#include, exclude: this.#exclude, names, done }
    const verdicts = await this.#match(task)
    for (const [index, name] of names.entries()) this.#verdicts.set(name, verdicts[index] === true)
  }

  async #match(task: MatchTask): Promise<boolean[]> {
    const limit = new AbortController()
    const stop = afterAwake(this.#timeLimitMs, () => limit.abort())
    try {
      return await this.#worker().run(task, { signal: limit.signal })
    } catch (cause) {
      if (!limit.signal.aborted) throw cause
      const name = task.names[Atomics.load(task.done, 0)] ?? ''
      throw new ConfigError(
        `topic pattern: no answer within ${this.#timeLimitMs} ms at topic "${name}". ` +
          'Set a pattern without nested repetition, such as (a+)+',
        { cause }
      )
    } finally {
      stop()
    }
  }

  #worker(): Piscina<MatchTask, boolean[]> {
    this.#pool ??= threadPool<MatchTask, boolean[]>(new URL('./match-worker.js', import.meta.url), {
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: 1_000
    })
    return this.#pool
  }
}

const looks = 20

/** Calls after so long in which this process was awake: one that was stopped meanwhile has lost no time. */
function afterAwake(milliseconds: number, call: () => void): () => void {
  let left = looks
  // However long the process was stopped, it is told of one look.
  const timer = setInterval(() => {
    if (--left === 0) call()
  }, milliseconds / looks)
  return () => clearInterval(timer)
}

// Runs the recurring jobs of a link: each on its own interval, never two turns of one job at once.

export type Job = () => void | Promise<void>

export class Schedule {
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #fail: (error: unknown) => void

  /** `fail` hears of the first error of a job; a job that can go on catches its own. */
  constructor(fail: (error: unknown) => void) {
    this.#fail = fail
  }

  /** A turn that comes while the one before still runs is left out. Returns how to end the job alone. */
  every(intervalMs: number, job: Job): () => void {
    let isRunning = false
    const turn = async (): Promise<void> => {
      if (isRunning) return
      isRunning = true
      try {
        await job()
      } catch (error) {
        this.#fail(error)
      } finally {
        isRunning = false
      }
    }
    const timer = setInterval(() => void turn(), intervalMs)
    this.#timers.add(timer)
    return () => {
      clearInterval(timer)
      this.#timers.delete(timer)
    }
  }

  /** Starts no more turns; those under way end by themselves. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#timers.clear()
  }
}

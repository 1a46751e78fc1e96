// Keeps equal lines out of the log: one per key in ten seconds, with a count of what it stands for.

const windowMs = 10_000

interface Entry {
  until: number
  held: number
  write: (count: number) => void
}

export class Repeats {
  readonly #entries = new Map<string, Entry>()

  /** Writes at once when the key is new, else counts it towards the next line. */
  write(key: string, write: (count: number) => void, now = performance.now()): void {
    const entry = this.#entries.get(key)
    if (!entry) {
      this.#entries.set(key, { until: now + windowMs, held: 0, write })
      write(1)
      return
    }
    entry.held++
    entry.write = write
  }

  /** Writes what has been counted for the windows that are over. To be called now and then. */
  flush(now = performance.now()): void {
    for (const [key, entry] of this.#entries) {
      if (now < entry.until) continue
      if (entry.held === 0) {
        this.#entries.delete(key)
        continue
      }
      const { held } = entry
      entry.until = now + windowMs
      entry.held = 0
      entry.write(held)
    }
  }

  /** Writes everything that is still counted. */
  close(): void {
    for (const { held, write } of this.#entries.values()) if (held > 0) write(held)
    this.#entries.clear()
  }
}

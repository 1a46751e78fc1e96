// What a lane has lost: stretches of source offsets that were deleted before they were mirrored.

export interface Gap {
  /** First source offset that is lost, and the one after the last. */
  from: number
  to: number
  /** The lane went on behind it; otherwise it is stopped there. */
  isSkipped: boolean
}

/** A lane that retention overtakes for days finds a gap a minute: the newest are listed, and all are counted. */
const mostListed = 100

export class Gaps {
  #listed: readonly Gap[] = []
  #offsets = 0

  /** The newest, in the order of their offsets. */
  get listed(): readonly Gap[] {
    return this.#listed
  }

  /** Source offsets in all gaps. Markers and compacted records had offsets too, so it is the most that is lost. */
  get offsets(): number {
    return this.#offsets
  }

  note(gap: Gap): void {
    // A lane that begins again at an earlier commit meets what it had skipped behind that once more.
    const kept = this.#listed.filter(({ from }) => from < gap.from)
    const repeated = this.#listed.filter(({ from }) => from >= gap.from)
    this.#offsets += countOffsets(gap) - repeated.reduce((sum, old) => sum + countOffsets(old), 0)
    this.#listed = [...kept, gap].slice(-mostListed)
  }
}

export const againstGaps =
  'raise retention.ms and retention.bytes of the source topic, or find out why the mirror lags'

export function fixGap({ to, isSkipped }: Pick<Gap, 'to' | 'isSkipped'>): string {
  if (isSkipped) return againstGaps
  return `${againstGaps}; start with --on-gap skip to go on at offset ${to} without what is lost`
}

export function countOffsets({ from, to }: Pick<Gap, 'from' | 'to'>): number {
  return Math.max(0, to - from)
}

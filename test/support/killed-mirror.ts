// Owns a mirror that dies again and again: each start goes on where the target says that the last one came to.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type LogLine,
  type MirrorOptions,
  type MirrorProcess,
  startMirror
} from './mirror-process.ts'
import type { Random } from './random.ts'

export type Lives = {
  count: number
  /** What each life said of the lanes that it started. */
  started: LogLine[]
  /** Records found on the target behind the commits, in all. */
  arrived: number
  /** Lives that ended before a lane had begun. */
  early: number
  /** From each start to the first lane that begins. */
  startMs: number[]
}

/** One life in so many is not even given the time to begin its lanes. */
const earlyOneIn = 5
const earlyMs = 1_000
const shortWorkMs = 800
/** Brokers may be down at the same time. */
const beginLimitMs = 90_000

/**
 * Starts it so many times, or until told, and kills it each time at a moment that nobody chose, at most `workMs` after
 * its first lane has begun.
 */
export async function killAgainAndAgain(
  t: TestContext,
  options: MirrorOptions,
  times: number | (() => boolean),
  random: Random,
  workMs = shortWorkMs
): Promise<Lives> {
  const isOver = typeof times === 'number' ? () => lives.count >= times : times
  const lives: Lives = { count: 0, started: [], arrived: 0, early: 0, startMs: [] }
  while (!isOver()) {
    const startedAt = performance.now()
    const mirror = await startMirror(t, options)
    if (random.between(1, earlyOneIn) === 1) {
      await delay(random.between(0, earlyMs))
    } else {
      await mirror.until('lanes', () => startedLines(mirror).length > 0, beginLimitMs)
      lives.startMs.push(Math.round(performance.now() - startedAt))
      await delay(random.between(0, workMs))
    }
    if (mirror.hasExited) throw new Error(`the mirror ended by itself\n${mirror.tail()}`)
    mirror.kill('SIGKILL')
    await mirror.exited
    noteLife(lives, mirror)
  }
  return lives
}

/**
 * So many lives that commit nothing but their start, each killed as soon as it has written something: each has to find
 * all that those before it have written.
 */
export async function killAfterRecords(
  t: TestContext,
  options: MirrorOptions,
  lives: number,
  countThere: () => Promise<number>
): Promise<void> {
  const flags = [...(options.flags ?? []), '--offset.commit.interval.ms', '600000']
  let before = await countThere()
  for (let life = 1; life <= lives; life++) {
    const mirror = await startMirror(t, { ...options, flags })
    const hasMore = async () => (await countThere()) > before
    await mirror.until('records of its own', hasMore, 60_000)
    mirror.kill('SIGKILL')
    await mirror.exited
    for (const line of startedLines(mirror)) {
      assert.equal(line.delivery, 'exactly-once', JSON.stringify(line))
    }
    // A request may have been on its way when the life before ended.
    const found = countArrived(mirror)
    assert.ok(found >= before, `life ${life}: found ${found} of ${before}`)
    before = await countThere()
  }
}

/** Every line that says that lanes have begun. */
export function startedLines({ lines }: MirrorProcess): LogLine[] {
  return lines.filter(({ msg }) => msg.startsWith('lanes started'))
}

/** Records that were found on the target behind the commits. */
export function countArrived(mirror: MirrorProcess): number {
  const counts = startedLines(mirror).map(({ arrived }) => (arrived as number | undefined) ?? 0)
  return counts.reduce((sum, arrived) => sum + arrived, 0)
}

function noteLife(lives: Lives, mirror: MirrorProcess): void {
  const started = startedLines(mirror)
  lives.count++
  lives.started.push(...started)
  lives.arrived += countArrived(mirror)
  if (started.length === 0) lives.early++
}

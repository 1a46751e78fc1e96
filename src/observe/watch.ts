// Shows progress while a run lasts: a line on a terminal, else a log line now and then.

import type { MirrorState } from '../mirror/types.ts'
import type { Logger } from './log.ts'
import { formatProgress, measureProgress, type Sample, takeSample } from './progress.ts'
import type { StatusLine } from './status-line.ts'

// Short enough to look alive, long enough for a rate that does not flicker.
const drawMs = 500
// The line shows the rate over the last three seconds.
const windowSamples = 6

export interface WatchOptions {
  state: () => MirrorState
  logger: Logger
  line: StatusLine | undefined
  /** Between log lines where there is no terminal. */
  logEveryMs: number
}

/** Returns the function that ends it. */
export function watchProgress({ state, logger, line, logEveryMs }: WatchOptions): () => void {
  const samples: Sample[] = [takeSample(state(), Date.now())]
  const timer = setInterval(
    () => {
      const now = takeSample(state(), Date.now())
      const progress = measureProgress(samples[0] as Sample, now)
      samples.push(now)
      if (line) {
        if (samples.length > windowSamples) samples.shift()
        line.draw(formatProgress(progress))
      } else {
        samples.shift()
        logger.info({ ...rounded(progress) }, 'progress')
      }
    },
    line ? drawMs : logEveryMs
  )
  timer.unref()
  return () => {
    clearInterval(timer)
    line?.clear()
  }
}

function rounded(progress: ReturnType<typeof measureProgress>): Record<string, number | undefined> {
  const { done, timeLeftMs } = progress
  return {
    recordsPerSecond: Math.round(progress.recordsPerSecond),
    mbPerSecond: Math.round(progress.mbPerSecond * 10) / 10,
    lag: progress.lag,
    donePercent: done === undefined ? undefined : Math.floor(done * 100),
    timeLeftMs: timeLeftMs === undefined ? undefined : Math.round(timeLeftMs)
  }
}

// Begins a lane anew when the target refuses its sequence: the target is asked what has arrived, and it goes on there.

import type { Logger } from 'pino'
import type { Lane } from './lane.ts'
import type { Lanes } from './lanes.ts'

/** At one offset within so long. */
const mostResumes = 3
const resumeLoopMs = 60_000

export function beginAnew(
  lanes: Pick<Lanes, 'pendAgain' | 'refuse'>,
  lane: Lane,
  log: Logger
): void {
  lanes.pendAgain(lane)
  const now = performance.now()
  const offset = lane.own?.offset ?? -1
  lane.resumes = [...lane.resumes, { at: now, offset }].filter(
    resume => resume.offset === offset && now - resume.at < resumeLoopMs
  )
  if (lane.resumes.length < mostResumes) return
  const detail =
    'the target refuses its sequence again and again; is another producer writing under its id?'
  lanes.refuse(lane, { reason: 'resume-loop', detail })
  const { topic, partition } = lane
  log.error({ topic, partition, reason: 'resume-loop', detail }, 'lane stopped')
}

// Writes what happens to lanes into the log.

import type { Logger } from 'pino'
import type { LinkEvent } from '../native/index.ts'
import { countOffsets, fixGap } from './gaps.ts'
import type { Lane } from './lane.ts'
import type { Repeats } from './repeats.ts'

export function logLaneEvent(log: Logger, repeats: Repeats, lane: Lane, event: LinkEvent): void {
  const { topic, partition } = lane
  switch (event.type) {
    case 'lane-stopped': {
      const { reason, code, detail } = event
      const fix = fixes.get(code)
      repeats.write(`stopped ${reason} ${topic}`, count =>
        log.error(
          { topic, partition, reason, code, detail, count, ...(fix && { fix }) },
          'lane stopped'
        )
      )
      return
    }
    case 'lane-backing-off': {
      const { reason, code, detail } = event
      // Lost rights are an operator's to give back; everything else passes.
      const level = reason === 'not-allowed' ? 'error' : 'warn'
      repeats.write(`backing-off ${reason}`, count =>
        log[level](
          { topic, partition, reason, code, detail, count },
          'lane backs off and tries again'
        )
      )
      return
    }
    case 'lane-recovered':
      repeats.write('recovered', count => log.info({ topic, partition, count }, 'lane goes on'))
      return
    case 'lane-needs-resume': {
      const { code } = event
      repeats.write(`resume ${code}`, count =>
        log.warn(
          { topic, partition, code, count },
          'target does not know the sequence any more: the lane looks what has arrived and goes on there'
        )
      )
      return
    }
    case 'source-gap': {
      // Never summed up: what is lost has to be known offset by offset.
      const { from, to, isSkipped } = event
      log.error(
        { topic, partition, from, to, offsets: countOffsets(event), isSkipped, fix: fixGap(event) },
        'the source deleted records before they were mirrored: offsets from `from` up to before `to` are lost'
      )
      return
    }
    case 'producer-id-reset': {
      // Never summed up: which batches may be double is needed lane by lane.
      const { from, to, code } = event
      log.warn(
        { topic, partition, from, to, code },
        'target forgot the sequence: lane goes on with a fresh producer id, and source offsets from..to may be on the target twice'
      )
    }
  }
}

const unsupportedForMessageFormat = 43

/** By Kafka's code, where the reason alone does not say what to do. */
const fixes: ReadonlyMap<number, string> = new Map([
  [
    unsupportedForMessageFormat,
    'the target topic keeps a format from before Kafka 0.11, which has no place for sequence numbers and headers: set its ' +
      'message.format.version to 0.11.0 or newer on the target; or, where no record has headers, set ' +
      'enable.idempotence=false for the target, which may double records after a crash'
  ]
])

// Owns what a record looks like that a handler failed on: as it came, and headers that say where from and why.

import type { RecordBody } from '../batches/record-tail.ts'
import type { RecordView } from '../batches/record-view.ts'
import type { HandlerFailure, Place } from './chain.ts'

export function deadLetterTopic(topic: string): string {
  return `${topic}.dlq`
}

export function deadLetterOf(
  record: RecordView,
  place: Place,
  failure: HandlerFailure
): RecordBody {
  const told: [string, string][] = [
    ['heliostat.source.cluster', place.source],
    ['heliostat.source.topic', place.topic],
    ['heliostat.source.partition', `${place.partition}`],
    ['heliostat.source.offset', `${record.offset}`],
    ['heliostat.handler', failure.handler],
    ['heliostat.error', failure.message]
  ]
  return {
    attributes: record.attributes,
    key: record.key(),
    value: record.value(),
    headers: [
      ...record.headers(),
      ...told.map(([name, text]) => [Buffer.from(name), Buffer.from(text)] as const)
    ]
  }
}

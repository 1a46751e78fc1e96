// Owns what Kafka's own consumer sees of several topics at once, to be compared between two clusters.

import { consoleConsumer } from './kafka-tools.ts'

// Bytes that are no text are then written as such, and not replaced.
const asBytes = 'org.apache.kafka.common.serialization.BytesDeserializer'
const properties = {
  'key.deserializer': asBytes,
  'value.deserializer': asBytes,
  'headers.deserializer': asBytes
}

/**
 * A line for each record, sorted: time, partition, headers, key and value. Offsets are left out, and so is what kind a
 * time is of: both may differ where a mirror has been.
 */
export async function consumedRecords(
  { bootstrap }: { bootstrap: string },
  topics: readonly string[],
  count: number
): Promise<string[]> {
  const lines = await consoleConsumer({ bootstrap }, topics.join('|'), {
    isPattern: true,
    isolation: 'read_committed',
    maxMessages: count,
    properties
  })
  return lines.map(comparable).sort()
}

function comparable(line: string): string {
  const [time = '', partition = '', , ...rest] = line.split('\t')
  // Records of the oldest format have none, which later ones write as -1.
  const value = time === 'NO_TIMESTAMP' ? '-1' : time.slice(time.indexOf(':') + 1)
  return [value, partition, ...rest].join('\t')
}

// The process that makes the load of a latency run: a first record to each partition, then on "go" records at a steady
// rate, each stamped when it is handed to the client. Takes a LoadTask as JSON.

import Kafka from 'node-rdkafka'
import { sampleRecords } from '../../src/bench/sample-records.ts'
import { monotonicNs } from '../process-usage.ts'
import { writeStamp } from './record.ts'
import type { Schedule } from './schedule.ts'

export interface LoadTask {
  bootstrap: string
  topic: string
  schedule: Schedule
}

export type LoadMessage =
  | { kind: 'ready' }
  /** Of the counted records: when the first and the last one were sent, and how late the latest one was. */
  | { kind: 'sent'; firstNs: number; lastNs: number; latestMs: number }

// As long as Kafka's producers of both kinds wait when nobody has told them otherwise.
const lingerMs = 5
const flushLimitMs = 30_000
const differentRecords = 2_000

const { bootstrap, topic, schedule } = JSON.parse(process.argv[2] ?? '') as LoadTask
const { partitions, recordBytes, recordsPerSecond, steadyFrom, countedFrom, records } = schedule
// The client copies what it is handed, so each text is stamped again and again.
const values = sampleRecords(differentRecords, recordBytes).map(text => Buffer.from(text))
const producer = new Kafka.Producer({
  'bootstrap.servers': bootstrap,
  'compression.codec': 'lz4',
  'enable.idempotence': true,
  'linger.ms': lingerMs
})
let sent = 0

process.once('disconnect', () => process.exit()) // the bench is gone
producer.on('event.error', error => console.error(`load: ${error.message}`))
producer.connect({}, error => {
  if (error) throw error
  producer.setPollInterval(100)
  while (sent < steadyFrom) send()
  tell({ kind: 'ready' })
})
process.once('message', runSteadily)

function runSteadily(): void {
  const fromNs = monotonicNs()
  let [firstNs, latestMs] = [0, 0]
  // The clock decides what is due, so that a late tick is made up for by the next one.
  const ticking = setInterval(() => {
    const now = monotonicNs()
    const elapsed = (now - fromNs) / 1e9
    if (sent >= countedFrom) {
      if (firstNs === 0) firstNs = now
      const dueSeconds = (sent - steadyFrom) / recordsPerSecond
      latestMs = Math.max(latestMs, (elapsed - dueSeconds) * 1_000)
    }
    const due = Math.min(records, steadyFrom + Math.floor(elapsed * recordsPerSecond))
    while (sent < due) send()
    if (sent < records) return
    clearInterval(ticking)
    const lastNs = monotonicNs()
    producer.flush(flushLimitMs, error => {
      if (error) throw error
      tell({ kind: 'sent', firstNs, lastNs, latestMs })
    })
  }, 1)
}

function send(): void {
  const value = values[sent % values.length] as Buffer
  writeStamp(value, { number: sent, sentNs: monotonicNs() })
  producer.produce(topic, sent % partitions, value)
  sent++
}

function tell(message: LoadMessage): void {
  process.send?.(message)
}

// The measuring consumer of a latency run, the same for both sides: when each record came, which came twice, and how
// far the consumer itself was behind. Takes a ReaderTask as JSON.

import Kafka from 'node-rdkafka'
import { monotonicNs } from '../process-usage.ts'
import { readStamp } from './record.ts'
import type { Schedule } from './schedule.ts'

export interface ReaderTask {
  bootstrap: string
  topic: string
  schedule: Schedule
}

export interface Reading {
  /** Milliseconds from sending to arriving, by the record's number; NaN where it did not arrive. */
  latencyMs: Float64Array
  /** Arrivals of records that had arrived before. */
  repeated: number
  /** Records that the client knew of and had not handed over yet, looked at every 20 ms. */
  lagRecords: Float64Array
}

export type ReaderMessage =
  | { kind: 'ready' }
  /** The first record of each partition has come. */
  | { kind: 'signed' }
  /** Answers "end", once all is there or its time is over. */
  | { kind: 'read'; reading: Reading }

const lookEveryMs = 20
const pollMs = 10

const { bootstrap, topic, schedule } = JSON.parse(process.argv[2] ?? '') as ReaderTask
const { partitions, steadyFrom, countedFrom, records } = schedule
const latencyMs = new Float64Array(records).fill(Number.NaN)
const nextOffsets = new Float64Array(partitions)
const lagRecords: number[] = []
let [arrived, repeated] = [0, 0]

const consumer = new Kafka.KafkaConsumer(
  // Partitions are assigned by hand and nothing is committed: the group is only a name.
  { 'bootstrap.servers': bootstrap, 'group.id': 'bench-latency', 'enable.auto.commit': false },
  {}
)
process.once('disconnect', () => process.exit()) // the bench is gone
process.once('message', ({ limitMs }: { limitMs: number }) => end(limitMs))
consumer.on('event.error', error => console.error(`reader of ${bootstrap}: ${error.message}`))
consumer.on('data', take)
consumer.connect({}, error => {
  if (error) throw error
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  consumer.assign(all.map(partition => ({ topic, partition, offset: 0 })))
  // A pause after each second without a record would be measured as latency.
  consumer.setDefaultConsumeLoopTimeoutDelay(0)
  consumer.consume()
  setInterval(look, lookEveryMs)
  tell({ kind: 'ready' })
})

function take({ value, partition, offset }: Kafka.Message): void {
  const now = monotonicNs()
  const { number, sentNs } = readStamp(value)
  nextOffsets[partition] = offset + 1
  if (Number.isNaN(latencyMs[number])) {
    latencyMs[number] = (now - sentNs) / 1e6
    arrived++
    if (arrived === steadyFrom) tell({ kind: 'signed' })
  } else {
    repeated++
  }
}

function look(): void {
  if (arrived < countedFrom || arrived === records) return
  let lag = 0
  for (const [partition, next] of nextOffsets.entries()) {
    lag += Math.max(0, consumer.getWatermarkOffsets(topic, partition).highOffset - next)
  }
  lagRecords.push(lag)
}

function end(limitMs: number): void {
  const deadline = performance.now() + limitMs
  const waiting = setInterval(() => {
    if (arrived < records && performance.now() < deadline) return
    clearInterval(waiting)
    const reading = { latencyMs, repeated, lagRecords: Float64Array.from(lagRecords) }
    tell({ kind: 'read', reading })
  }, pollMs)
}

function tell(message: ReaderMessage): void {
  process.send?.(message)
}

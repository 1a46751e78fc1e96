// Writes sample records with one or several connections, as fast as the cluster takes them.

import { performance } from 'node:perf_hooks'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { RunError } from '../errors.ts'
import { recordsOf } from './intent.ts'
import type { Meter } from './meter.ts'
import { Producer } from './producer.ts'
import { describeStall } from './refusals.ts'
import { sampleRecords } from './sample-records.ts'
import type { OpenSide } from './scratch-topic.ts'
import type { Load } from './types.ts'

export interface ProducingOptions {
  side: OpenSide
  topic: string
  load: Load
  /** Each is a client of its own, with one connection to each broker. */
  connections: number
  meter: Meter
  stop: AbortSignal
}

// Different enough that no codec finds a record again within its window.
const poolBytes = 16e6
const mostDifferent = 4_096
const leastDifferent = 16

const stallMs = 60_000
const flushMs = 1_000
const showMs = 100
// Deliveries, lines and signals come in between.
const recordsAtOnce = 1_000

export async function produce(options: ProducingOptions): Promise<void> {
  const { load, connections, meter } = options
  const pool = samplePool(load.recordBytes)
  const producers = await openAll(options, connections)
  const show = () => {
    const sent = producers.map(producer => producer.sent)
    meter.reach(
      sent.reduce((sum, { records }) => sum + records, 0),
      sent.reduce((sum, { wireBytes }) => sum + wireBytes, 0)
    )
  }
  const timer = setInterval(show, showMs)
  try {
    meter.begin()
    const watch = new Watch(producers, options)
    await writeAll(producers, pool, options, watch)
    while (!(await flushAll(producers))) watch.look()
    watch.look()
    meter.stop()
    // The bytes of the last requests are told by the next statistics.
    await Promise.all(producers.map(producer => producer.told()))
    show()
  } finally {
    clearInterval(timer)
    meter.stop()
    await Promise.all(producers.map(producer => producer.close()))
  }
}

/** Records of exactly so many bytes. */
function samplePool(recordBytes: number): Buffer[] {
  const fitting = Math.floor(poolBytes / recordBytes)
  const count = Math.min(mostDifferent, Math.max(leastDifferent, fitting))
  return sampleRecords(count, recordBytes).map(record => Buffer.from(record))
}

async function openAll(
  { side, load, meter }: ProducingOptions,
  count: number
): Promise<Producer[]> {
  const opened = await Promise.allSettled(
    Array.from({ length: count }, () =>
      Producer.open(side, load, ({ averageMs, maxMs, count }) =>
        meter.took(averageMs, maxMs, count)
      )
    )
  )
  const producers = opened.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
  const failed = opened.find(result => result.status === 'rejected')
  if (!failed) return producers
  await Promise.all(producers.map(producer => producer.close()))
  throw failed.reason
}

async function writeAll(
  producers: readonly Producer[],
  pool: readonly Buffer[],
  { topic, load }: ProducingOptions,
  watch: Watch
): Promise<void> {
  const records = recordsOf(load)
  for (let made = 0; made < records; ) {
    const end = Math.min(records, made + recordsAtOnce)
    let isFull = false
    while (made < end && !isFull) {
      const partition = made % load.partitions
      // A partition stays with one connection.
      const producer = producers[partition % producers.length] as Producer
      isFull = !producer.offer(topic, partition, pool[made % pool.length] as Buffer)
      if (!isFull) made++
    }
    watch.look()
    await (isFull ? delay(1) : turn())
  }
}

async function flushAll(producers: readonly Producer[]): Promise<boolean> {
  const flushed = await Promise.all(producers.map(producer => producer.flush(flushMs)))
  return flushed.every(Boolean)
}

/** Ends the step when it is to stop, when a record was refused, or when nothing moves for long. */
class Watch {
  readonly #producers: readonly Producer[]
  readonly #options: ProducingOptions
  #records = 0
  #movedAt = performance.now()

  constructor(producers: readonly Producer[], options: ProducingOptions) {
    this.#producers = producers
    this.#options = options
  }

  look(): void {
    const { side, topic, stop } = this.#options
    stop.throwIfAborted()
    for (const producer of this.#producers) producer.check(topic)
    const records = this.#producers.reduce((sum, { sent }) => sum + sent.records, 0)
    const now = performance.now()
    if (records !== this.#records) {
      this.#records = records
      this.#movedAt = now
    } else if (now - this.#movedAt > stallMs) {
      const trouble = this.#producers.find(producer => producer.trouble !== undefined)?.trouble
      throw new RunError(describeStall(side, `write to topic ${topic}`, stallMs, trouble))
    }
  }
}
